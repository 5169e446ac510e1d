//! Whom a token is about, and the rules its claims keep to.

use crate::{Issuer, Rejection};
use base::Timestamp;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Whom a token is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The issuer's address without its scheme.
    pub issuer: String,
    /// The claim `sub`.
    pub subject: String,
    /// Whom the token was given to: its `azp`, or else the one of the expected audiences that it names.
    pub audience: String,
    /// Who is behind the session, if the issuer says so.
    pub source_identity: Option<String>,
    /// Tags for the session: names and values, in the order of their names.
    pub tags: Vec<(String, String)>,
    /// Names of those that go on to further sessions.
    pub transitive: Vec<String>,
    claims: BTreeMap<String, Claim>,
}

/// What a claim says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// One text, number or truth.
    One(String),
    /// A list of them.
    Many(Vec<String>),
}

/// Clocks may differ so far, in seconds.
const LEEWAY: i64 = 300;
/// A token may have been issued so long ago, in seconds.
const OLDEST: i64 = 86_400;
/// The most bytes of a subject: a Kubernetes service account has up to 339.
const SUBJECT: usize = 1024;
/// Claims that a standard names.
///
/// Source: RFC 7519, section 4.1; OpenID Connect Core 1.0, section 2.
const STANDARD: &[&str] =
    &["acr", "amr", "aud", "azp", "exp", "iat", "iss", "jti", "nbf", "nonce", "oaud", "sub"];
const SOURCE_IDENTITY: &str = "https://aws.amazon.com/source_identity";
const TAGS: &str = "https://aws.amazon.com/tags";

type Members = Map<String, Value>;

impl Identity {
    /// Whom `claims`, of a token of `issuer`, are about, if they are good at `now` for one of `audiences`.
    pub(crate) fn new(
        claims: &Members,
        issuer: &Issuer,
        audiences: &[String],
        now: Timestamp,
    ) -> Result<Self, Rejection> {
        let subject = text(claims, "sub")?.ok_or(Rejection::Missing("sub"))?;
        if subject.is_empty() || subject.len() > SUBJECT {
            return Err(Rejection::Claim("sub"));
        }
        let meant = meant(claims)?;
        in_time(claims, now.secs())?;
        let expected = meant.iter().find(|it| audiences.contains(it)).ok_or(Rejection::Audience)?;
        let audience = text(claims, "azp")?.unwrap_or(expected).to_owned();
        let (tags, transitive) = tags(claims)?;
        let mut known: BTreeMap<_, _> = claims.iter().filter_map(claim).collect();
        let given = known.insert("aud".to_owned(), Claim::One(audience.clone()));
        if let Some(given) = given {
            known.insert("oaud".to_owned(), given);
        }
        Ok(Self {
            issuer: issuer.name().to_owned(),
            subject: subject.to_owned(),
            audience,
            source_identity: source_identity(claims)?,
            tags,
            transitive,
            claims: known,
        })
    }

    /// What the token says about `name`, which is in lower case: several things if it has claims whose names
    /// differ in their case only. Those that a standard names are known by just that name.
    ///
    /// `aud` is [`Identity::audience`], and `oaud` what the token's `aud` says: a token that somebody else was
    /// given doesn't pass for one of the audience's own.
    ///
    /// Source: IAM User Guide, "IAM and AWS STS condition context keys", on how claims map to keys.
    pub fn claims(&self, name: &str) -> Vec<&Claim> {
        if STANDARD.contains(&name) {
            return self.claims.get(name).into_iter().collect();
        }
        let found = self.claims.iter().filter(|it| it.0.eq_ignore_ascii_case(name));
        found.map(|it| it.1).collect()
    }
}

/// For whom the token is: whoever asked for it, and all whom it names.
fn meant(claims: &Members) -> Result<Vec<String>, Rejection> {
    let mut meant: Vec<String> = text(claims, "azp")?.map(str::to_owned).into_iter().collect();
    match claims.get("aud") {
        None => return Err(Rejection::Missing("aud")),
        Some(aud) => meant.extend(texts(aud).ok_or(Rejection::Claim("aud"))?),
    }
    Ok(meant)
}

