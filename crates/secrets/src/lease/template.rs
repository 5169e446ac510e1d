//! What the value of a dynamic secret says: where users are made, what they get, and for how long.

use crate::Error;
use base::{Entropy, Sensitive};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A template, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// Where users are made.
    pub server: Server,
    /// The roles that a user is a member of.
    pub roles: Vec<String>,
    /// What makes a user, if not the engine's own way.
    pub creation: Vec<String>,
    /// What removes a user, before what is left of it goes in the engine's own way.
    pub revocation: Vec<String>,
    /// How users are called.
    pub username: String,
    /// How long a lease is.
    pub ttl: Duration,
    /// How long it can be made by renewals.
    pub most: Duration,
    /// How many leases there may be at a time.
    pub leases: u32,
}

/// A server of databases, and who may make users there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Server {
    /// The engine, as secrets call it.
    pub engine: String,
    /// The server.
    pub host: String,
    /// Its port; until a user is made, only if the template names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// The database that users are told to open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<String>,
    /// Whether TLS is asked for (`Some(true)`) or renounced (`Some(false)`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<bool>,
    /// The administrator's secret.
    pub master: String,
}

/// A template as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    engine: String,
    host: String,
    port: Option<Scalar>,
    dbname: Option<String>,
    ssl: Option<Scalar>,
    masterarn: String,
    #[serde(default)]
    roles: Vec<String>,
    #[serde(default)]
    creation: Vec<String>,
    #[serde(default)]
    revocation: Vec<String>,
    username_template: Option<String>,
    default_ttl: Option<Scalar>,
    max_ttl: Option<Scalar>,
    max_leases: Option<u32>,
}

/// A number or a truth value, perhaps within quotes, as secrets have them.
#[derive(Deserialize)]
#[serde(untagged)]
enum Scalar {
    Flag(bool),
    Number(u64),
    Text(String),
}

const USERNAME: &str = "{{principal}}-{{random}}";
const TTL: Duration = Duration::from_hours(1);
const MOST_TTL: Duration = Duration::from_hours(24);
/// A lease is not shorter, and can't be renewed beyond.
const TTLS: std::ops::RangeInclusive<Duration> =
    Duration::from_secs(5)..=Duration::from_hours(24 * 31);
const LEASES: u32 = 100;
const LEASES_AT_MOST: u32 = 1000;
/// Names and statements in a template.
const LISTED: usize = 32;
/// Characters of chance in a user's name: of 36 each.
const RANDOM: usize = 12;

impl Template {
    /// Reads the value of a dynamic secret. It is not a secret itself, but what it says is told to nobody here.
    ///
    /// # Errors
    ///
    /// [`Error::Template`]: what is missing, or can't be used.
    pub fn parse(value: &Sensitive) -> Result<Self, Error> {
        let written: Written =
            serde_json::from_slice(value.expose()).map_err(|error| invalid(what(&error)))?;
        let template = written.checked()?;
        template.check_username()?;
        Ok(template)
    }

    fn check_username(&self) -> Result<(), Error> {
        let told = "`username_template` may have letters, digits, `_`, `-`, `{{principal}}` and `{{secret}}`, and must have `{{random}}` once";
        let pieces = pieces(&self.username).filter(|_| self.username.len() <= 128);
        let pieces = pieces.ok_or_else(|| invalid(told))?;
        let once = pieces.iter().filter(|it| **it == Piece::Random).count() == 1;
        if once { Ok(()) } else { Err(invalid(told)) }
    }

    /// A user's name of at most `longest` bytes for `principal`, which nobody else has: only letters, digits, `_`
    /// and `-`, whatever the principal is called.
    ///
    /// # Errors
    ///
    /// [`Error::Template`]: what the template says besides is too long.
    pub fn user(
        &self,
        (principal, secret): (&str, &str),
        longest: usize,
        entropy: &dyn Entropy,
    ) -> Result<String, Error> {
        let told = || invalid("`username_template` leaves no room for a user's name");
        let pieces = pieces(&self.username).ok_or_else(told)?;
        let fixed = pieces.iter().map(Piece::length).sum();
        let names = pieces.iter().filter(|it| it.length() == 0).count();
        let room = longest.checked_sub(fixed).ok_or_else(told)?;
        let each = room.checked_div(names).unwrap_or_default();
        let fill = |it: &Piece<'_>| match it {
            Piece::Principal => plain(principal, each),
            Piece::Random => random(entropy),
            Piece::Secret => plain(secret, each),
            Piece::Text(text) => (*text).to_owned(),
        };
        Ok(pieces.iter().map(fill).collect())
    }
}

/// A part of a `username_template`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece<'a> {
    Principal,
    Random,
    Secret,
    Text(&'a str),
}

