//! An open login.

use super::{DIALECT, lease, mirror};
use crate::postgres::check_name;
use crate::postgres::connection::{Connection, TRIES, text};
use crate::postgres::told::{collided, exists};
use crate::{Failure, Finding, Lease, Protection, Session};
use async_trait::async_trait;
use base::Sensitive;
use postgres_protocol::escape::{escape_identifier, escape_literal};
use postgres_protocol::password;

/// What a user's own settings must not change.
const SETTINGS: &str = "SET search_path TO pg_catalog, public; SET statement_timeout TO 9000";

/// A session of Redshift.
pub(super) struct Open {
    pub(super) connection: Connection,
    me: String,
    /// What was said since it was last taken.
    pub(super) said: Vec<String>,
}

/// What changes something, in a transaction. Verifiers are quoted.
pub(super) enum Act<'a> {
    Change { user: &'a str, verifier: &'a str },
    Expire { user: &'a str },
    Grant { lease: &'a Lease<'a>, verifier: &'a str },
    Mirror { like: &'a str, user: &'a str, verifier: &'a str },
    Clear { lease: &'a Lease<'a> },
    Drop { user: &'a str },
}

impl Open {
    /// Makes `connection` a session.
    pub(super) async fn begin(mut connection: Connection) -> Result<Self, Failure> {
        connection.run(SETTINGS).await?;
        let rows = connection.run("SELECT session_user AS me").await?;
        let me = rows.first().map(|it| text(it, "me")).unwrap_or_default();
        Ok(Self { connection, me, said: Vec::new() })
    }

    /// Runs `statement`, which changes something.
    pub(super) async fn say(&mut self, statement: String) -> Result<(), Failure> {
        self.connection.run(&statement).await?;
        self.said.push(statement);
        Ok(())
    }

    /// Does `act` whole or not at all.
    pub(super) async fn perform(&mut self, act: &Act<'_>) -> Result<(), Failure> {
        let mut tries = 1..TRIES;
        loop {
            match self.attempt(act).await {
                // What another actor of the same rotation has made meanwhile is found the next time.
                Err(failure)
                    if (collided(&failure) || exists(&failure)) && tries.next().is_some() => {}
                other => return other,
            }
        }
    }

    async fn attempt(&mut self, act: &Act<'_>) -> Result<(), Failure> {
        self.said.clear();
        self.connection.run("BEGIN").await?;
        let done = self.act(act).await;
        if done.is_ok() {
            return self.connection.run("COMMIT").await.map(drop);
        }
        // If this fails as well, the connection is gone, and the server does it by itself.
        let _ = self.connection.run("ROLLBACK").await;
        done
    }

    async fn act(&mut self, act: &Act<'_>) -> Result<(), Failure> {
        match act {
            Act::Change { user, verifier } => self.say(alter(user, verifier)).await,
            Act::Expire { user } => {
                let user = escape_identifier(user);
                self.say(format!("ALTER USER {user} VALID UNTIL '2000-01-01'")).await
            }
            Act::Grant { lease, verifier } => lease::make(self, lease, verifier).await,
            Act::Mirror { like, user, verifier } => {
                mirror::mirror(self, like, user, verifier).await
            }
            Act::Clear { lease } => lease::clear(self, lease).await,
            Act::Drop { user } => lease::remove(self, user).await,
        }
    }

    /// What [`Session::foresee`] says of a change: it is done, looked at, and undone.
    async fn rehearsed(&mut self, user: &str, like: Option<&str>) -> Result<Vec<Finding>, Failure> {
        let nothing = Sensitive::from("rehearsed".to_owned());
        let verifier = verifier(user, &nothing)?;
        self.said.clear();
        self.connection.run("BEGIN").await?;
        let done = match like {
            Some(like) => self.act(&Act::Mirror { like, user, verifier: &verifier }).await,
            None => self.act(&Act::Change { user, verifier: &verifier }).await,
        };
        let undone = self.connection.run("ROLLBACK").await;
        let mut found = vec![match done {
            Ok(()) => Finding::Fine(format!("`{}` may change `{user}`", self.me)),
            Err(Failure::Refused(told)) => {
                let usual = "log in as a superuser to change others";
                let (fact, hint) = told.split_once("\nhint: ").unwrap_or((&told, usual));
                Finding::Missing(fact.to_owned(), hint.to_owned())
            }
            Err(failure) => return Err(failure),
        }];
        undone?;
        let said = self.said.drain(..).map(|it| it.replace(&verifier, "<password>"));
        found.extend(said.map(Finding::Statement));
        Ok(found)
    }
}

/// What the server keeps of a password, quoted: it never hears the password itself. The newer form, by SHA-256, can't
/// be used by clients that speak PostgreSQL's wire.
pub(super) fn verifier(user: &str, to: &Sensitive) -> Result<String, Failure> {
    if to.is_empty() || to.expose().contains(&0) {
        return Err(Failure::Invalid("a password is empty, or has a NUL character".to_owned()));
    }
    Ok(escape_literal(&password::md5(to.expose(), user)))
}

/// Refuses names that can't be, and backslashes: whether they mean themselves depends on the cluster.
pub(super) fn check(user: &str) -> Result<(), Failure> {
    check_name(user, &DIALECT)?;
    if user.contains('\\') {
        return Err(Failure::Invalid(format!("the user's name `{user}` has a backslash")));
    }
    Ok(())
}

pub(super) fn alter(user: &str, verifier: &str) -> String {
    format!("ALTER USER {} PASSWORD {verifier}", escape_identifier(user))
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
        check(user)?;
        let verifier = verifier(user, to)?;
        self.perform(&Act::Change { user, verifier: &verifier }).await
    }

    async fn mirror(
        &mut self,
        like: &str,
        user: &str,
        password: &Sensitive,
    ) -> Result<(), Failure> {
        check(like)?;
        check(user)?;
        let verifier = verifier(user, password)?;
        self.perform(&Act::Mirror { like, user, verifier: &verifier }).await
    }

    async fn foresee(
        &mut self,
        user: Option<&str>,
        like: Option<&str>,
    ) -> Result<Vec<Finding>, Failure> {
        let me = self.me.clone();
        let user = user.unwrap_or(&me);
        [Some(user), like].into_iter().flatten().try_for_each(check)?;
        self.rehearsed(user, like).await
    }

    async fn grant(&mut self, lease: &Lease<'_>) -> Result<(), Failure> {
        lease::grant(self, lease).await
    }

    async fn revoke(&mut self, lease: &Lease<'_>) -> Result<(), Failure> {
        lease::revoke(self, lease).await
    }

    async fn disconnect(&mut self, user: &str) -> Result<(), Failure> {
        check(user)?;
        lease::disconnect(self, user).await
    }

    async fn close(self: Box<Self>) {
        self.connection.close().await;
    }
}