fn in_time(claims: &Members, now: i64) -> Result<(), Rejection> {
    let expired = seconds(claims, "exp")?.ok_or(Rejection::Missing("exp"))?;
    let issued = seconds(claims, "iat")?.ok_or(Rejection::Missing("iat"))?;
    if expired.saturating_add(LEEWAY) <= now {
        return Err(Rejection::Expired { now, expired });
    }
    let latest = now.saturating_add(LEEWAY);
    if latest < issued {
        return Err(Rejection::Early("iat"));
    }
    if seconds(claims, "nbf")?.is_some_and(|it| latest < it) {
        return Err(Rejection::Early("nbf"));
    }
    match now.saturating_sub(issued) {
        age if age > OLDEST + LEEWAY => Err(Rejection::Old(age)),
        _ => Ok(()),
    }
}

/// A moment, in seconds since 1970. Fractions don't count.
fn seconds(claims: &Members, name: &'static str) -> Result<Option<i64>, Rejection> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    #[expect(clippy::cast_possible_truncation, reason = "within the range, which is exact")]
    let whole = |it: f64| (it.abs() < 1e15).then_some(it.floor() as i64);
    let found = value.as_i64().or_else(|| value.as_f64().and_then(whole));
    found.map(Some).ok_or(Rejection::Claim(name))
}

fn text<'a>(claims: &'a Members, name: &'static str) -> Result<Option<&'a str>, Rejection> {
    match claims.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Rejection::Claim(name)),
    }
}

/// One text, or a list of them.
fn texts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) => Some(vec![text.clone()]),
        Value::Array(list) => list.iter().map(|it| it.as_str().map(str::to_owned)).collect(),
        _ => None,
    }
}

/// What conditions can ask for: texts, numbers, truths and lists of them, but nothing nested.
fn claim((name, value): (&String, &Value)) -> Option<(String, Claim)> {
    let one = |it: &Value| match it {
        Value::String(text) => Some(text.clone()),
        Value::Bool(it) => Some(it.to_string()),
        Value::Number(it) => Some(it.to_string()),
        _ => None,
    };
    let claim = match value {
        Value::Array(list) => Claim::Many(list.iter().map(one).collect::<Option<_>>()?),
        value => Claim::One(one(value)?),
    };
    Some((name.clone(), claim))
}

fn source_identity(claims: &Members) -> Result<Option<String>, Rejection> {
    const NAME: &str = SOURCE_IDENTITY;
    let of_name = |it: u8| it.is_ascii_alphanumeric() || b"_+=,.@-".contains(&it);
    match text(claims, NAME)? {
        Some(it) if !(2..=64).contains(&it.len()) || !it.bytes().all(of_name) => {
            Err(Rejection::Claim(NAME))
        }
        found => Ok(found.map(str::to_owned)),
    }
}

type Tags = (Vec<(String, String)>, Vec<String>);

/// The tags that a token hands over, nested or, from issuers that can't nest, flat.
///
/// Source: IAM User Guide, "Passing session tags using AssumeRoleWithWebIdentity".
fn tags(claims: &Members) -> Result<Tags, Rejection> {
    let invalid = || Rejection::Claim(TAGS);
    let mut found: Vec<(&str, &Value)> = Vec::new();
    let mut transitive = claims.get("https://aws.amazon.com/tags/transitive_tag_keys");
    if let Some(nested) = claims.get(TAGS) {
        let nested = nested.as_object().ok_or_else(invalid)?;
        if let Some(tags) = nested.get("principal_tags") {
            let tags = tags.as_object().ok_or_else(invalid)?;
            found.extend(tags.iter().map(|(name, value)| (name.as_str(), value)));
        }
        transitive = nested.get("transitive_tag_keys").or(transitive);
    }
    let flat = |it: &'_ (&String, &Value)| it.0.starts_with(FLAT);
    for (name, value) in claims.iter().filter(flat) {
        found.push((name.get(FLAT.len()..).unwrap_or_default(), value));
    }
    let one = |(name, value): (&str, &Value)| match &*texts(value)? {
        [value] => Some((name.to_owned(), value.clone())),
        _ => None,
    };
    let tags = found.into_iter().map(one).collect::<Option<_>>().ok_or_else(invalid)?;
    let transitive = transitive.map_or(Some(Vec::new()), texts).ok_or_else(invalid)?;
    Ok((tags, transitive))
}

const FLAT: &str = "https://aws.amazon.com/tags/principal_tags/";
