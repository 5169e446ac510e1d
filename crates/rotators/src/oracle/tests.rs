//! What is said to a database, in which order: one of our own answers, that keeps a few users.

use super::accounts::{Account, marker};
use super::lease;
use super::link::{Admits, Ask, Rows};
use super::mirror::mirror;
use super::session::change_own;
use crate::{Failure, Lease};
use async_trait::async_trait;
use base::Sensitive;
use std::collections::{BTreeMap, BTreeSet};

/// A user: its password and what it was given.
#[derive(Clone, Debug, Default)]
struct User {
    password: String,
    /// The one before, while both are accepted.
    old: Option<String>,
    given: BTreeSet<String>,
    /// Nobody logs in with its password, right or wrong.
    locked: bool,
}

#[derive(Debug, Default)]
struct World {
    users: BTreeMap<String, User>,
    roles: BTreeSet<String>,
    /// Whether the profile of all keeps old passwords for a while.
    rolls: bool,
    /// After how many statements the connection is lost.
    left: Option<usize>,
    said: Vec<String>,
}

/// The parts of `statement` between quotes, and what is left of it.
fn parts(statement: &str) -> (Vec<String>, String) {
    let (mut names, mut rest) = (Vec::new(), Vec::new());
    for (at, part) in statement.split('"').enumerate() {
        if at % 2 == 1 {
            names.push(part.to_owned());
        } else {
            rest.push(part);
        }
    }
    (names, rest.join("_"))
}

impl World {
    fn with(users: &[(&str, &str, &[&str])]) -> Self {
        let mut world = Self::default();
        for (name, password, given) in users {
            let given = given.iter().map(|it| (*it).to_owned()).collect();
            let password = (*password).to_owned();
            let user = User { password, given, ..User::default() };
            world.users.insert((*name).to_owned(), user);
        }
        world
    }

    fn run(&mut self, statement: &str) -> Result<(), usize> {
        let (names, shape) = parts(statement);
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        match (shape.as_str(), names.as_slice()) {
            ("CREATE ROLE _", [role]) => {
                if self.roles.insert((*role).to_owned()) {
                    Ok(())
                } else {
                    Err(1921)
                }
            }
            ("DROP ROLE _", [role]) => {
                for user in self.users.values_mut() {
                    user.given.remove(*role);
                }
                if self.roles.remove(*role) { Ok(()) } else { Err(1919) }
            }
            (shape, [user, password, ..]) if shape.starts_with("CREATE USER _ IDENTIFIED BY ") => {
                if self.users.contains_key(*user) {
                    return Err(1920);
                }
                let made = User { password: (*password).to_owned(), ..User::default() };
                self.users.insert((*user).to_owned(), made);
                Ok(())
            }
            ("ALTER USER _ IDENTIFIED BY _", [user, password]) => self.set(user, password),
            ("ALTER USER _ IDENTIFIED BY _ REPLACE _", [user, password, old]) => {
                match self.users.get(*user) {
                    Some(it) if it.password == *old => self.set(user, password),
                    _ => Err(28_008),
                }
            }
            ("ALTER USER _ EXPIRE PASSWORD ROLLOVER PERIOD", [user]) => {
                self.users.get_mut(*user).ok_or(1918_usize)?.old = None;
                Ok(())
            }
            ("ALTER USER _ ACCOUNT LOCK", [user]) => {
                self.users.get_mut(*user).ok_or(1918_usize)?.locked = true;
                Ok(())
            }
            ("DROP USER _ CASCADE", [user]) => self.users.remove(*user).map(drop).ok_or(1918),
            ("GRANT _ TO _", [role, user]) => self.give(user, role),
            ("REVOKE _ FROM _", [role, user]) => self.take(user, role),
            (shape, [user]) if shape.starts_with("GRANT ") => {
                let what = shape.strip_prefix("GRANT ").and_then(|it| it.strip_suffix(" TO _"));
                self.give(user, what.ok_or(900_usize)?)
            }
            (shape, [user]) if shape.starts_with("REVOKE ") => {
                let what = shape.strip_prefix("REVOKE ").and_then(|it| it.strip_suffix(" FROM _"));
                self.take(user, what.ok_or(900_usize)?)
            }
            _ => Err(900),
        }
    }

    fn set(&mut self, user: &str, password: &str) -> Result<(), usize> {
        let rolls = self.rolls;
        let user = self.users.get_mut(user).ok_or(1918_usize)?;
        let old = std::mem::replace(&mut user.password, password.to_owned());
        user.old = rolls.then_some(old);
        Ok(())
    }

    fn give(&mut self, user: &str, what: &str) -> Result<(), usize> {
        self.users.get_mut(user).ok_or(1917_usize)?.given.insert(what.to_owned());
        Ok(())
    }

