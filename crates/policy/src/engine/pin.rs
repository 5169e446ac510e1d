//! Principals that stay who they were: users and roles by unique id.
//!
//! A policy names a user or a role by ARN, and means the one that has it when the policy is saved:
//! who gets the same name later is someone else. So [`pin`] looks up the ids at saving, [`Pins`] is
//! kept beside the text, and [`render`] shows the text as it has to be read now.

use super::malformed::{Malformed, Problem, excerpt};
use crate::tree;
use crate::{Document, Invalid, Principal};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// Knows users and roles by ARN and by unique id.
pub trait Resolver {
    /// The unique id of the user or role that has this ARN now.
    fn id(&self, arn: &str) -> Option<String>;
    /// The ARN that the user or role with this unique id has now; `None` if it was deleted.
    fn arn(&self, id: &str) -> Option<String>;
}

/// Users and roles looked up beforehand: their unique ids by ARN.
impl Resolver for BTreeMap<String, String> {
    fn id(&self, arn: &str) -> Option<String> {
        self.get(arn).cloned()
    }

    fn arn(&self, id: &str) -> Option<String> {
        self.iter().find(|(_, known)| *known == id).map(|(arn, _)| arn.clone())
    }
}

/// A policy names a user, a role or a unique id that doesn't exist.
///
/// Becomes the refusal of Secrets Manager ([`Invalid`]) or of IAM ([`Malformed`]).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such principal: `{0}`")]
pub struct Absent(pub Principal);

impl From<Absent> for Invalid {
    fn from(Absent(principal): Absent) -> Self {
        Self::absent(&principal)
    }
}

impl From<Absent> for Malformed {
    fn from(absent: Absent) -> Self {
        let problem = Problem::Principal("AWS".into(), excerpt(&absent.0.to_string()));
        Self::new(problem, absent.to_string())
    }
}

/// The unique ids that the users and roles of a policy had when it was saved, by the ARNs that
/// stand in its text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pins(BTreeMap<Box<str>, Box<str>>);

impl Pins {
    /// ARNs and the ids they stand for.
    pub fn ids(&self) -> &BTreeMap<Box<str>, Box<str>> {
        &self.0
    }
}

impl FromIterator<(String, String)> for Pins {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(arn, id)| (arn.into(), id.into())).collect())
    }
}

/// The ARNs of users and roles, and the unique ids, that `document` names: who must exist for it
/// to be saved. In order, without repetitions.
pub fn entities(document: &Document) -> Vec<&str> {
    let mut seen = BTreeSet::new();
    document.principals().filter_map(entity).filter(|it| seen.insert(*it)).collect()
}

/// Looks up everyone that `document` names.
///
/// # Errors
///
/// [`Absent`] has the first user, role or id that doesn't exist.
pub fn pin(document: &Document, resolver: &dyn Resolver) -> Result<Pins, Absent> {
    let mut pins = BTreeMap::new();
    for principal in document.principals() {
        let Some(name) = entity(principal) else { continue };
        let id = match principal {
            Principal::UniqueId(id) => resolver.arn(id).map(|_| None),
            _ => resolver.id(name).map(Some),
        };
        if let Some(id) = id.ok_or_else(|| Absent(principal.clone()))? {
            pins.insert(name.into(), id.into());
        }
    }
    Ok(Pins(pins))
}

/// The text of a saved policy as it is shown now: with the present ARN of each user and role that
/// lives, and the bare id of those that don't. All else stays as it is, byte for byte.
pub fn render<'a>(text: &'a str, pins: &Pins, resolver: &dyn Resolver) -> Cow<'a, str> {
    let mut shown = String::new();
    let mut done = 0;
    for raw in principals(text) {
        let Ok(name) = serde_json::from_str::<String>(raw) else { continue };
        let Some(now) = current(&name, pins, resolver).filter(|it| *it != name) else { continue };
        let start = tree::offset(text, raw);
        shown.push_str(text.get(done..start).unwrap_or_default());
        shown.push_str(&serde_json::Value::from(now).to_string());
        done = start + raw.len();
    }
    if done == 0 {
        return Cow::Borrowed(text);
    }
    shown.push_str(text.get(done..).unwrap_or_default());
    Cow::Owned(shown)
}

/// What stands for `name`, if that is a user, a role or an id.
fn current(name: &str, pins: &Pins, resolver: &dyn Resolver) -> Option<String> {
    let id = match Principal::parse("AWS", name).ok()? {
        Principal::Role(_) | Principal::User(_) => pins.0.get(name)?.to_string(),
        Principal::UniqueId(id) => id.into(),
        _ => return None,
    };
    Some(resolver.arn(&id).unwrap_or(id))
}

