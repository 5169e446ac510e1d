//! An open login.

use super::connection::{Connection, text};
use super::role::Role;
use super::told::exists;
use super::{DIALECT, check_name, foresee, lease, mirror};
use crate::{Failure, Finding, Lease, Protection, Session};
use async_trait::async_trait;
use base::Sensitive;
use postgres_protocol::escape::{escape_identifier, escape_literal};
use postgres_protocol::password;

/// Whatever a role's own settings say: nothing of them may change what our statements mean or may do.
const SETTINGS: &str = "SET search_path TO pg_catalog;
SET SESSION AUTHORIZATION DEFAULT;
SET ROLE NONE;
SELECT set_config(name, value, false) FROM (VALUES
 ('statement_timeout', '9s'), ('lock_timeout', '5s'), ('idle_session_timeout', '0'),
 ('idle_in_transaction_session_timeout', '30s'), ('default_transaction_read_only', 'off'),
 ('standard_conforming_strings', 'on'), ('quote_all_identifiers', 'off'),
 ('client_min_messages', 'warning'), ('DateStyle', 'ISO'), ('TimeZone', 'UTC')
) AS wanted (name, value) JOIN pg_settings USING (name)";

/// Who we are, and where.
const ASKED: &str = "SELECT session_user AS me, rolsuper, rolcreaterole,
 current_setting('server_version_num') AS number, current_setting('server_version') AS version,
 current_setting('password_encryption') AS method, pg_is_in_recovery() AS standby
 FROM pg_roles WHERE rolname = session_user";

/// A session of PostgreSQL.
pub(super) struct Open {
    pub(super) connection: Connection,
    pub(super) me: String,
    pub(super) superuser: bool,
    pub(super) makes_roles: bool,
    /// `150018` for 15.18.
    pub(super) number: u32,
    pub(super) version: String,
    pub(super) standby: bool,
    method: String,
}

impl Open {
    /// Makes `connection` a session.
    pub(super) async fn begin(mut connection: Connection) -> Result<Self, Failure> {
        connection.run(SETTINGS).await?;
        let rows = connection.run(ASKED).await?;
        let Some(row) = rows.first() else {
            return Err(Failure::Refused("the server doesn't say who is logged in".to_owned()));
        };
        Ok(Self {
            me: text(row, "me"),
            superuser: text(row, "rolsuper") == "t",
            makes_roles: text(row, "rolcreaterole") == "t",
            number: text(row, "number").parse().unwrap_or_default(),
            version: text(row, "version"),
            standby: text(row, "standby") == "t",
            method: text(row, "method"),
            connection,
        })
    }

    /// What the server keeps of a password, quoted: it never hears the password itself.
    pub(super) fn verifier(&self, user: &str, to: &Sensitive) -> Result<String, Failure> {
        let to = to.expose();
        if to.is_empty() || to.contains(&0) {
            return Err(Failure::Invalid("a password is empty, or has a NUL character".to_owned()));
        }
        // Before version 10 it says `on`.
        let scram = self.method == "scram-sha-256";
        let made = if scram { password::scram_sha_256(to) } else { password::md5(to, user) };
        Ok(escape_literal(&made))
    }

    /// Refuses a name that can't be, and one that the server would write in another way than we do.
    pub(super) async fn check(&mut self, user: &str) -> Result<(), Failure> {
        check_name(user, &DIALECT)?;
        let asked = format!("SELECT quote_ident({}) AS quoted", escape_literal(user));
        let rows = self.connection.run(&asked).await?;
        let quoted = rows.first().map(|it| text(it, "quoted")).unwrap_or_default();
        if quoted == user || quoted == escape_identifier(user) {
            return Ok(());
        }
        Err(Failure::Invalid(format!("the server writes the user's name `{user}` in another way")))
    }

    /// Both roles of a mirror; the first must exist.
    pub(super) async fn pair(
        &mut self,
        like: &str,
        user: &str,
    ) -> Result<(Role, Option<Role>), Failure> {
        self.check(like).await?;
        self.check(user).await?;
        let Some(like_role) = Role::find(&mut self.connection, like).await? else {
            return Err(Failure::Refused(format!("there is no user `{like}`")));
        };
        Ok((like_role, Role::find(&mut self.connection, user).await?))
    }
}

#[async_trait]
impl Session for Open {
    fn protection(&self) -> Protection {
        self.connection.protection()
    }

    async fn test(&mut self) -> Result<(), Failure> {
        self.connection.run("SELECT now()").await.map(drop)
    }

    async fn change_own(&mut self, _from: &Sensitive, to: &Sensitive) -> Result<(), Failure> {
        let me = self.me.clone();
        self.change(&me, to, None).await
    }

    async fn change(
        &mut self,
        user: &str,
        to: &Sensitive,
        _keep: Option<&Sensitive>,
    ) -> Result<(), Failure> {
        let verifier = self.verifier(user, to)?;
        self.check(user).await?;
        let user = escape_identifier(user);
        let change = format!("ALTER ROLE {user} PASSWORD {verifier}");
        self.connection.run_as_one(&[change]).await
    }

    async fn mirror(
        &mut self,
        like: &str,
        user: &str,
        password: &Sensitive,
    ) -> Result<(), Failure> {
        let verifier = self.verifier(user, password)?;
        loop {
            let (like, found) = self.pair(like, user).await?;
            let plan = mirror::plan(&like, user, found.as_ref(), &verifier)?;
            match self.connection.run_as_one(&plan).await {
                // Another actor of the same rotation was first: what it made is found now.
                Err(failure) if found.is_none() && exists(&failure) => (),
                other => return other,
            }
        }
    }

    async fn foresee(
        &mut self,
        user: Option<&str>,
        like: Option<&str>,
    ) -> Result<Vec<Finding>, Failure> {
        foresee::foresee(self, user, like).await
    }

    async fn grant(&mut self, lease: &Lease<'_>) -> Result<(), Failure> {
        lease::grant(self, lease).await
    }

    async fn revoke(&mut self, lease: &Lease<'_>) -> Result<(), Failure> {
        lease::revoke(self, lease).await
    }

    async fn disconnect(&mut self, user: &str) -> Result<(), Failure> {
        check_name(user, &DIALECT)?;
        lease::disconnect(self, user).await
    }

    async fn close(self: Box<Self>) {
        self.connection.close().await;
    }
}
