//! One user gets another password.

use super::{Attempt, BETWEEN, FINISH, MOST, SET, TEST};
use crate::trouble::{During, Trouble};
use rotators::{Credential, Failure, Session};
use secrets::rotation::work::{self, Values};
use tokio::time::{Instant, sleep};

/// Who changes the password.
enum Hand {
    /// The user itself, on a connection that the old password has opened.
    Own(Box<dyn Session>),
    /// An administrator.
    Master(Box<dyn Session>),
}

impl Attempt<'_> {
    /// Gives the secret's user another password.
    pub(super) async fn rotate_one(&self) -> Result<(), Trouble> {
        let current = self.current()?;
        let pending = self.pending()?;
        if let Some(pending) = &pending {
            self.check_same(&current, pending)?;
            if self.may_know() && self.has_taken(pending).await? {
                return self.finish().await;
            }
        }
        let mut hand = self.hand(&current).await?;
        let pending = match pending {
            Some(pending) => pending,
            None => self.create(&current, &current.username).await?,
        };
        self.check_same(&current, &pending)?;
        self.set_out(&pending).await?;

        // From the next line on the current value may not log in.
        let (shut, begun) = (self.ground.barrier.shut(&self.of.arn), Instant::now());
        let done = self.apply(&mut hand, &current, &pending).await;
        if let Err(trouble) = done {
            let undone = self.undo(hand, &current, &pending).await;
            return Err(if undone { Trouble::Undone(Box::new(trouble)) } else { trouble });
        }
        let discards = self.discards(&hand, &current);
        let finished = work::finish(self.ground.work(), self.of, discards).await;
        During::<()>::during(finished, FINISH)?;
        drop(shut);
        self.ground.tally.changed(begun.elapsed());
        hand.close().await;
        Ok(())
    }

    /// Who can change the password: an administrator where that leaves the old one valid, else the user itself,
    /// by the current password or one that the server may have instead; an administrator if none is the server's.
    async fn hand(&self, current: &Credential) -> Result<Hand, Trouble> {
        let dialect = self.rotator.dialect();
        if current.master.is_some() && (dialect.overlaps || !dialect.changes_own) {
            return self.master(current).await.map(Hand::Master);
        }
        let mut told = match self.connect(current).await {
            Ok(session) => return Ok(Hand::Own(session)),
            Err(Failure::Denied(told)) => told,
            Err(failure) => return Err(Trouble::Server(SET, failure)),
        };
        let Values { previous, pinned, .. } = &self.values;
        let older = previous.iter().chain(pinned.iter().rev());
        let older = older.filter_map(|it| Credential::parse(it).ok());
        let older = older.filter(|it| self.rotator.is_same(it, current)).collect();
        let (older, more) = self.turn_of(older, MOST - 1);
        for login in older {
            match self.connect(&login).await {
                Ok(session) => return Ok(Hand::Own(session)),
                Err(Failure::Denied(further)) => told = further,
                Err(failure) => return Err(Trouble::Server(SET, failure)),
            }
        }
        if current.master.is_some() {
            return self.master(current).await.map(Hand::Master);
        }
        if more {
            return Err(Trouble::Server(SET, Failure::Denied(told)));
        }
        let advice = "none of the kept passwords is the server's; put the right one with PutSecretValue, or name an administrator's secret in `masterarn`";
        Err(Trouble::Lost(SET, format!("{told}: {advice}")))
    }

    /// Changes the password, and proves that it has changed.
    async fn apply(
        &self,
        hand: &mut Hand,
        current: &Credential,
        pending: &Credential,
    ) -> Result<(), Trouble> {
        hand.change(current, pending).await.during(SET)?;
        self.prove_soon(pending).await.during(TEST)?.close().await;
        Ok(())
    }

    /// Gives the user the current password again, as far as the connection still lets it; if it can't be done,
    /// the next attempt asks the server. Whether it could.
    async fn undo(&self, mut hand: Hand, current: &Credential, pending: &Credential) -> bool {
        let undone = hand.change(pending, current).await;
        match &undone {
            Ok(()) => tracing::info!(secret = self.of.arn, "the password was changed back"),
            Err(failure) => {
                let told = failure.to_string();
                tracing::warn!(secret = self.of.arn, told, "the password couldn't be changed back");
            }
        }
        hand.close().await;
        sleep(BETWEEN).await;
        undone.is_ok()
    }

    /// A rotation gives one user of one server a password: it is not led to another.
    fn check_same(&self, current: &Credential, pending: &Credential) -> Result<(), Trouble> {
        if self.rotator.is_same(pending, current) {
            return Ok(());
        }
        let told = "the pending value is for another user or server than the current one";
        Err(Trouble::Server(SET, Failure::Invalid(told.to_owned())))
    }

    /// Whether the password before the current one has gone: where two are valid, the third pushes out the first.
    fn discards(&self, hand: &Hand, current: &Credential) -> bool {
        let overlaps = matches!(hand, Hand::Master(_)) && self.rotator.dialect().overlaps;
        let previous = self.values.previous.as_ref().and_then(|it| Credential::parse(it).ok());
        overlaps && previous.is_some_and(|it| self.rotator.is_same(&it, current))
    }
}

impl Hand {
    async fn change(&mut self, from: &Credential, to: &Credential) -> Result<(), Failure> {
        match self {
            Self::Own(session) => session.change_own(&from.password, &to.password).await,
            Self::Master(session) => {
                session.change(&to.username, &to.password, Some(&from.password)).await
            }
        }
    }

    async fn close(self) {
        match self {
            Self::Own(session) | Self::Master(session) => session.close().await,
        }
    }
}