fn entity(principal: &Principal) -> Option<&str> {
    match principal {
        Principal::Role(it) | Principal::User(it) => Some(it.arn()),
        Principal::UniqueId(id) => Some(id),
        _ => None,
    }
}

/// The values under `AWS` of each principal block, as they are spelled in `text`, in order.
fn principals(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for statement in tree::pieces(text, "Statement") {
        for name in ["Principal", "NotPrincipal"] {
            for block in tree::pieces(statement, name) {
                found.extend(tree::pieces(block, "AWS"));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLE: &str = "arn:aws:iam::111122223333:role/app";
    const MOVED: &str = "arn:aws:iam::111122223333:role/team/app";
    const USER: &str = "arn:aws:iam::111122223333:user/ada";

    /// ARNs and ids of those who live.
    fn known(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(arn, id)| ((*arn).to_owned(), (*id).to_owned())).collect()
    }

    const APP: &str = "AROAQ3EGVEXAMPLE00APP";
    const ADA: &str = "AIDAQ3EGVEXAMPLE00ADA";
    const TEXT: &str = r#"{ "Statement" : [ {"Effect":"Allow","Action":"*",
        "Principal": {"Service":"s3.amazonaws.com","AWS" : [ "arn:aws:iam::111122223333:role/app",
            "111122223333", "arn:aws:iam::111122223333:user/ada" ]}},
        {"Effect":"Deny","NotPrincipal":{"AWS":"arn:aws:iam::111122223333:role\/app"},"Action":"*",
         "Condition":{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/app"}}} ] }"#;

    fn document(text: &str) -> Document {
        Document::parse(text).expect("valid")
    }

    #[test]
    fn who_must_exist() {
        assert_eq!(entities(&document(TEXT)), [ROLE, USER]);
        let both = known(&[(ROLE, APP), (USER, ADA)]);
        let pins = pin(&document(TEXT), &both).expect("all known");
        let expected = [(ROLE.to_owned(), APP.to_owned()), (USER.to_owned(), ADA.to_owned())];
        assert_eq!(pins, Pins::from_iter(expected));
        let absent = pin(&document(TEXT), &known(&[(ROLE, APP)])).expect_err("no ada");
        assert_eq!(absent.to_string(), format!("no such principal: `{USER}`"));
        let refusal = "This resource policy contains an unsupported principal.";
        assert_eq!(Invalid::from(absent.clone()).to_string(), refusal);
        let refusal = format!("Invalid principal in policy: \"AWS\":\"{USER}\"");
        assert_eq!(Malformed::from(absent).to_string(), refusal);
    }

    #[test]
    fn shown_as_they_are_now() {
        let pins = pin(&document(TEXT), &known(&[(ROLE, APP), (USER, ADA)])).expect("known");
        for (now, role, user) in [
            (vec![(ROLE, APP), (USER, ADA)], ROLE, USER),
            (vec![(MOVED, APP), (USER, ADA)], MOVED, USER),
            (vec![(ROLE, APP)], ROLE, ADA),
            // Made again under the same name: someone else.
            (vec![(ROLE, "AROAQ3EGVEXAMPLE00NEW"), (USER, ADA)], APP, USER),
            (vec![], APP, ADA),
        ] {
            let shown = render(TEXT, &pins, &known(&now));
            let (listed, other) = (document(&shown), document(TEXT));
            let names: Vec<_> = listed.principals().map(ToString::to_string).collect();
            let root = "arn:aws:iam::111122223333:root";
            assert_eq!(names, ["s3.amazonaws.com", role, root, user, role]);
            let conditions = |it: &Document| it.statements()[1].conditions.clone();
            assert_eq!(conditions(&listed), conditions(&other));
        }
        let unchanged = render(TEXT, &pins, &known(&[(ROLE, APP), (USER, ADA)]));
        assert!(unchanged.contains(r#""AWS" : [ "arn:aws:iam::111122223333:role/app","#));
    }

    #[test]
    fn an_id_must_live_when_it_is_put_and_is_shown_as_arn() {
        let text = format!(
            r#"{{"Statement":{{"Effect":"Allow","Principal":{{"AWS":"{APP}"}},"Action":"*"}}}}"#
        );
        assert!(pin(&document(&text), &known(&[])).is_err());
        let alive = known(&[(ROLE, APP)]);
        let pins = pin(&document(&text), &alive).expect("lives");
        assert_eq!(pins, Pins::default());
        assert_eq!(render(&text, &pins, &alive), text.replace(APP, ROLE));
        assert_eq!(render(&text, &pins, &known(&[])), text);
    }

    #[test]
    fn what_is_no_policy_stays_as_it_is() {
        for text in ["", "[]", "{", r#"{"Statement":[{"Principal":{"AWS":[1,null]}}]}"#] {
            assert_eq!(render(text, &Pins::default(), &known(&[])), text);
        }
    }
}
