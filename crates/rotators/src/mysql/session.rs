//! What a session does, by the server's maker.

use super::link::Link;
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
        let account = accounts::the(self, user).await?;
        match self.server.maker {
            Maker::MariaDb => {
                let keep = keep.map(shown).transpose()?;
                mariadb::change(self, &account, shown(to)?, keep).await
            }
            Maker::MySql => passwords::change(self, &account, to, keep).await,
        }
    }

    async fn mirror(
        &mut self,
        like: &str,
        user: &str,
        password: &Sensitive,
    ) -> Result<(), Failure> {
        mirror::mirror(self, like, user, password).await
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
        lease::disconnect(self, user).await
    }

    async fn close(self: Box<Self>) {
        Link::close(*self).await;
    }
}
