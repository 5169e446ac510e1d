//! What a statement speaks about: actions and resources, with wildcards.

use crate::Invalid;

/// An entry of `Action` or `NotAction`: `*`, or a service and a name such as
/// `secretsmanager:Get*`.
///
/// The service is literal; only the name may hold `*` (any run) and `?` (one character). Both
/// keep the case they were written in and match without regard to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ActionPattern {
    /// `*`: every action of every service.
    Any,
    /// The actions of one service whose name matches.
    Of {
        /// The service's signing prefix: `secretsmanager`, `kms`, …
        service: Box<str>,
        /// The name, with wildcards.
        name: Box<str>,
    },
}

impl ActionPattern {
    pub(crate) fn parse(text: &str) -> Result<Self, Invalid> {
        let invalid = || {
            Invalid::syntax("an action must be `*` or a service, a colon and a name").showing(text)
        };
        if text == "*" {
            return Ok(Self::Any);
        }
        let (service, name) = text.split_once(':').ok_or_else(invalid)?;
        let made_of = |part: &str, extra: &[u8]| {
            !part.is_empty()
                && part.bytes().all(|it| it.is_ascii_alphanumeric() || extra.contains(&it))
        };
        if made_of(service, b"-") && made_of(name, b"-_*?") {
            Ok(Self::Of { service: service.into(), name: name.into() })
        } else {
            Err(invalid())
        }
    }
}

/// An entry of `Resource` or `NotResource`: `*`, or an ARN with wildcards and variables.
///
/// In the policy of a secret, `*` is this secret. An ARN has six segments, or fewer and a
/// wildcard; its service holds no wildcard unless it is the last segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourcePattern(Box<str>);

impl ResourcePattern {
    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn parse(text: &str) -> Result<Self, Invalid> {
        let is_wild = |part: &str| part.contains(['*', '?']);
        let segments: Vec<&str> = text.splitn(6, ':').collect();
        let valid = match segments.as_slice() {
            ["*"] => true,
            ["arn", _, service, _, _, _] => !is_wild(service),
            ["arn", _, service, _, ..] => !is_wild(service) && is_wild(text),
            ["arn", _, ..] => is_wild(text),
            _ => false,
        };
        if valid {
            Ok(Self(text.into()))
        } else {
            Err(Invalid::syntax("a resource must be `*` or an ARN").showing(text))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions() {
        for (text, valid) in [
            ("*", true),
            ("secretsmanager:GetSecretValue", true),
            ("SecretsManager:getsecretvalue", true),
            ("secretsmanager:*", true),
            ("secretsmanager:Get*Val?e", true),
            ("execute-api:Invoke", true),
            ("", false),
            ("**", false),
            ("GetSecretValue", false),
            (":GetSecretValue", false),
            ("secretsmanager:", false),
            ("*:GetSecretValue", false),
            ("secrets*:GetSecretValue", false),
            ("secretsmanager:Get SecretValue", false),
            ("secretsmanager:Get:SecretValue", false),
            ("secretsmanager:${aws:username}", false),
            ("secretsmanager:Gét", false),
        ] {
            assert_eq!(ActionPattern::parse(text).is_ok(), valid, "{text}");
        }
    }

    #[test]
    fn resources() {
        for (text, valid) in [
            ("*", true),
            ("arn:aws:secretsmanager:us-east-1:111122223333:secret:app/db-??????", true),
            ("arn:aws:secretsmanager:*:*:secret:${aws:username}/*", true),
            ("arn:*:s3:::bucket/*", true),
            ("arn:aws:secretsmanager:*", true),
            ("arn:aws:*", true),
            ("arn:*", true),
            ("", false),
            ("**", false),
            ("secret", false),
            ("arn", false),
            ("arn:aws:secretsmanager:us-east-1", false),
            ("arn:aws:*:us-east-1:111122223333:secret:x", false),
            ("arn:aws:secrets*:us-east-1:*", false),
            ("ARN:aws:secretsmanager:*", false),
        ] {
            assert_eq!(ResourcePattern::parse(text).is_ok(), valid, "{text}");
        }
    }
}
