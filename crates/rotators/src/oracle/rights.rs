//! What a user may do, and the statements between two users. Source: Oracle's reference, "DBA_ROLE_PRIVS",
//! "DBA_SYS_PRIVS", "DBA_TAB_PRIVS", "DBA_COL_PRIVS" and "DBA_TS_QUOTAS".

use super::link::{Ask, Rows};
use super::quote::quoted;
use crate::Failure;
use std::collections::{BTreeMap, BTreeSet};

/// What every marker is called first: such a role is nobody's right.
const OURS: &str = "STRONGROOM_";

/// What a user may do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Rights {
    /// Roles and privileges, and what comes after the user's name: whether they may be given on.
    given: BTreeMap<Right, bool>,
    default_roles: BTreeSet<String>,
    quotas: BTreeMap<String, String>,
}

/// One thing that can be given. What is of columns comes last, as it is taken back with the whole.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Right {
    /// A role, quoted, or a privilege of the system.
    System(String),
    /// A privilege, and what it is on.
    Object(String, String),
    /// A privilege, its column, and what it is on.
    Column(String, String, String),
}

impl Rights {
    /// Those of `user`.
    pub(super) async fn of(link: &mut dyn Ask, user: &str) -> Result<Self, Failure> {
        let mut rights = Self::default();
        let asked = "SELECT granted_role, admin_option, default_role FROM dba_role_privs WHERE grantee = :1";
        for row in link.ask(asked, &[user]).await? {
            let [role, admin, default] = cells(row)?;
            if role.starts_with(OURS) {
                continue;
            }
            if default == "YES" {
                rights.default_roles.insert(role.clone());
            }
            rights.given.insert(Right::System(quoted(&role)), admin == "YES");
        }
        let asked = "SELECT privilege, admin_option FROM dba_sys_privs WHERE grantee = :1";
        for row in link.ask(asked, &[user]).await? {
            let [privilege, admin] = cells(row)?;
            rights.give(Right::System(words(privilege)?), &admin);
        }
        rights.objects(link, user).await?;
        let asked = "SELECT tablespace_name, TO_CHAR(max_bytes) FROM dba_ts_quotas \
                     WHERE username = :1 AND dropped = 'NO'";
        for row in link.ask(asked, &[user]).await? {
            let [place, bytes] = cells(row)?;
            let bytes = if bytes.starts_with('-') { "UNLIMITED".to_owned() } else { bytes };
            rights.quotas.insert(place, bytes);
        }
        Ok(rights)
    }

    async fn objects(&mut self, link: &mut dyn Ask, user: &str) -> Result<(), Failure> {
        let asked = "SELECT privilege, owner, table_name, type, grantable FROM dba_tab_privs WHERE grantee = :1";
        for row in link.ask(asked, &[user]).await? {
            let [privilege, owner, name, kind, option] = cells(row)?;
            self.give(Right::Object(words(privilege)?, object(&kind, &owner, &name)), &option);
        }
        let asked = "SELECT privilege, owner, table_name, column_name, grantable FROM dba_col_privs WHERE grantee = :1";
        for row in link.ask(asked, &[user]).await? {
            let [privilege, owner, name, column, option] = cells(row)?;
            let on = object("TABLE", &owner, &name);
            self.give(Right::Column(words(privilege)?, quoted(&column), on), &option);
        }
        Ok(())
    }

    /// The same from several givers: what goes furthest.
    fn give(&mut self, right: Right, option: &str) {
        *self.given.entry(right).or_default() |= option == "YES";
    }
}

fn cells<const N: usize>(row: Vec<Option<String>>) -> Result<[String; N], Failure> {
    let row: Vec<_> = row.into_iter().map(Option::unwrap_or_default).collect();
    row.try_into().map_err(|_| Failure::Refused("the rights can't be understood".to_owned()))
}

/// A privilege, which stands in statements as it is.
fn words(privilege: String) -> Result<String, Failure> {
    if privilege.chars().all(|it| it.is_ascii_uppercase() || it == ' ') {
        return Ok(privilege);
    }
    Err(Failure::Refused("a privilege can't be understood".to_owned()))
}

/// What a privilege is on.
fn object(kind: &str, owner: &str, name: &str) -> String {
    match kind {
        "DIRECTORY" | "EDITION" | "USER" => format!("{kind} {}", quoted(name)),
        "JAVA RESOURCE" | "JAVA SOURCE" | "MINING MODEL" | "SQL TRANSLATION PROFILE" => {
            format!("{kind} {}.{}", quoted(owner), quoted(name))
        }
        _ => format!("{}.{}", quoted(owner), quoted(name)),
    }
}

impl Right {
    fn granted(&self, to: &str, option: bool) -> String {
        let (what, tail) = match self {
            Self::System(it) => (it.clone(), " WITH ADMIN OPTION"),
            Self::Object(it, on) => (format!("{it} ON {on}"), " WITH GRANT OPTION"),
            Self::Column(it, column, on) => {
                (format!("{it} ({column}) ON {on}"), " WITH GRANT OPTION")
            }
        };
        format!("GRANT {what} TO {to}{}", if option { tail } else { "" })
    }

