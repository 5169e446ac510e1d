//! What a session does, by the server's maker.

use super::link::Link;
use super::quote::usable;
use super::server::Maker;
use super::{accounts, lease, mirror, passwords, plan, shown};
use crate::{Failure, Finding, Lease, Protection, Session, mariadb};
use async_trait::async_trait;
use base::Sensitive;

#[async_trait]
impl Session for Link {
    fn protection(&self) -> Protection {
        self.protection.clone()
    }

    async fn test(&mut self) -> Result<(), Failure> {
        self.ask::<String>("SELECT CAST(NOW() AS CHAR)", ()).await.map(drop)
    }

    async fn change_own(&mut self, from: &Sensitive, to: &Sensitive) -> Result<(), Failure> {
        match self.server.maker {
            Maker::MariaDb => mariadb::change_own(self, shown(to)?).await,
            Maker::MySql => passwords::change_own(self, from, to).await,
        }
    }

    async fn change(
        &mut self,
        user: &str,
        to: &Sensitive,
        keep: Option<&Sensitive>,
    ) -> Result<(), Failure> {
        usable(user, self.server.longest_name())?;
        self.alone(user, async |link| {
            let account = accounts::the(link, user).await?;
            match link.server.maker {
                Maker::MariaDb => {
                    let keep = keep.map(shown).transpose()?;
                    mariadb::change(link, &account, shown(to)?, keep).await
                }
                Maker::MySql => passwords::change(link, &account, to, keep).await,
            }
        })
        .await
    }

    async fn mirror(
        &mut self,
        like: &str,
        user: &str,
        password: &Sensitive,
    ) -> Result<(), Failure> {
        usable(user, self.server.longest_name())?;
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
        usable(lease.user, self.server.longest_name())?;
        self.alone(lease.user, async |link| lease::grant(link, lease).await).await
    }

    async fn revoke(&mut self, lease: &Lease<'_>) -> Result<(), Failure> {
        self.alone(lease.user, async |link| lease::revoke(link, lease).await).await
    }

    async fn disconnect(&mut self, user: &str) -> Result<(), Failure> {
        lease::disconnect(self, user).await
    }

    async fn close(self: Box<Self>) {
        Link::close(*self).await;
    }
}