    fn take(&mut self, user: &str, what: &str) -> Result<(), usize> {
        let taken = self.users.get_mut(user).ok_or(1917_usize)?.given.remove(what);
        if taken { Ok(()) } else { Err(1951) }
    }

    fn given(&self, user: &str) -> Vec<&str> {
        let given = self.users[user].given.iter().map(String::as_str);
        given.filter(|it| !it.starts_with("STRONGROOM_")).collect()
    }
}

fn row(cells: &[&str]) -> Vec<Option<String>> {
    cells.iter().map(|it| Some((*it).to_owned())).collect()
}

#[async_trait]
impl Ask for World {
    async fn ask(&mut self, statement: &str, values: &[&str]) -> Result<Rows, Failure> {
        let user = self.users.get(values[0]);
        let of = |table: &str| statement.contains(&format!("FROM {table} "));
        let given = user.into_iter().flat_map(|it| &it.given);
        Ok(if of("dba_users") {
            let status = |it: &User| if it.old.is_some() { "OPEN & IN ROLLOVER" } else { "OPEN" };
            user.map(|it| row(&["P", status(it), "USERS", "TEMP"])).into_iter().collect()
        } else if of("dba_role_privs") && values.len() == 2 {
            given.filter(|it| *it == values[1]).map(|it| row(&[it])).collect()
        } else if of("dba_role_privs") {
            given.filter(|it| self.roles.contains(*it)).map(|it| row(&[it, "NO", "NO"])).collect()
        } else if of("dba_sys_privs") {
            given.filter(|it| !self.roles.contains(*it)).map(|it| row(&[it, "NO"])).collect()
        } else {
            Rows::new()
        })
    }

    async fn act(
        &mut self,
        statement: &str,
    ) -> Result<Result<(), (Option<usize>, Failure)>, Failure> {
        if self.left == Some(0) {
            return Err(Failure::Unreachable("gone".to_owned()));
        }
        self.left = self.left.map(|it| it - 1);
        self.said.push(statement.to_owned());
        let refused = |code| (Some(code), Failure::Refused(format!("ORA-{code:05}")));
        Ok(self.run(statement).map_err(refused))
    }

    async fn admits(&mut self, user: &str, password: &Sensitive) -> Result<Admits, Failure> {
        let password = str::from_utf8(password.expose()).expect("text");
        let user = self.users.get(user);
        let user = user.filter(|it| it.password == password || it.old.as_deref() == Some(password));
        Ok(match user {
            None => Admits::No,
            Some(it) if it.locked => Admits::No,
            Some(it) if it.given.contains("CREATE SESSION") => Admits::Yes,
            Some(_) => Admits::NotYet,
        })
    }
}

fn sensitive(it: &str) -> Sensitive {
    Sensitive::from(it.to_owned())
}

/// What the first is given and loses, the second is given and loses; on the way back only the password changes.
#[tokio::test]
async fn rights_are_followed_one_way() {
    let mut world = World::with(&[("APP", "first", &["CREATE SESSION", "SELECT ANY TABLE"])]);
    mirror(&mut world, "APP", "APP_CLONE", &sensitive("c1")).await.expect("made");
    assert_eq!(world.given("APP_CLONE"), ["CREATE SESSION", "SELECT ANY TABLE"]);
    world.roles.insert("R".to_owned());
    world.take("APP", "SELECT ANY TABLE").expect("taken");
    world.give("APP", "R").expect("given");
    mirror(&mut world, "APP", "APP_CLONE", &sensitive("c2")).await.expect("made");
    assert_eq!(world.given("APP_CLONE"), ["CREATE SESSION", "R"]);
    let before = world.said.len();
    mirror(&mut world, "APP_CLONE", "APP", &sensitive("a2")).await.expect("the way back");
    assert_eq!(world.said[before..], ["ALTER USER \"APP\" IDENTIFIED BY \"a2\""]);
    mirror(&mut world, "APP_CLONE", "APP", &sensitive("a2")).await.expect("twice");
    assert_eq!(world.said.len(), before + 1);
}

/// Wherever it is cut, nobody can log in with the new password before all rights are there, and the next try
/// finds what the first has done.
#[tokio::test]
async fn a_mirror_that_is_cut_off_goes_on() {
    for cut in 0..8 {
        let mut world = World::with(&[("APP", "first", &["CREATE SESSION", "SELECT ANY TABLE"])]);
        world.left = Some(cut);
        let done = mirror(&mut world, "APP", "APP_CLONE", &sensitive("next")).await;
        let whole = world.users.get("APP_CLONE").is_some_and(|it| it.given.len() == 3);
        let admitted = world.admits("APP_CLONE", &sensitive("next")).await.expect("asked");
        assert!(whole || admitted != Admits::Yes, "{cut}");
        assert_eq!(done.is_ok(), admitted == Admits::Yes, "{cut}");
        world.left = None;
        mirror(&mut world, "APP", "APP_CLONE", &sensitive("next")).await.expect("made");
        assert_eq!(world.given("APP_CLONE"), world.given("APP"), "{cut}");
        assert_eq!(world.users["APP_CLONE"].password, "next");
    }
}

