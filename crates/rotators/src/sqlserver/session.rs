//! What a session does.

use super::accounts::{Account, kind};
use super::link::Link;
use super::quote::{name, secret, text, usable};
use super::{lease, mirror, plan, shown};
use crate::{Failure, Finding, Lease, Protection, Session};
use async_trait::async_trait;
use base::Sensitive;

/// What is said of an old password that isn't it: as if there were no such login, or in so many words.
const NOT_THE_OLD: [u32; 2] = [15_151, 15_211];

#[async_trait]
impl Session for Link {
    fn protection(&self) -> Protection {
        self.protection.clone()
    }

    async fn test(&mut self) -> Result<(), Failure> {
        self.run("SELECT @@VERSION").await
    }

    async fn change_own(&mut self, from: &Sensitive, to: &Sensitive) -> Result<(), Failure> {
        let (old, new) = (text(shown(from)?), text(shown(to)?));
        let head = format!("ALTER {} {} WITH PASSWORD = ", kind(self.contained), name(&self.me));
        let statement = secret(&[&head, &new, " OLD_PASSWORD = ", &old]);
        match self.try_secret(&statement).await? {
            Err((Some(code), failure)) if NOT_THE_OLD.contains(&code) => {
                // Somebody else was first with the same, or nobody was.
                let me = self.me.clone();
                if self.admits(&me, to).await? { Ok(()) } else { Err(failure) }
            }
            done => done.map_err(|it| it.1),
        }
    }

    async fn change(
        &mut self,
        user: &str,
        to: &Sensitive,
        _keep: Option<&Sensitive>,
    ) -> Result<(), Failure> {
        usable(user)?;
        shown(to)?;
        let account = Account::the(self, user).await?;
        account.admit(self, to).await
    }

    async fn mirror(
        &mut self,
        like: &str,
        user: &str,
        password: &Sensitive,
    ) -> Result<(), Failure> {
        usable(user)?;
        self.alone(user, async |link| mirror::mirror(link, like, user, password).await).await
    }

    async fn foresee(
        &mut self,
        user: Option<&str>,
        like: Option<&str>,
    ) -> Result<Vec<Finding>, Failure> {
        plan::foresee(self, user, like).await
    }

    async fn grant(&mut self, lease: &Lease<'_>) -> Result<(), Failure> {
        usable(lease.user)?;
        self.alone(lease.user, async |link| lease::grant(link, lease).await).await
    }

    async fn revoke(&mut self, lease: &Lease<'_>) -> Result<(), Failure> {
        usable(lease.user)?;
        self.alone(lease.user, async |link| lease::revoke(link, lease).await).await
    }

    async fn disconnect(&mut self, user: &str) -> Result<(), Failure> {
        usable(user)?;
        lease::disconnect(self, user).await
    }

    async fn close(self: Box<Self>) {
        Link::close(*self).await;
    }
}