impl Piece<'_> {
    /// How long it is always; of names that is nothing.
    fn length(&self) -> usize {
        match self {
            Self::Principal | Self::Secret => 0,
            Self::Random => RANDOM,
            Self::Text(text) => text.len(),
        }
    }
}

/// The parts of `template`; `None` if it has other characters, or other names between braces.
fn pieces(template: &str) -> Option<Vec<Piece<'_>>> {
    let mut found = Vec::new();
    let mut rest = template;
    while !rest.is_empty() {
        let (text, after) = rest.split_once("{{").unwrap_or((rest, ""));
        if !text.bytes().all(is_plain) {
            return None;
        }
        found.extend((!text.is_empty()).then_some(Piece::Text(text)));
        if text.len() == rest.len() {
            break;
        }
        let (name, after) = after.split_once("}}")?;
        found.push(match name {
            "principal" => Piece::Principal,
            "random" => Piece::Random,
            "secret" => Piece::Secret,
            _ => return None,
        });
        rest = after;
    }
    Some(found)
}

impl Written {
    fn checked(self) -> Result<Template, Error> {
        for (name, text) in
            [("engine", &self.engine), ("host", &self.host), ("masterarn", &self.masterarn)]
        {
            if text.is_empty() || text.len() > 2048 || text.contains(char::is_control) {
                return Err(invalid(&format!("`{name}` can't be used")));
            }
        }
        if self.roles.is_empty() == self.creation.is_empty() {
            return Err(invalid("what users get is said by either `roles` or `creation`"));
        }
        let lists = [&self.roles, &self.creation, &self.revocation];
        if lists.iter().any(|it| it.len() > LISTED) {
            return Err(invalid(
                "`roles`, `creation` and `revocation` have at most 32 entries each",
            ));
        }
        let ttl = seconds("default_ttl", self.default_ttl)?.unwrap_or(TTL);
        let most = seconds("max_ttl", self.max_ttl)?.unwrap_or(MOST_TTL.max(ttl));
        if !TTLS.contains(&ttl) || !TTLS.contains(&most) || most < ttl {
            let told =
                "`default_ttl` is at least 5 seconds, `max_ttl` at least that, and at most 31 days";
            return Err(invalid(told));
        }
        let leases = self.max_leases.unwrap_or(LEASES);
        if !(1..=LEASES_AT_MOST).contains(&leases) {
            return Err(invalid("`max_leases` is between 1 and 1000"));
        }
        let server = Server {
            engine: self.engine,
            host: self.host,
            port: port(self.port)?,
            database: self.dbname.filter(|it| !it.is_empty()),
            tls: flag(self.ssl)?,
            master: self.masterarn,
        };
        let username = self.username_template.unwrap_or_else(|| USERNAME.to_owned());
        let Self { roles, creation, revocation, .. } = self;
        Ok(Template { server, roles, creation, revocation, username, ttl, most, leases })
    }
}

fn invalid(told: &str) -> Error {
    Error::Template(told.to_owned())
}

/// What is wrong with the JSON: of values nothing is told but their kind.
fn what(error: &serde_json::Error) -> &'static str {
    match error.classify() {
        serde_json::error::Category::Data => {
            "a member is missing, unknown, twice, or of the wrong kind; known are engine, host, port, dbname, ssl, masterarn, roles, creation, revocation, username_template, default_ttl, max_ttl and max_leases"
        }
        _ => "it is not a JSON object",
    }
}

fn port(given: Option<Scalar>) -> Result<Option<u16>, Error> {
    let read = match given {
        None => return Ok(None),
        Some(Scalar::Text(text)) if text.is_empty() => return Ok(None),
        Some(Scalar::Text(text)) => text.parse().ok(),
        Some(Scalar::Number(number)) => u16::try_from(number).ok(),
        Some(Scalar::Flag(_)) => None,
    };
    read.filter(|it| *it != 0).map(Some).ok_or_else(|| invalid("`port` is not a port"))
}

fn flag(given: Option<Scalar>) -> Result<Option<bool>, Error> {
    match given {
        None => Ok(None),
        Some(Scalar::Flag(flag)) => Ok(Some(flag)),
        Some(Scalar::Text(text)) if text.eq_ignore_ascii_case("true") => Ok(Some(true)),
        Some(Scalar::Text(text)) if text.eq_ignore_ascii_case("false") => Ok(Some(false)),
        Some(_) => Err(invalid("`ssl` is neither true nor false")),
    }
}

/// Seconds, or a number with `s`, `m`, `h` or `d` after it.
fn seconds(name: &str, given: Option<Scalar>) -> Result<Option<Duration>, Error> {
    let read = match given {
        None => return Ok(None),
        Some(Scalar::Number(number)) => Some(number),
        Some(Scalar::Text(text)) => span(&text),
        Some(Scalar::Flag(_)) => None,
    };
    let told = || invalid(&format!("`{name}` is not a time such as \"1h\""));
    read.map(|it| Some(Duration::from_secs(it))).ok_or_else(told)
}