    fn revoked(&self, from: &str) -> String {
        match self {
            Self::System(it) => format!("REVOKE {it} FROM {from}"),
            Self::Object(it, on) | Self::Column(it, _, on) => {
                format!("REVOKE {it} ON {on} FROM {from}")
            }
        }
    }
}

/// The statements after which `user`, who has `from`, has `to`.
pub(super) fn between(from: &Rights, to: &Rights, user: &str) -> Vec<String> {
    let user = quoted(user);
    let mut statements = Vec::new();
    for (right, option) in &from.given {
        // What may be given on no more is taken, and given again.
        if to.given.get(right).is_none_or(|it| *option && !it) {
            statements.push(right.revoked(&user));
        }
    }
    statements.dedup();
    for (right, option) in &to.given {
        let had = from.given.get(right);
        let again = had.is_some_and(|it| *it && !option);
        if again || had != Some(option) {
            statements.push(right.granted(&user, *option));
        }
    }
    for lost in from.quotas.keys().filter(|it| !to.quotas.contains_key(*it)) {
        statements.push(format!("ALTER USER {user} QUOTA 0 ON {}", quoted(lost)));
    }
    for (place, bytes) in to.quotas.iter().filter(|it| from.quotas.get(it.0) != Some(it.1)) {
        statements.push(format!("ALTER USER {user} QUOTA {bytes} ON {}", quoted(place)));
    }
    if from.default_roles != to.default_roles {
        let roles: Vec<_> = to.default_roles.iter().map(|it| quoted(it)).collect();
        let roles = if roles.is_empty() { "NONE".to_owned() } else { roles.join(", ") };
        statements.push(format!("ALTER USER {user} DEFAULT ROLE {roles}"));
    }
    statements
}

/// How many things `user` owns: of them another has nothing.
pub(super) async fn owned(link: &mut dyn Ask, user: &str) -> Result<Option<String>, Failure> {
    let asked = "SELECT TO_CHAR(COUNT(*)) FROM dba_objects WHERE owner = :1";
    let rows: Rows = link.ask(asked, &[user]).await?;
    Ok(rows.into_iter().flatten().flatten().next().filter(|it| it != "0"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rights(given: &[(Right, bool)]) -> Rights {
        Rights { given: given.iter().cloned().collect(), ..Rights::default() }
    }

    #[test]
    fn differences_go_both_ways() {
        type Given = Vec<(Right, bool)>;
        let system = |it: &str| Right::System(it.to_owned());
        let object = |it: &str| Right::Object(it.to_owned(), object("TABLE", "O", "t"));
        let view = super::object("VIEW", "O", "t");
        let column = |it: &str| Right::Column("UPDATE".to_owned(), quoted(it), view.clone());
        #[rustfmt::skip]
        let cases: &[(Given, Given, &[&str])] = &[
            (vec![(system("CREATE SESSION"), false)], vec![(system("\"R\""), true)],
             &["REVOKE CREATE SESSION FROM \"U\"", "GRANT \"R\" TO \"U\" WITH ADMIN OPTION"]),
            (vec![(object("SELECT"), true)], vec![(object("SELECT"), false)],
             &["REVOKE SELECT ON \"O\".\"t\" FROM \"U\"", "GRANT SELECT ON \"O\".\"t\" TO \"U\""]),
            (vec![(object("SELECT"), false)], vec![(object("SELECT"), true)],
             &["GRANT SELECT ON \"O\".\"t\" TO \"U\" WITH GRANT OPTION"]),
            (vec![(column("A"), false), (column("B"), false)], vec![(object("SELECT"), false)],
             &["REVOKE UPDATE ON \"O\".\"t\" FROM \"U\"", "GRANT SELECT ON \"O\".\"t\" TO \"U\""]),
            (vec![], vec![(column("A"), false)], &["GRANT UPDATE (\"A\") ON \"O\".\"t\" TO \"U\""]),
            (vec![(object("SELECT"), true)], vec![(object("SELECT"), true)], &[]),
        ];
        for (from, to, expected) in cases {
            assert_eq!(between(&rights(from), &rights(to), "U"), *expected);
        }
        let mut to = rights(&[]);
        to.quotas.insert("USERS".to_owned(), "UNLIMITED".to_owned());
        to.default_roles.insert("R".to_owned());
        let expected = [
            "ALTER USER \"U\" QUOTA UNLIMITED ON \"USERS\"",
            "ALTER USER \"U\" DEFAULT ROLE \"R\"",
        ];
        assert_eq!(between(&rights(&[]), &to, "U"), expected);
        let expected =
            ["ALTER USER \"U\" QUOTA 0 ON \"USERS\"", "ALTER USER \"U\" DEFAULT ROLE NONE"];
        assert_eq!(between(&to, &rights(&[]), "U"), expected);
    }

    #[test]
    fn objects_have_kinds() {
        for (kind, expected) in [
            ("TABLE", "\"o\".\"n\""),
            ("PACKAGE", "\"o\".\"n\""),
            ("DIRECTORY", "DIRECTORY \"n\""),
            ("USER", "USER \"n\""),
            ("MINING MODEL", "MINING MODEL \"o\".\"n\""),
        ] {
            assert_eq!(object(kind, "o", "n"), expected);
        }
        assert!(words("SELECT TO x; --".to_owned()).is_err());
    }
}
