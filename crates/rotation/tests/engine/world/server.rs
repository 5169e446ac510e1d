//! A database server that exists in memory, and that a test can break, lock and watch.

use async_trait::async_trait;
use base::Sensitive;
use rotators::{Credential, Dialect, Failure, Finding, Lease, Protection, Rotator, Session, Trust};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::Notify;

/// Where the process dies: before the act of this number, counted from one.
#[derive(Debug, Default)]
pub(crate) struct Fate {
    left: Mutex<Option<usize>>,
    pub(crate) passed: Mutex<usize>,
    pub(crate) died: Notify,
}

impl Fate {
    pub(crate) fn strike(&self, after: Option<usize>) {
        *self.left.lock().expect("sound") = after;
        *self.passed.lock().expect("sound") = 0;
    }

    /// A point at which the process may die: from there on nothing happens any more.
    pub(crate) async fn point(&self) {
        let dies = {
            *self.passed.lock().expect("sound") += 1;
            let mut left = self.left.lock().expect("sound");
            match left.as_mut() {
                Some(0) => true,
                Some(more) => {
                    *more -= 1;
                    false
                }
                None => false,
            }
        };
        if dies {
            self.died.notify_one();
            std::future::pending::<()>().await;
        }
    }
}

/// What the server does besides what it is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mood {
    #[default]
    Well,
    /// No connection.
    Down,
    /// It takes a connection and says nothing.
    Hangs,
    /// Passwords can't be changed.
    Stubborn,
    /// It says that it has changed a password and hasn't.
    Lies,
}

#[derive(Debug, Default)]
pub(crate) struct Users {
    /// Users with their passwords: two for an engine where they overlap.
    pub(crate) passwords: BTreeMap<String, Vec<Vec<u8>>>,
    /// Users that `mirror` has made.
    pub(crate) made: BTreeSet<String>,
    /// Who has knocked, in order, and whether they got in.
    pub(crate) logins: Vec<(String, bool)>,
    pub(crate) mood: Mood,
}

/// The server.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) dialect: &'static Dialect,
    pub(crate) users: Mutex<Users>,
    pub(crate) fate: Arc<Fate>,
}

pub(crate) const PLAIN: Dialect = Dialect {
    name: "PostgreSQL",
    engines: &["postgres"],
    port: 5432,
    database: None,
    excluded: ":/@\"'\\",
    longest_password: 32,
    longest_name: 63,
    suffix: "_clone",
    overlaps: false,
    changes_own: true,
};
pub(crate) const OVERLAPPING: Dialect =
    Dialect { name: "MariaDB", engines: &["mariadb"], overlaps: true, ..PLAIN };
pub(crate) const GOVERNED: Dialect =
    Dialect { name: "Db2", engines: &["db2"], changes_own: false, ..PLAIN };

/// Users of it belong to the database where they are made and log in.
pub(crate) const HOMELY: Dialect =
    Dialect { name: "MongoDB", engines: &["mongo"], database: Some("admin"), ..PLAIN };

impl Server {
    /// What `user` is called who is at home in `database`.
    fn called(&self, database: &str, user: &str) -> String {
        if self.dialect.name == HOMELY.name {
            return format!("{database}.{user}");
        }
        user.to_owned()
    }

    pub(crate) fn users(&self) -> MutexGuard<'_, Users> {
        self.users.lock().expect("sound")
    }

    /// Whether a login would succeed.
    pub(crate) fn admits(&self, user: &str, password: &[u8]) -> bool {
        self.users().passwords.get(user).is_some_and(|it| it.iter().any(|it| it == password))
    }
}

#[derive(Debug)]
pub(crate) struct Door(pub(crate) Arc<Server>);

struct Open {
    server: Arc<Server>,
    user: String,
    home: String,
}

fn database(login: &Credential) -> &str {
    login.database.as_deref().unwrap_or("admin")
}

