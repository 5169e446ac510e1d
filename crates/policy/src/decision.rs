//! How a denial is worded.

/// Why a request is denied, as far as the caller is told: the kind of policy, never which one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A policy of this kind denies it.
    Explicit(PolicyKind),
    /// No policy of this kind allows it.
    Implicit(PolicyKind),
}

/// Where a policy is attached, and so what it can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PolicyKind {
    /// At the door of a private network.
    Endpoint,
    /// With the user, the role or a group.
    Identity,
    /// A cap on a user or role.
    PermissionsBoundary,
    /// With the resource.
    Resource,
    /// A cap on an organization's resources.
    ResourceControl,
    /// With a role: who may assume it.
    RoleTrust,
    /// A cap on an organization's accounts.
    ServiceControl,
    /// A cap handed over when a session began.
    Session,
}

impl PolicyKind {
    /// The name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Endpoint => "VPC endpoint policy",
            Self::Identity => "identity-based policy",
            Self::PermissionsBoundary => "permissions boundary",
            Self::Resource => "resource-based policy",
            Self::ResourceControl => "resource control policy",
            Self::RoleTrust => "role trust policy",
            Self::ServiceControl => "service control policy",
            Self::Session => "session policy",
        }
    }

    /// The article before the name: a role has only one trust policy.
    fn article(self) -> &'static str {
        match self {
            Self::Identity => "an",
            Self::RoleTrust => "the",
            Self::Endpoint
            | Self::PermissionsBoundary
            | Self::Resource
            | Self::ResourceControl
            | Self::ServiceControl
            | Self::Session => "a",
        }
    }
}

/// The message of an access-denied answer.
///
/// `action` is `service:Name`; without `resource` that part is left out, as for actions that have
/// none. No full stop at the end. A role that can't be assumed comes without reason, and for a web
/// identity without the names of caller and role.
///
/// Source: IAM User Guide, "Troubleshoot access denied error messages".
pub fn denial_text(
    caller_arn: &str,
    action: &str,
    resource: Option<&str>,
    reason: Reason,
) -> String {
    if matches!(action, "sts:AssumeRoleWithSAML" | "sts:AssumeRoleWithWebIdentity") {
        return format!("Not authorized to perform {action}");
    }
    let on = resource.map(|it| format!(" on resource: {it}")).unwrap_or_default();
    let because = match reason {
        _ if action == "sts:AssumeRole" => String::new(),
        Reason::Explicit(kind) => {
            format!(" with an explicit deny in {} {}", kind.article(), kind.name())
        }
        Reason::Implicit(kind) => format!(" because no {} allows the {action} action", kind.name()),
    };
    format!("User: {caller_arn} is not authorized to perform: {action}{on}{because}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: &str = "arn:aws:iam::111122223333:user/alice";
    const SECRET: &str = "arn:aws:secretsmanager:us-east-1:111122223333:secret:app/db-a1b2c3";

    #[test]
    fn each_reason_as_it_is_worded() {
        use PolicyKind as Kind;
        use Reason::{Explicit, Implicit};
        #[rustfmt::skip]
        let cases = [
            (Implicit(Kind::Identity), "because no identity-based policy allows the secretsmanager:GetSecretValue action"),
            (Implicit(Kind::Resource), "because no resource-based policy allows the secretsmanager:GetSecretValue action"),
            (Implicit(Kind::PermissionsBoundary), "because no permissions boundary allows the secretsmanager:GetSecretValue action"),
            (Implicit(Kind::Session), "because no session policy allows the secretsmanager:GetSecretValue action"),
            (Implicit(Kind::ServiceControl), "because no service control policy allows the secretsmanager:GetSecretValue action"),
            (Implicit(Kind::ResourceControl), "because no resource control policy allows the secretsmanager:GetSecretValue action"),
            (Implicit(Kind::Endpoint), "because no VPC endpoint policy allows the secretsmanager:GetSecretValue action"),
            (Implicit(Kind::RoleTrust), "because no role trust policy allows the secretsmanager:GetSecretValue action"),
            (Explicit(Kind::Identity), "with an explicit deny in an identity-based policy"),
            (Explicit(Kind::Resource), "with an explicit deny in a resource-based policy"),
            (Explicit(Kind::PermissionsBoundary), "with an explicit deny in a permissions boundary"),
            (Explicit(Kind::Session), "with an explicit deny in a session policy"),
            (Explicit(Kind::ServiceControl), "with an explicit deny in a service control policy"),
            (Explicit(Kind::ResourceControl), "with an explicit deny in a resource control policy"),
            (Explicit(Kind::Endpoint), "with an explicit deny in a VPC endpoint policy"),
            (Explicit(Kind::RoleTrust), "with an explicit deny in the role trust policy"),
        ];
        for (reason, end) in cases {
            let text = denial_text(ALICE, "secretsmanager:GetSecretValue", Some(SECRET), reason);
            let start = "User: arn:aws:iam::111122223333:user/alice is not authorized to perform: \
                         secretsmanager:GetSecretValue on resource: arn:aws:secretsmanager:\
                         us-east-1:111122223333:secret:app/db-a1b2c3";
            assert_eq!(text, format!("{start} {end}"));
        }
    }

    #[test]
    fn whole_messages() {
        let session = "arn:aws:sts::111122223333:assumed-role/app/s1";
        let identity = Reason::Implicit(PolicyKind::Identity);
        assert_eq!(
            denial_text(session, "secretsmanager:ListSecrets", None, identity),
            "User: arn:aws:sts::111122223333:assumed-role/app/s1 is not authorized to perform: \
             secretsmanager:ListSecrets because no identity-based policy allows the \
             secretsmanager:ListSecrets action"
        );
        assert_eq!(
            denial_text(ALICE, "secretsmanager:GetSecretValue", Some("settings"), identity),
            "User: arn:aws:iam::111122223333:user/alice is not authorized to perform: \
             secretsmanager:GetSecretValue on resource: settings because no identity-based policy \
             allows the secretsmanager:GetSecretValue action"
        );
    }
    #[test]
    fn a_role_that_cannot_be_assumed() {
        let role = "arn:aws:iam::111122223333:role/app";
        for (action, expected) in [
            (
                "sts:AssumeRole",
                "User: arn:aws:iam::111122223333:user/alice is not authorized to perform: \
                 sts:AssumeRole on resource: arn:aws:iam::111122223333:role/app",
            ),
            (
                "sts:TagSession",
                "User: arn:aws:iam::111122223333:user/alice is not authorized to perform: \
                 sts:TagSession on resource: arn:aws:iam::111122223333:role/app because no role \
                 trust policy allows the sts:TagSession action",
            ),
            (
                "sts:AssumeRoleWithWebIdentity",
                "Not authorized to perform sts:AssumeRoleWithWebIdentity",
            ),
        ] {
            let reason = Reason::Implicit(PolicyKind::RoleTrust);
            assert_eq!(denial_text(ALICE, action, Some(role), reason), expected);
        }
    }
}
