//! What a session does. Each statement on a user stands for itself: nothing of it is undone together.

use super::accounts::{Account, disconnect};
use super::link::{Admits, Ask, Link};
use super::quote::{kept, password, quoted, secret};
use super::{lease, mirror, plan};
use crate::{Failure, Finding, Lease, Protection, Session};
use async_trait::async_trait;
use base::Sensitive;

#[async_trait]
impl Session for Link {
    fn protection(&self) -> Protection {
        self.protection.clone()
    }

    async fn test(&mut self) -> Result<(), Failure> {
        self.ask("SELECT TO_CHAR(SYSDATE) FROM dual", &[]).await.map(drop)
    }

    async fn change_own(&mut self, from: &Sensitive, to: &Sensitive) -> Result<(), Failure> {
        let me = self.me.clone();
        change_own(self, &me, from, to).await
    }

    async fn change(
        &mut self,
        user: &str,
        to: &Sensitive,
        keep: Option<&Sensitive>,
    ) -> Result<(), Failure> {
        let user = kept(user)?;
        password(to)?;
        let account = Account::the(self, &user).await?;
        account.admit(self, to, keep.is_some()).await
    }

    async fn mirror(
        &mut self,
        like: &str,
        user: &str,
        password: &Sensitive,
    ) -> Result<(), Failure> {
        mirror::mirror(self, &kept(like)?, &kept(user)?, password).await
    }

    async fn foresee(
        &mut self,
        user: Option<&str>,
        like: Option<&str>,
    ) -> Result<Vec<Finding>, Failure> {
        plan::foresee(self, user, like).await
    }

    async fn grant(&mut self, lease: &Lease<'_>) -> Result<(), Failure> {
        lease::grant(self, lease).await
    }

    async fn revoke(&mut self, lease: &Lease<'_>) -> Result<(), Failure> {
        lease::revoke(self, lease).await
    }

    async fn disconnect(&mut self, user: &str) -> Result<(), Failure> {
        disconnect(self, &kept(user)?).await
    }

    async fn close(self: Box<Self>) {
        Link::close(*self).await;
    }
}

/// Gives `me`, who is logged in, the password `to` in place of `from`.
pub(super) async fn change_own(
    link: &mut dyn Ask,
    me: &str,
    from: &Sensitive,
    to: &Sensitive,
) -> Result<(), Failure> {
    /// The old password isn't that one.
    const NOT_THE_OLD: usize = 28_008;
    let (old, new) = (password(from)?, password(to)?);
    let head = format!("ALTER USER {} IDENTIFIED BY ", quoted(me));
    match link.act(&secret(&[&head, &new, " REPLACE ", &old])).await? {
        Err((Some(NOT_THE_OLD), failure)) => {
            // Somebody else was first with the same, or nobody was.
            if link.admits(me, to).await? == Admits::Yes { Ok(()) } else { Err(failure) }
        }
        done => done.map_err(|it| it.1),
    }
}
