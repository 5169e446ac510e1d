//! Issuers that many organizations share: a role must say whose tokens of theirs it trusts.
//!
//! Without it a trust policy would let in everybody who has an account there.
//! Source: IAM User Guide, "Identity-provider controls for shared OIDC providers".

use crate::iam::Error;
use policy::{
    ActionPattern, Comparison, Condition, Document, Effect, Principal, Quantifier, Statement,
};

/// Issuers by name, and the claim that tells the organization.
const SHARED: &[(&str, &str)] = &[
    ("agent.buildkite.com", "sub"),
    ("api.pulumi.com/oidc", "aud"),
    ("app.terraform.io", "sub"),
    ("gitlab.com", "sub"),
    ("oidc-configuration.audit-log.githubusercontent.com", "sub"),
    ("oidc.codefresh.io", "sub"),
    ("oidc.vercel.com", "aud"),
    ("proidc.upbound.io", "sub"),
    ("sandboxes.cloud", "aud"),
    ("scalr.io", "sub"),
    ("studio.datachain.ai/api", "sub"),
    ("token.actions.githubusercontent.com", "sub"),
    ("tokens.cloud.shisho.dev", "sub"),
    ("vstoken.actions.githubusercontent.com", "sub"),
];

/// That each statement which trusts a shared issuer tells whom of all its users.
///
/// # Errors
///
/// [`Error::Unpinned`], with the condition key that is missing.
pub(crate) fn pinned(trust: &Document) -> Result<(), Error> {
    for statement in trust.statements().iter().filter(|it| lets_tokens_in(it)) {
        for (name, claim) in statement.principals.listed().iter().filter_map(shared) {
            let key = format!("{name}:{claim}");
            if !statement.conditions.iter().any(|it| tells(it, &key)) {
                return Err(Error::Unpinned(key));
            }
        }
    }
    Ok(())
}

fn lets_tokens_in(statement: &Statement) -> bool {
    let is_meant = |action: &ActionPattern| match action {
        ActionPattern::Any => true,
        ActionPattern::Of { service, name } => {
            // With a wildcard it is at least possible.
            service.eq_ignore_ascii_case("sts")
                && (name.contains(['*', '?'])
                    || name.eq_ignore_ascii_case("AssumeRoleWithWebIdentity"))
        }
    };
    statement.effect == Effect::Allow && statement.actions.listed().iter().any(is_meant)
}

fn shared(principal: &Principal) -> Option<&'static (&'static str, &'static str)> {
    let Principal::Federated(arn) = principal else { return None };
    let (_, name) = arn.split_once(":oidc-provider/")?;
    SHARED.iter().find(|it| it.0.eq_ignore_ascii_case(name.trim_end_matches('/')))
}

/// Whether `condition` holds only for some values of `key`, and for none if there is none.
fn tells(condition: &Condition, key: &str) -> bool {
    let operator = condition.operator;
    let always = operator.if_exists || operator.quantifier == Some(Quantifier::All);
    let narrow = match operator.comparison {
        Comparison::StringEquals | Comparison::StringEqualsIgnoreCase => true,
        Comparison::StringLike => {
            !condition.values.iter().any(|it| it.bytes().all(|it| matches!(it, b'*' | b'?')))
        }
        _ => false,
    };
    narrow && !always && condition.key.eq_ignore_ascii_case(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(principal: &str, action: &str, condition: &str) -> Option<String> {
        let text = format!(
            r#"{{"Statement":{{"Effect":"Allow","Principal":{{"Federated":"arn:aws:iam::111122223333:oidc-provider/{principal}"}},"Action":"{action}","Condition":{{{condition}}}}}}}"#
        );
        let document = Document::parse(&text).expect(&text);
        pinned(&document).err().map(|it| it.to_string())
    }

    #[test]
    fn whoever_is_shared_must_be_told_apart() {
        const WEB: &str = "sts:AssumeRoleWithWebIdentity";
        const GITHUB: &str = "token.actions.githubusercontent.com";
        let aud =
            r#""StringEquals":{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com"}"#;
        let sub = |operator: &str, value: &str| {
            format!(r#""{operator}":{{"token.actions.githubusercontent.com:sub":"{value}"}}"#)
        };
        for (principal, action, condition, expected) in [
            (GITHUB, WEB, aud, false),
            (GITHUB, WEB, "", false),
            (GITHUB, "sts:*", "", false),
            (GITHUB, "sts:TagSession", "", true),
            (GITHUB, WEB, &sub("StringEquals", "repo:a/b:ref:refs/heads/main"), true),
            (GITHUB, WEB, &sub("StringLike", "repo:a/*"), true),
            (GITHUB, WEB, &sub("ForAnyValue:StringLike", "repo:a/*"), true),
            (GITHUB, WEB, &sub("StringLike", "*"), false),
            (GITHUB, WEB, &sub("StringLikeIfExists", "repo:a/*"), false),
            (GITHUB, WEB, &sub("ForAllValues:StringLike", "repo:a/*"), false),
            (GITHUB, WEB, &sub("StringNotEquals", "repo:a/b"), false),
            (GITHUB, WEB, &sub("Null", "false"), false),
            ("gitlab.com", WEB, r#""StringLike":{"GitLab.com:SUB":"project_path:a/*"}"#, true),
            ("gitlab.com", WEB, "", false),
            ("app.terraform.io", WEB, "", false),
            ("gitlab.example.org", WEB, "", true), // whose own it is
        ] {
            let found = refused(principal, action, condition);
            assert_eq!(found.is_none(), expected, "{principal} {action} {condition}: {found:?}");
        }
    }
}