#[async_trait]
impl Rotator for Door {
    fn dialect(&self) -> &'static Dialect {
        self.0.dialect
    }

    fn home<'a>(&self, login: &'a Credential) -> Option<&'a str> {
        (self.0.dialect.name == HOMELY.name).then(|| database(login))
    }

    async fn connect(&self, login: &Credential, _: &Trust) -> Result<Box<dyn Session>, Failure> {
        let server = &self.0;
        server.fate.point().await;
        let mood = server.users().mood;
        match if login.host == "hung" { Mood::Hangs } else { mood } {
            Mood::Down => return Err(Failure::Unreachable("the server is down".into())),
            Mood::Hangs => {
                let five = std::time::Duration::from_secs(5);
                let _silence = tokio::time::timeout(five, std::future::pending::<()>()).await;
                return Err(Failure::Unreachable("the server says nothing".into()));
            }
            Mood::Lies | Mood::Stubborn | Mood::Well => (),
        }
        let user = &server.called(database(login), &login.username);
        let admitted = server.admits(user, login.password.expose());
        server.users().logins.push((user.clone(), admitted));
        if !admitted {
            return Err(Failure::Denied(format!("password authentication failed for {user}")));
        }
        let home = login.home.as_deref().unwrap_or(database(login)).to_owned();
        Ok(Box::new(Open { server: Arc::clone(server), user: user.clone(), home }))
    }
}

#[async_trait]
impl Session for Open {
    fn protection(&self) -> Protection {
        Protection::Plain
    }

    async fn test(&mut self) -> Result<(), Failure> {
        self.server.fate.point().await;
        Ok(())
    }

    async fn change_own(&mut self, _: &Sensitive, to: &Sensitive) -> Result<(), Failure> {
        if !self.server.dialect.changes_own {
            return Err(Failure::Refused("permission denied".to_owned()));
        }
        let user = self.user.clone();
        self.set(&user, to, None).await
    }

    async fn change(
        &mut self,
        user: &str,
        to: &Sensitive,
        keep: Option<&Sensitive>,
    ) -> Result<(), Failure> {
        let keep = keep.filter(|_| self.server.dialect.overlaps);
        self.set(user, to, keep).await
    }

    async fn mirror(&mut self, _: &str, user: &str, password: &Sensitive) -> Result<(), Failure> {
        self.server.users().made.insert(user.to_owned());
        self.set(user, password, None).await
    }

    async fn foresee(
        &mut self,
        user: Option<&str>,
        like: Option<&str>,
    ) -> Result<Vec<Finding>, Failure> {
        let (me, user) = (&self.user, user.unwrap_or(&self.user));
        let like = like.map(|it| format!(" like {it}")).unwrap_or_default();
        Ok(vec![Finding::Statement(format!("{me} changes {user}{like}"))])
    }

    async fn grant(&mut self, lease: &Lease<'_>) -> Result<(), Failure> {
        let user = self.server.called(&self.home, lease.user);
        self.set(&user, lease.password, None).await
    }

    async fn revoke(&mut self, lease: &Lease<'_>) -> Result<(), Failure> {
        self.server.fate.point().await;
        {
            let mut users = self.server.users();
            match users.mood {
                Mood::Stubborn => return Err(Failure::Refused("permission denied".into())),
                Mood::Down | Mood::Hangs => return Err(Failure::Unreachable("lost".into())),
                Mood::Lies | Mood::Well => {
                    users.passwords.remove(&self.server.called(&self.home, lease.user))
                }
            };
        }
        self.server.fate.point().await;
        Ok(())
    }

    async fn disconnect(&mut self, _: &str) -> Result<(), Failure> {
        Ok(())
    }

    async fn close(self: Box<Self>) {
        self.server.fate.point().await;
    }
}

impl Open {
    /// The process may die before the server hears of it, and after it has done it without saying so.
    async fn set(
        &self,
        user: &str,
        to: &Sensitive,
        keep: Option<&Sensitive>,
    ) -> Result<(), Failure> {
        self.server.fate.point().await;
        {
            let mut users = self.server.users();
            match users.mood {
                Mood::Stubborn => return Err(Failure::Refused("permission denied".into())),
                Mood::Down | Mood::Hangs => return Err(Failure::Unreachable("lost".into())),
                Mood::Lies => return Ok(()),
                Mood::Well => (),
            }
            let passwords = std::iter::once(to).chain(keep).map(|it| it.expose().to_vec());
            users.passwords.insert(user.to_owned(), passwords.collect());
        }
        self.server.fate.point().await;
        Ok(())
    }
}
