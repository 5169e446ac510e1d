//! Finds out which password a server has, and gives it that of the current version. Source: rotation.md §1.10.

use super::{Attempt, BETWEEN, MOST, SET, TEST};
use crate::trouble::{During, Trouble};
use rotators::{Credential, Failure};
use secrets::rotation::work::Values;
use tokio::time::sleep;

impl Attempt<'_> {
    /// A client has put a value while the server may have heard of another: the client's is made to work.
    pub(super) async fn reconcile(&self) -> Result<(), Trouble> {
        let current = match &self.values.current {
            // The rotation's own version has been made current by hand.
            None => {
                let made = self.values.pending.as_ref().ok_or(Trouble::Gone)?;
                Credential::parse(made).during(TEST)?
            }
            Some(_) => self.current()?,
        };
        match self.prove(&current).await {
            Ok(session) => session.close().await,
            Err(Failure::Denied(told)) => self.repair(&current, &told).await?,
            Err(failure) => return Err(Trouble::Server(TEST, failure)),
        }
        self.finish().await
    }

    /// Logs in with a password that the server may have instead, and changes it to that of `current`.
    async fn repair(&self, current: &Credential, told: &str) -> Result<(), Trouble> {
        let Values { pending, previous, pinned, .. } = &self.values;
        let candidates = pending.iter().chain(previous).chain(pinned.iter().rev());
        let candidates = candidates.filter_map(|it| Credential::parse(it).ok());
        let own = |it: &Credential| {
            self.rotator.is_same(it, current) && !it.password.same_as(&current.password)
        };
        // Where nobody changes its own password, knowing it is of no use.
        let by_master = current.master.is_some() && !self.rotator.dialect().changes_own;
        let own = candidates.filter(|it| !by_master && own(it)).collect();
        let (own, more) = self.turn_of(own, MOST);
        for login in own {
            sleep(BETWEEN).await;
            match self.connect(&login).await {
                Ok(mut session) => {
                    self.set_out(current).await?;
                    session.change_own(&login.password, &current.password).await.during(SET)?;
                    session.close().await;
                    return self.check(current).await;
                }
                Err(Failure::Denied(_)) => (),
                Err(failure) => return Err(Trouble::Server(SET, failure)),
            }
        }
        if current.master.is_none() && more {
            return Err(Trouble::Server(SET, Failure::Denied(told.to_owned())));
        }
        if current.master.is_none() {
            let advice = "none of the kept passwords is the server's; set it there by hand, or name an administrator's secret in `masterarn`";
            return Err(Trouble::Lost(SET, format!("{told}: {advice}")));
        }
        let mut master = self.master(current).await?;
        self.set_out(current).await?;
        master.change(&current.username, &current.password, None).await.during(SET)?;
        master.close().await;
        self.check(current).await
    }

    async fn check(&self, current: &Credential) -> Result<(), Trouble> {
        self.prove_soon(current).await.during(TEST)?.close().await;
        Ok(())
    }
}
