//! Whom a statement speaks about.

use crate::Invalid;
use base::{AccountId, Arn};
use std::fmt;

/// One principal of a resource policy, as written.
///
/// Nothing here says that it exists. `Display` gives the form that a policy has it in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    /// `"*"`, alone or under `AWS`: every caller with a valid signature.
    Everyone,
    /// A whole account, by its id or its root ARN: whom that account lets.
    Account(AccountId),
    /// `arn:aws:sts::A:assumed-role/role/session`: one session, never a pattern of sessions.
    AssumedRole(Entity),
    /// An S3 canonical id, 64 hex digits. No caller of ours has one.
    CanonicalUser(Box<str>),
    /// An identity provider: its ARN, or the host name of a web identity provider.
    Federated(Box<str>),
    /// `arn:aws:sts::A:federated-user/name`: one federated session.
    FederatedUser(Entity),
    /// `arn:aws:iam::A:role/path/name`: every session of the role.
    Role(Entity),
    /// The host name of a service, such as `lambda.amazonaws.com`.
    Service(Box<str>),
    /// `AIDA…` (a user) or `AROA…` (a role): who was named before the entity was deleted, or an
    /// id written instead of an ARN.
    UniqueId(Box<str>),
    /// `arn:aws:iam::A:user/path/name`.
    User(Entity),
}

/// An identity inside an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entity {
    /// The account that owns it.
    pub account: AccountId,
    /// What follows the kind in the ARN: `path/name` for users and roles, `role/session` for an
    /// assumed role, the name of a federated user.
    pub name: Box<str>,
    arn: Box<str>,
}

impl Entity {
    /// The whole ARN, as written.
    pub fn arn(&self) -> &str {
        &self.arn
    }
}

impl Principal {
    /// Reads an entry of the element `kind` of a principal block.
    pub(crate) fn parse(kind: &str, text: &str) -> Result<Self, Invalid> {
        let found = match kind {
            "AWS" => aws(text),
            "CanonicalUser" => canonical_user(text),
            "Federated" => federated(text),
            "Service" => service(text),
            _ => return Err(Invalid::syntax("unknown kind of principal").showing(kind)),
        };
        found.ok_or_else(|| Invalid::principal("not a principal").showing(text))
    }
}

fn aws(text: &str) -> Option<Principal> {
    let is_id = |it: u8| it.is_ascii_uppercase() || it.is_ascii_digit();
    if text == "*" {
        return Some(Principal::Everyone);
    }
    if let Ok(account) = text.parse() {
        return Some(Principal::Account(account));
    }
    if text.starts_with("AIDA") || text.starts_with("AROA") {
        let valid = (16..=128).contains(&text.len()) && text.bytes().all(is_id);
        return valid.then(|| Principal::UniqueId(text.into()));
    }
    identity(text)
}

/// A root, user, role or session ARN. Groups and wildcards are none of them.
fn identity(text: &str) -> Option<Principal> {
    let arn = parse_arn(text)?;
    let account = arn.account()?;
    if (arn.service, arn.resource) == ("iam", "root") {
        return Some(Principal::Account(account));
    }
    let (kind, name) = arn.resource.split_once('/')?;
    let entity = Entity { account, name: name.into(), arn: text.into() };
    let (last, above) = name.rsplit_once('/').map_or((name, ""), |(above, last)| (last, above));
    match (arn.service, kind) {
        ("iam", "user") if is_path(above) && is_name(last) => Some(Principal::User(entity)),
        ("iam", "role") if is_path(above) && is_name(last) => Some(Principal::Role(entity)),
        ("sts", "assumed-role") if is_name(above) && is_name(last) => {
            Some(Principal::AssumedRole(entity))
        }
        ("sts", "federated-user") if is_name(name) => Some(Principal::FederatedUser(entity)),
        _ => None,
    }
}

fn federated(text: &str) -> Option<Principal> {
    let provider = parse_arn(text).filter(|arn| arn.service == "iam" && arn.account().is_some());
    let valid = match provider.and_then(|arn| arn.resource.split_once('/')) {
        Some(("oidc-provider" | "saml-provider", name)) => is_path(name),
        Some(_) => false,
        None => is_host(text),
    };
    valid.then(|| Principal::Federated(text.into()))
}