/// Seconds of a text such as `90s`, `15m`, `1h`, `7d`, or `3600`.
pub fn span(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|it: char| it.is_ascii_alphabetic());
    let unit = match text.get(digits.len()..)? {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return None,
    };
    let is_number = !digits.is_empty() && digits.bytes().all(|it| it.is_ascii_digit());
    digits.parse::<u64>().ok().filter(|_| is_number)?.checked_mul(unit)
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

/// The first `most` characters of `name` that a user's name may have anywhere.
fn plain(name: &str, most: usize) -> String {
    let name = name.bytes().map(|it| if is_plain(it) { char::from(it) } else { '_' });
    name.take(most).collect()
}

fn random(entropy: &dyn Entropy) -> String {
    const ALPHABET: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    let drawn = (0..RANDOM).filter_map(|_| ALPHABET.get(entropy.below(36) as usize));
    drawn.map(|it| char::from(*it)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::SystemEntropy;

    fn parse(more: &str) -> Result<Template, Error> {
        let text = format!(r#"{{"engine":"postgres","host":"db","masterarn":"m"{more}}}"#);
        Template::parse(&Sensitive::from(text))
    }

    #[test]
    fn what_is_left_out_has_a_default() {
        let it = parse(r#","roles":["r"],"port":"5433","ssl":"False""#).expect("a template");
        assert_eq!((it.server.port, it.server.tls, it.leases), (Some(5433), Some(false), LEASES));
        assert_eq!((it.ttl, it.most), (TTL, MOST_TTL));
        let it = parse(r#","roles":["r"],"default_ttl":"2d""#).expect("a template");
        assert_eq!(it.most, it.ttl);
    }

    #[test]
    fn what_cant_be_used_is_refused() {
        for wrong in [
            "",
            r#","roles":[]"#,
            r#","roles":["r"],"creation":["c"]"#,
            r#","roles":["r"],"role":"r""#,
            r#","roles":["r"],"host":"other""#,
            r#","roles":["r"],"port":"0""#,
            r#","roles":["r"],"port":70000"#,
            r#","roles":["r"],"ssl":1"#,
            r#","roles":["r"],"default_ttl":4"#,
            r#","roles":["r"],"default_ttl":"1h","max_ttl":"59m""#,
            r#","roles":["r"],"max_ttl":"32d""#,
            r#","roles":["r"],"default_ttl":"1 h""#,
            r#","roles":["r"],"default_ttl":"18446744073709551615d""#,
            r#","roles":["r"],"max_leases":0"#,
            r#","roles":["r"],"username_template":"fixed""#,
            r#","roles":["r"],"username_template":"{{random}}\"; DROP""#,
            r#","roles":["r"],"username_template":"{{random}}{{random}}""#,
            r#","roles":["r"],"username_template":"{{ran{{principal}}dom}}""#,
            r#","roles":["r"],"username_template":"{{random}}{{""#,
        ] {
            assert!(matches!(parse(wrong), Err(Error::Template(_))), "{wrong}");
        }
        for wrong in ["", "[]", "{", "\u{0}"] {
            let refused = Template::parse(&Sensitive::from(wrong.to_owned()));
            assert!(matches!(refused, Err(Error::Template(_))), "{wrong}");
        }
    }

    #[test]
    fn users_names_are_harmless_and_fit() {
        #[rustfmt::skip]
        let cases = [
            // template                      principal           longest  starts with
            ("{{principal}}-{{random}}",     "ada",              63,      "ada-"),
            ("{{principal}}-{{random}}",     "a\"; DROP é'`",    63,      "a___DROP"),
            ("{{principal}}-{{random}}",     "a-very-long-name-indeed", 20, "a-very--"),
            ("v_{{secret}}_{{principal}}_{{random}}", "ada",     32,      "v_s_x_ada_"),
            ("{{random}}",                   "ada",              12,      ""),
        ];
        for (template, principal, longest, start) in cases {
            let template = parse(&format!(r#","roles":["r"],"username_template":"{template}""#));
            let template = template.expect("a template");
            let name = template.user((principal, "s/x"), longest, &SystemEntropy).expect("a name");
            let plain = |it: &str| it.replace('_', "");
            assert!(plain(&name).starts_with(&plain(start)), "{name}");
            assert!(name.len() <= longest && name.bytes().all(is_plain), "{name}");
            let other = template.user((principal, "s/x"), longest, &SystemEntropy).expect("a name");
            assert_ne!(name, other);
            assert!(template.user((principal, "s"), 11, &SystemEntropy).is_err());
        }
    }
}
