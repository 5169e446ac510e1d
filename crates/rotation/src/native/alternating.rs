//! Two users take turns: the one that applications use is never touched.

use super::{Attempt, CREATE, FINISH, SET, TEST};
use crate::trouble::{During, Trouble};
use rotators::{Credential, Dialect, Failure};

impl Attempt<'_> {
    /// Gives the user that isn't in use a new password and the rights of the one that is.
    pub(super) async fn alternate(&self) -> Result<(), Trouble> {
        let current = self.current()?;
        let name = alternate_name(&current.username, self.rotator.dialect())?;
        let pending = match self.pending()? {
            Some(pending) => pending,
            None => self.create(&current, &name).await?,
        };
        let same = pending.same_server(&current)
            && self.rotator.realm(&pending) == self.rotator.realm(&current);
        if pending.username != name || !same {
            let told = "the pending value is not for the other user of the same server".to_owned();
            return Err(Trouble::Server(SET, Failure::Invalid(told)));
        }
        if !(self.may_know() && self.has_taken(&pending).await?) {
            self.set(&current, &pending).await?;
        }
        self.finish().await?;
        self.check_old(&current).await;
        Ok(())
    }

    async fn set(&self, current: &Credential, pending: &Credential) -> Result<(), Trouble> {
        // Whoever can't log in must not be given a second user with its rights.
        match self.connect(current).await {
            Ok(session) => session.close().await,
            Err(Failure::Denied(told)) => {
                let advice =
                    "the current value doesn't log in; put one that does with PutSecretValue";
                return Err(Trouble::Lost(SET, format!("{told}: {advice}")));
            }
            Err(failure) => return Err(Trouble::Server(SET, failure)),
        }
        let mut master = self.master(current).await?;
        self.set_out(pending).await?;
        let (like, user) = (&current.username, &pending.username);
        master.mirror(like, user, &pending.password).await.during(SET)?;
        self.prove_soon(pending).await.during(TEST)?.close().await;
        master.close().await;
        Ok(())
    }

    /// Applications that have the old value still must get in with it.
    async fn check_old(&self, old: &Credential) {
        match self.prove(old).await {
            Ok(session) => session.close().await,
            Err(failure) => {
                let (secret, step, told) = (&self.of.arn, FINISH, failure.to_string());
                tracing::warn!(secret, step, told, "the user before no longer gets in");
            }
        }
    }
}

/// `app` and `app_clone` are each other's alternates.
pub(crate) fn alternate_name(name: &str, dialect: &Dialect) -> Result<String, Trouble> {
    let other = match name.strip_suffix(dialect.suffix).filter(|it| !it.is_empty()) {
        Some(original) => original.to_owned(),
        None => format!("{name}{}", dialect.suffix),
    };
    if other.len() <= dialect.longest_name {
        return Ok(other);
    }
    let told =
        format!("`{other}` is longer than the {} bytes of a user's name", dialect.longest_name);
    Err(Trouble::Server(CREATE, Failure::Invalid(told)))
}