fn service(text: &str) -> Option<Principal> {
    const DOMAINS: [&str; 4] =
        [".amazonaws.com", ".amazonaws.com.cn", ".amazon.com", ".aws.internal"];
    let valid = is_host(text) && DOMAINS.iter().any(|it| text.ends_with(it));
    valid.then(|| Principal::Service(text.into()))
}

fn canonical_user(text: &str) -> Option<Principal> {
    let is_hex = |it: u8| it.is_ascii_digit() || (b'a'..=b'f').contains(&it);
    let valid = text.len() == 64 && text.bytes().all(is_hex);
    valid.then(|| Principal::CanonicalUser(text.into()))
}

/// An ARN of a global service: `arn:aws…:service::account:resource`.
fn parse_arn(text: &str) -> Option<Arn<'_>> {
    let arn = Arn::parse(text).ok()?;
    let is_word = |it: u8| it.is_ascii_lowercase() || it == b'-';
    let known = arn.partition == "aws" || arn.partition.starts_with("aws-");
    (known && arn.partition.bytes().all(is_word) && arn.region.is_empty()).then_some(arn)
}

/// A name of a user, role or session: up to 64 of IAM's name characters.
fn is_name(text: &str) -> bool {
    let of_name = |it: u8| it.is_ascii_alphanumeric() || b"_+=,.@-".contains(&it);
    (1..=64).contains(&text.len()) && text.bytes().all(of_name)
}

/// The path above a name, without its outer slashes: printable ASCII but no wildcard.
fn is_path(text: &str) -> bool {
    text.len() <= 512 && text.bytes().all(|it| it.is_ascii_graphic() && !b"*?".contains(&it))
}

/// A lower-case host name of two labels or more.
fn is_host(text: &str) -> bool {
    let of_label = |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'-';
    text.len() <= 253
        && text.contains('.')
        && text.split('.').all(|label| !label.is_empty() && label.bytes().all(of_label))
}

