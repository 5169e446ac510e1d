//! The organization: shown, changed by an operator, and made what the configuration says.

use super::Admin;
use super::answer::{Fault, Replied, ok};
use http::StatusCode;
use identity::organization::{self, Act, Declared, Done, Error};
use serde_json::{Value, json};
use service::audit::Encoded;
use std::collections::BTreeSet;

impl Admin {
    /// The organization, its policies, or one of them with its text.
    pub(super) async fn organization(&self, what: &[&str], query: &str) -> Replied {
        let mut txn = store::begin(&*self.front.backend);
        let parameters = wire::query::Parameters::parse(query.as_bytes());
        let shown = match (what, parameters.get("Policy")) {
            ([], _) => organization::show(&mut txn).await,
            (["policies"], None) => organization::policies(&mut txn).await,
            (["policies"], Some(called)) => organization::policy(&mut txn, called).await,
            _ => return Err(Fault::unknown()),
        };
        Ok(ok(&shown?))
    }

    /// Does `act`, and answers with the ids of what it made or changed.
    pub(super) async fn change_organization(&self, act: &Act) -> Replied {
        let front = &self.front;
        loop {
            let mut txn = store::begin(&*front.backend);
            let done =
                match organization::run(&mut txn, act, &*front.entropy, front.clock.now()).await {
                    Err(Error::Store(store::Error::Conflict { .. })) => continue,
                    done => done?,
                };
            let records = self.organization_record(act.name(), json!({ "act": act }), &done)?;
            if service::commit_recorded(txn, &records, &*front.trail).await? {
                tracing::info!(event = act.name(), "changed");
                return Ok(ok(&done.ids));
            }
        }
    }

    /// Makes the organization what the configuration declares, with a record if that changed anything.
    pub(crate) async fn configure_organization(
        &self,
        declared: Option<&Declared>,
    ) -> Result<(), Error> {
        let front = &self.front;
        if let Some(declared) = declared {
            self.warn_of_strangers(declared).await?;
        }
        loop {
            let mut txn = store::begin(&*front.backend);
            let (entropy, now) = (&*front.entropy, front.clock.now());
            let applied = organization::apply(&mut txn, declared, entropy, now).await;
            let (event, done) = match applied {
                Err(Error::Store(store::Error::Conflict { .. })) => continue,
                applied => match applied? {
                    Some(applied) => applied,
                    None => return Ok(()),
                },
            };
            let records = self.organization_record(event, json!({}), &done)?;
            if service::commit_recorded(txn, &records, &*front.trail).await? {
                tracing::info!(event, "changed");
                return Ok(());
            }
        }
    }

    /// Tells of accounts that the configuration names and nobody has made: a mistyped one would leave the one
    /// that was meant without its policies.
    async fn warn_of_strangers(&self, declared: &Declared) -> Result<(), store::Error> {
        let mut txn = store::begin(&*self.front.backend);
        let known = identity::list_accounts(&mut txn).await?;
        let known: BTreeSet<_> = known.iter().map(|it| &it.id).collect();
        let named: BTreeSet<_> = declared.accounts().collect();
        for account in named.difference(&known) {
            tracing::warn!(%account, "`[organization]` names an account that doesn't exist");
        }
        Ok(())
    }

    /// The audit record of `event`, to be committed along with it.
    fn organization_record(
        &self,
        event: &str,
        mut details: Value,
        done: &Done,
    ) -> Result<Vec<Encoded>, store::Error> {
        if let (Value::Object(details), Value::Object(ids)) = (&mut details, &done.ids) {
            details.extend(ids.clone());
        }
        Ok(vec![self.operator_record(&done.management, event, &details)?])
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let (status, hint) = match &error {
            Error::Store(_) => return Self::internal(service::chain(&error)),
            Error::Missing => (StatusCode::NOT_FOUND, "make one with `strongroom org create`"),
            Error::AccountUnknown(_) => {
                (StatusCode::NOT_FOUND, "`strongroom account list` shows them all")
            }
            Error::AccountOutside(_)
            | Error::NotAttached { .. }
            | Error::TargetUnknown(_)
            | Error::UnitUnknown(_) => {
                (StatusCode::NOT_FOUND, "`strongroom org show` shows it all")
            }
            Error::PolicyUnknown(_) => {
                (StatusCode::NOT_FOUND, "`strongroom org policy list` shows them all")
            }
            Error::AccountTwice(_)
            | Error::Attached { .. }
            | Error::AwsOwned(_)
            | Error::Configured
            | Error::Exists(_)
            | Error::InUse(_)
            | Error::LastPolicy(_)
            | Error::Management(_)
            | Error::NotEmpty(_)
            | Error::Other { .. }
            | Error::PolicyExists(_)
            | Error::TooMany { .. }
            | Error::TooManyAttached { .. }
            | Error::UnitExists(_) => (StatusCode::CONFLICT, "`strongroom org show` shows it all"),
            Error::Depth(_)
            | Error::Id(_)
            | Error::Loop(_)
            | Error::Malformed { .. }
            | Error::Name(_)
            | Error::TooLong { .. }
            | Error::WrongControl { .. } => (StatusCode::BAD_REQUEST, "nothing was changed"),
        };
        Self::new(status, error.to_string(), hint)
    }
}
