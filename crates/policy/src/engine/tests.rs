//! What the tests of this folder share.

use super::request::Asked;
use super::{Caller, CallerKind, MapContext, Request};
use base::AccountId;

/// A question by alice, to be changed where a test needs another one.
pub(super) struct Question {
    account: AccountId,
    pub(super) context: MapContext,
}

impl Default for Question {
    fn default() -> Self {
        let account = "111122223333".parse().expect("valid");
        Self { account, context: MapContext::new() }
    }
}

impl Question {
    /// Hands the question to `look`.
    pub(super) fn ask<T>(&self, look: impl FnOnce(&Asked<'_>) -> T) -> T {
        let request = Request {
            caller: Caller {
                account: &self.account,
                arn: "arn:aws:iam::111122223333:user/alice",
                kind: CallerKind::User { id: "AIDAQ3EGVEXAMPLEALICE" },
            },
            action: "secretsmanager:GetSecretValue",
            resource: Some("arn:aws:secretsmanager:us-east-1:111122223333:secret:app/db-a1b2c3"),
            resource_account: &self.account,
            context: &self.context,
        };
        look(&Asked::new(&request, false))
    }
}
