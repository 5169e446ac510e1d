//! What a session does. Whatever changes a user goes through a second connection, to `rdsadmin`.

use super::link::Link;
use super::{DIALECT, RDSADMIN, alternate, check_name};
use crate::{Credential, Failure, Finding, Lease, Protection, Session, Trust};
use async_trait::async_trait;
use base::Sensitive;

/// A session of Db2.
pub(super) struct Open {
    /// To the database that the secret names.
    pub(super) own: Link,
    /// To `rdsadmin`, once it was needed.
    rdsadmin: Option<Link>,
    login: Credential,
    trust: Trust,
}

/// What changes a password.
pub(super) const CHANGE: &str = "CALL rdsadmin.change_password(?, ?)";

impl Open {
    /// Logs in.
    pub(super) async fn begin(login: &Credential, trust: &Trust) -> Result<Self, Failure> {
        check_name(&login.username)?;
        let none = || Failure::Invalid("the secret's value has no `dbname`".to_owned());
        let database = login.database.as_deref().ok_or_else(none)?;
        let usual = |it: u8| it.is_ascii_alphanumeric() || matches!(it, b'_' | b'#' | b'$' | b'@');
        if database.len() > 18 || !database.bytes().all(usual) {
            return Err(Failure::Invalid("`dbname` can't be a database of Db2".to_owned()));
        }
        let own = Link::open(login, database, trust, DIALECT.port).await?;
        // The administrator's password is needed again, for the other database.
        let login = Credential::parse(&login.with_login(&login.username, &login.password)?)?;
        Ok(Self { own, rdsadmin: None, login, trust: trust.clone() })
    }

    /// The connection to `rdsadmin`.
    pub(super) async fn rdsadmin(&mut self) -> Result<&mut Link, Failure> {
        let link = match self.rdsadmin.take() {
            Some(link) => link,
            None => Link::open(&self.login, RDSADMIN, &self.trust, DIALECT.port).await?,
        };
        Ok(self.rdsadmin.insert(link))
    }

    /// Runs `procedure`, which sets the password of `user`.
    pub(super) async fn set(
        &mut self,
        procedure: &str,
        user: &str,
        password: &Sensitive,
    ) -> Result<(), Failure> {
        if password.is_empty() || password.expose().contains(&0) {
            return Err(Failure::Invalid("a password is empty, or has a NUL character".to_owned()));
        }
        let values = [user.as_bytes(), password.expose()];
        let done = self.rdsadmin().await?.run(procedure, &values).await;
        // A procedure may quote what it was given.
        let secret = String::from_utf8_lossy(password.expose());
        done.map(drop).map_err(|failure| failure.without(&secret))
    }

    /// Whether there is a user called `user`.
    pub(super) async fn exists(&mut self, user: &str) -> Result<bool, Failure> {
        let rows = self.rdsadmin().await?.run("CALL rdsadmin.list_users()", &[]).await?;
        let list = rows.into_iter().flatten().flatten().collect::<Vec<_>>().join("\n");
        Ok(list.lines().any(|line| {
            let name = line.split_once('\t').map(|it| it.0.trim_end());
            name.is_some_and(|it| it.eq_ignore_ascii_case(user))
        }))
    }
}

#[async_trait]
impl Session for Open {
    fn protection(&self) -> Protection {
        self.own.protection.clone()
    }

    async fn test(&mut self) -> Result<(), Failure> {
        self.own.query("SELECT 1 FROM SYSIBM.SYSDUMMY1").await.map(drop)
    }

    async fn change_own(&mut self, _from: &Sensitive, _to: &Sensitive) -> Result<(), Failure> {
        // Whether anybody is there to say no.
        self.test().await?;
        let told = "a user of RDS for Db2 can't change its password\n\
                    hint: name an administrator's secret in `masterarn`";
        Err(Failure::Refused(told.to_owned()))
    }

    async fn change(
        &mut self,
        user: &str,
        to: &Sensitive,
        _keep: Option<&Sensitive>,
    ) -> Result<(), Failure> {
        check_name(user)?;
        self.set(CHANGE, user, to).await
    }

    async fn mirror(
        &mut self,
        like: &str,
        user: &str,
        password: &Sensitive,
    ) -> Result<(), Failure> {
        alternate::mirror(self, like, user, password).await
    }

    async fn foresee(
        &mut self,
        user: Option<&str>,
        like: Option<&str>,
    ) -> Result<Vec<Finding>, Failure> {
        alternate::foresee(self, user, like).await
    }

    async fn grant(&mut self, _lease: &Lease<'_>) -> Result<(), Failure> {
        Err(unbuilt())
    }

    async fn revoke(&mut self, _lease: &Lease<'_>) -> Result<(), Failure> {
        Err(unbuilt())
    }

    async fn disconnect(&mut self, _user: &str) -> Result<(), Failure> {
        Err(unbuilt())
    }

    async fn close(self: Box<Self>) {}
}

/// An administrator of RDS may not end connections, so that no login could be taken back in time.
fn unbuilt() -> Failure {
    let told = "there are no logins for a while in Db2: nothing here can end their connections";
    Failure::Refused(told.to_owned())
}