impl fmt::Display for Principal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everyone => out.write_str("*"),
            Self::Account(account) => write!(out, "arn:aws:iam::{account}:root"),
            Self::AssumedRole(it) | Self::FederatedUser(it) | Self::Role(it) | Self::User(it) => {
                out.write_str(&it.arn)
            }
            Self::CanonicalUser(it)
            | Self::Federated(it)
            | Self::Service(it)
            | Self::UniqueId(it) => out.write_str(it),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The variant's name, and the entity's name where there is one.
    fn shape(principal: &Principal) -> (&'static str, &str) {
        match principal {
            Principal::Everyone => ("everyone", ""),
            Principal::Account(it) => ("account", it.as_str()),
            Principal::AssumedRole(it) => ("session", &it.name),
            Principal::CanonicalUser(_) => ("canonical", ""),
            Principal::Federated(_) => ("federated", ""),
            Principal::FederatedUser(it) => ("federated user", &it.name),
            Principal::Role(it) => ("role", &it.name),
            Principal::Service(_) => ("service", ""),
            Principal::UniqueId(_) => ("id", ""),
            Principal::User(it) => ("user", &it.name),
        }
    }

    #[test]
    fn each_form() {
        let hex = "0123456789abcdef".repeat(4);
        #[rustfmt::skip]
        let cases = [
            ("AWS", "*", ("everyone", "")),
            ("AWS", "111122223333", ("account", "111122223333")),
            ("AWS", "arn:aws:iam::111122223333:root", ("account", "111122223333")),
            ("AWS", "arn:aws-us-gov:iam::111122223333:root", ("account", "111122223333")),
            ("AWS", "arn:aws:iam::111122223333:user/alice", ("user", "alice")),
            ("AWS", "arn:aws:iam::111122223333:user/a/b/alice", ("user", "a/b/alice")),
            ("AWS", "arn:aws:iam::111122223333:role/app", ("role", "app")),
            ("AWS", "arn:aws:iam::111122223333:role/team/app", ("role", "team/app")),
            ("AWS", "arn:aws:sts::111122223333:assumed-role/app/s1", ("session", "app/s1")),
            ("AWS", "arn:aws:sts::111122223333:federated-user/bob", ("federated user", "bob")),
            ("AWS", "AIDAQ3EGVEXAMPLE0123A", ("id", "")),
            ("AWS", "AROAQ3EGVEXAMPLE0123A", ("id", "")),
            ("Service", "lambda.amazonaws.com", ("service", "")),
            ("Service", "logs.eu-west-1.amazonaws.com", ("service", "")),
            ("Service", "ec2.amazonaws.com.cn", ("service", "")),
            ("Federated", "cognito-identity.amazonaws.com", ("federated", "")),
            ("Federated", "arn:aws:iam::111122223333:saml-provider/corp", ("federated", "")),
            ("Federated", "arn:aws:iam::111122223333:oidc-provider/ci.example.com/x", ("federated", "")),
            ("CanonicalUser", &hex, ("canonical", "")),
        ];
        for (kind, text, expected) in cases {
            let principal = Principal::parse(kind, text).expect(text);
            assert_eq!(shape(&principal), expected, "{text}");
            let again = Principal::parse(kind, &principal.to_string()).expect(text);
            assert_eq!(shape(&again), expected, "{text}");
        }
    }

    #[test]
    fn unsupported_forms() {
        let long = format!("arn:aws:iam::111122223333:role/{}", "x".repeat(65));
        for (kind, text) in [
            ("AWS", ""),
            ("AWS", "**"),
            ("AWS", "11112222333"),
            ("AWS", "1111222233334"),
            ("AWS", "arn:aws:iam::*:root"),
            ("AWS", "arn:aws:iam::1111:root"),
            ("AWS", "arn:aws:iam:us-east-1:111122223333:root"),
            ("AWS", "arn:gcp:iam::111122223333:root"),
            ("AWS", "arn:*:iam::111122223333:root"),
            ("AWS", "arn:aws:sts::111122223333:root"),
            ("AWS", "arn:aws:iam::111122223333:*"),
            ("AWS", "arn:aws:iam::111122223333:user"),
            ("AWS", "arn:aws:iam::111122223333:user/"),
            ("AWS", "arn:aws:iam::111122223333:user/*"),
            ("AWS", "arn:aws:iam::111122223333:role/team-*"),
            ("AWS", "arn:aws:iam::111122223333:role/team-*/app"),
            ("AWS", "arn:aws:iam::111122223333:role/team/"),
            ("AWS", "arn:aws:iam::111122223333:role/${aws:username}"),
            ("AWS", "arn:aws:iam::111122223333:group/admins"),
            ("AWS", "arn:aws:iam::111122223333:federated-user/bob"),
            ("AWS", "arn:aws:sts::111122223333:assumed-role/app"),
            ("AWS", "arn:aws:sts::111122223333:assumed-role/app/*"),
            ("AWS", "arn:aws:sts::111122223333:assumed-role/team/app/s1"),
            ("AWS", &long),
            ("AWS", "AIDA"),
            ("AWS", "AIDA*"),
            ("AWS", "AIDAQ3EGVEXAMPLE0123A:session"),
            ("AWS", "AGPAQ3EGVEXAMPLE0123A"),
            ("AWS", "alice"),
            ("AWS", "lambda.amazonaws.com"),
            ("Service", "*"),
            ("Service", "lambda"),
            ("Service", "*.amazonaws.com"),
            ("Service", ".amazonaws.com"),
            ("Service", "lambda.example.com"),
            ("Service", "Lambda.amazonaws.com"),
            ("Federated", "*"),
            ("Federated", "arn:aws:iam::111122223333:role/app"),
            ("Federated", "arn:aws:iam::111122223333:saml-provider/*"),
            ("CanonicalUser", "*"),
            ("CanonicalUser", "abc"),
        ] {
            let found = Principal::parse(kind, text);
            assert!(matches!(found, Err(Invalid::Principal(_))), "{kind} {text}: {found:?}");
        }
    }

    #[test]
    fn an_unknown_kind_is_a_fault_of_syntax() {
        for kind in ["aws", "", "Everyone", "AWS "] {
            assert!(matches!(Principal::parse(kind, "*"), Err(Invalid::Syntax(_))), "{kind}");
        }
    }
}