#[tokio::test]
async fn what_people_made_is_theirs() {
    let session: &[&str] = &["CREATE SESSION"];
    let mut world = World::with(&[("APP", "first", session), ("APP_CLONE", "theirs", session)]);
    for (like, user) in [("APP", "APP_CLONE"), ("APP_CLONE", "APP"), ("NOBODY", "N_CLONE")] {
        let refused = mirror(&mut world, like, user, &sensitive("hijacked")).await;
        assert!(matches!(refused, Err(Failure::Refused(_))), "{refused:?}");
    }
    let password = sensitive("p");
    let lease =
        Lease { user: "app", password: &password, creation: &[], revocation: &[], expiration: "" };
    for refused in [lease::grant(&mut world, &lease).await, lease::revoke(&mut world, &lease).await]
    {
        assert!(matches!(refused, Err(Failure::Refused(_))), "{refused:?}");
    }
    assert!(world.said.is_empty(), "{:?}", world.said);
}

#[tokio::test]
async fn a_change_is_repeated_without_harm() {
    let mut world = World::with(&[("APP", "first", &["CREATE SESSION"])]);
    let (first, second) = (sensitive("first"), sensitive("second"));
    for _ in 0..2 {
        change_own(&mut world, "APP", &first, &second).await.expect("changed");
    }
    let other = change_own(&mut world, "APP", &first, &sensitive("third")).await;
    assert!(matches!(other, Err(Failure::Refused(_))), "{other:?}");
    assert_eq!(world.users["APP"].password, "second");
    let quoted = change_own(&mut world, "APP", &second, &sensitive("a\" ACCOUNT UNLOCK --")).await;
    assert!(matches!(quoted, Err(Failure::Invalid(_))), "{quoted:?}");
}

/// Where a profile keeps old passwords, the one to keep is the last one, and none is where none is wanted.
#[tokio::test]
async fn old_passwords_last_as_long_as_wanted() {
    let mut world = World::with(&[("APP", "p0", &["CREATE SESSION"])]);
    world.rolls = true;
    for (to, keeps, old) in [
        ("p1", true, Some("p0")),
        ("p1", true, Some("p0")),
        ("p2", true, Some("p1")),
        ("p3", false, None),
        ("p3", false, None),
    ] {
        let account = Account::the(&mut world, "APP").await.expect("there");
        account.admit(&mut world, &sensitive(to), keeps).await.expect("changed");
        assert_eq!(world.users["APP"].password, to);
        assert_eq!(world.users["APP"].old.as_deref(), old, "{to}");
    }
}

#[tokio::test]
async fn leases_are_made_and_removed() {
    let password = sensitive("a'b");
    let creation =
        ["CREATE USER {{name}} IDENTIFIED BY {{password}}", "GRANT CREATE SESSION TO {{name}}"];
    let creation = creation.map(str::to_owned);
    for creation in [&[][..], &creation] {
        let mut world = World::default();
        let lease = Lease {
            user: "v1",
            password: &password,
            creation,
            revocation: &[],
            expiration: "2099",
        };
        for _ in 0..2 {
            lease::grant(&mut world, &lease).await.expect("made");
            assert_eq!(world.users["V1"].password, "a'b");
            assert!(world.users["V1"].given.contains(&marker("V1", "")));
        }
        for _ in 0..2 {
            lease::revoke(&mut world, &lease).await.expect("removed");
            assert!(world.users.is_empty() && world.roles.is_empty());
        }
        let wrong =
            ["CREATE USER {{name}} IDENTIFIED BY {{password}}", "no statement"].map(str::to_owned);
        let lease = Lease { creation: &wrong, ..lease };
        assert!(lease::grant(&mut world, &lease).await.is_err());
        assert!(world.users.is_empty(), "{world:?}");
    }
}

/// A user that was made by half, and whose removal breaks off anywhere, is still known as a lease's.
#[tokio::test]
async fn removal_goes_on_wherever_it_was_cut_off() {
    let password = sensitive("p");
    let (creation, revocation) = (&[][..], &[][..]);
    let lease = Lease { user: "v1", password: &password, creation, revocation, expiration: "" };
    for cut in 0..6 {
        let mut world = World::with(&[("V1", "p", &[])]);
        world.left = Some(cut);
        let cut_off = lease::revoke(&mut world, &lease).await;
        assert_eq!(cut_off.is_ok(), cut >= 5, "{cut}");
        world.left = None;
        lease::revoke(&mut world, &lease).await.expect("removed");
        assert!(world.users.is_empty() && world.roles.is_empty(), "{cut}: {world:?}");
    }
}
