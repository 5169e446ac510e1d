//! Condition keys that follow from an operation's parameters; names come in lower case.
//!
//! Source: Service Authorization Reference, "Condition keys for AWS Identity and Access Management".

use policy::engine::Values;
use wire::members::Text;

/// `iam:PolicyARN`, of a call that attaches or detaches.
pub(crate) fn policy_arn<'a>(arn: Option<&'a Text>, key: &str) -> Option<Values<'a>> {
    arn.filter(|_| key == "iam:policyarn").map(|it| Values::one(it.as_str()))
}

/// `iam:PermissionsBoundary`, of a call that sets one.
pub(crate) fn boundary<'a>(arn: Option<&'a Text>, key: &str) -> Option<Values<'a>> {
    arn.filter(|_| key == "iam:permissionsboundary").map(|it| Values::one(it.as_str()))
}
