//! What a service does for an account without a request, by a rule that the account has stored.

use crate::audit::{self, Event};
use crate::call::Proof;
use crate::{Access, Call, Caller, Kind, Ports, Source, execute};
use base::{AccountId, Entropy, Region, Timestamp, Uuid};
use envelope::Keyring;
use store::Txn;

/// Work that falls due for an account: a rotation.
///
/// The policies are asked as if the account's root user asked, through the service: a key whose policy shuts
/// the account out stays shut.
pub struct Errand {
    caller: Caller,
    access: Access,
    source: Source,
    region: Region,
}

impl Errand {
    /// An errand of `service`, such as `secretsmanager.amazonaws.com`, for `account` in `region`.
    pub fn new(account: &AccountId, region: &Region, service: &'static str) -> Self {
        let partition = base::Partition::of(region);
        let caller = Caller {
            account: account.clone(),
            arn: format!("arn:{partition}:iam::{account}:root"),
            principal_id: account.to_string(),
            user_name: String::new(),
            access_key_id: String::new(),
            kind: Kind::Root,
            session: None,
        };
        let (address, user_agent) = (service.to_owned(), service.to_owned());
        let source = Source { address, user_agent, ..Source::default() };
        Self { caller, access: Access::default(), source, region: region.clone() }
    }

    /// The errand's call at an instant, under a request id of its own.
    pub fn call<'a>(
        &'a self,
        when: (Timestamp, Uuid),
        tools: (&'a dyn Entropy, &'a Keyring),
    ) -> Call<'a> {
        let who = (&self.caller, &self.access);
        Call::new(Proof::of_stored_rule(), who, (&self.region, &self.source), when, tools)
    }

    /// Commits `txn` with the records of `events` and of what `call` has noted; `false` if somebody has changed
    /// what it has read.
    ///
    /// # Errors
    ///
    /// The store's.
    pub async fn commit(
        call: &Call<'_>,
        txn: Txn<'_>,
        events: &[Event],
        ports: Ports<'_>,
    ) -> Result<bool, store::Error> {
        let noted = call.take_notes();
        let records = events.iter().chain(&noted).map(|it| audit::of_event(call, it));
        let records: Option<Vec<_>> = records.collect();
        let records = records.ok_or_else(|| store::Error::Unavailable("no audit record".into()))?;
        execute::commit_recorded(txn, &records, ports.trail).await
    }
}

impl std::fmt::Debug for Errand {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Errand").field("account", &self.caller.account).finish_non_exhaustive()
    }
}
