//! What a user may do, and the statements between two users. Source: rotation.md §2.11; SQL Server's manual,
//! "sys.database_permissions" and "sys.server_permissions".

use super::link::Link;
use super::quote::{name, text};
use crate::Failure;
use std::collections::{BTreeMap, BTreeSet};

/// Where rights are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    Database,
    Server,
}

/// How far a permission goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum State {
    Deny,
    Grant,
    /// It may be given on.
    GrantOption,
}

/// What a permission is for; names are the server's, quoted by it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Permission {
    /// ` ON OBJECT::[dbo].[t]`; empty for all that there is.
    pub(super) on: String,
    /// ` ([c])`; empty for all columns. What is said of all of them comes first, as it undoes what was said of one.
    pub(super) column: String,
    pub(super) what: String,
}

/// What a user may do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Rights {
    pub(super) roles: BTreeSet<String>,
    pub(super) permissions: BTreeMap<Permission, State>,
}

/// What a permission's class and number mean, in the database that was entered.
const IN_DATABASE: &str = "CASE p.class
 WHEN 0 THEN N''
 WHEN 1 THEN N'OBJECT::' + QUOTENAME(OBJECT_SCHEMA_NAME(p.major_id)) + N'.' + QUOTENAME(OBJECT_NAME(p.major_id))
 WHEN 3 THEN N'SCHEMA::' + QUOTENAME(SCHEMA_NAME(p.major_id))
 WHEN 4 THEN (SELECT CASE x.type WHEN 'R' THEN N'ROLE::' WHEN 'A' THEN N'APPLICATION ROLE::' ELSE N'USER::' END
  + QUOTENAME(x.name) FROM sys.database_principals AS x WHERE x.principal_id = p.major_id)
 WHEN 5 THEN (SELECT N'ASSEMBLY::' + QUOTENAME(x.name) FROM sys.assemblies AS x WHERE x.assembly_id = p.major_id)
 WHEN 6 THEN (SELECT N'TYPE::' + QUOTENAME(SCHEMA_NAME(x.schema_id)) + N'.' + QUOTENAME(x.name)
  FROM sys.types AS x WHERE x.user_type_id = p.major_id)
 WHEN 10 THEN (SELECT N'XML SCHEMA COLLECTION::' + QUOTENAME(SCHEMA_NAME(x.schema_id)) + N'.' + QUOTENAME(x.name)
  FROM sys.xml_schema_collections AS x WHERE x.xml_collection_id = p.major_id)
 WHEN 15 THEN (SELECT N'MESSAGE TYPE::' + QUOTENAME(x.name COLLATE DATABASE_DEFAULT)
  FROM sys.service_message_types AS x WHERE x.message_type_id = p.major_id)
 WHEN 16 THEN (SELECT N'CONTRACT::' + QUOTENAME(x.name COLLATE DATABASE_DEFAULT)
  FROM sys.service_contracts AS x WHERE x.service_contract_id = p.major_id)
 WHEN 17 THEN (SELECT N'SERVICE::' + QUOTENAME(x.name COLLATE DATABASE_DEFAULT)
  FROM sys.services AS x WHERE x.service_id = p.major_id)
 WHEN 18 THEN (SELECT N'REMOTE SERVICE BINDING::' + QUOTENAME(x.name)
  FROM sys.remote_service_bindings AS x WHERE x.remote_service_binding_id = p.major_id)
 WHEN 19 THEN (SELECT N'ROUTE::' + QUOTENAME(x.name) FROM sys.routes AS x WHERE x.route_id = p.major_id)
 WHEN 23 THEN (SELECT N'FULLTEXT CATALOG::' + QUOTENAME(x.name)
  FROM sys.fulltext_catalogs AS x WHERE x.fulltext_catalog_id = p.major_id)
 WHEN 24 THEN (SELECT N'SYMMETRIC KEY::' + QUOTENAME(x.name)
  FROM sys.symmetric_keys AS x WHERE x.symmetric_key_id = p.major_id)
 WHEN 25 THEN (SELECT N'CERTIFICATE::' + QUOTENAME(x.name)
  FROM sys.certificates AS x WHERE x.certificate_id = p.major_id)
 WHEN 26 THEN (SELECT N'ASYMMETRIC KEY::' + QUOTENAME(x.name)
  FROM sys.asymmetric_keys AS x WHERE x.asymmetric_key_id = p.major_id)
 END";

/// The same, of the server.
const ON_SERVER: &str = "CASE p.class
 WHEN 100 THEN N''
 WHEN 101 THEN (SELECT CASE x.type WHEN 'R' THEN N'SERVER ROLE::' ELSE N'LOGIN::' END + QUOTENAME(x.name)
  FROM sys.server_principals AS x WHERE x.principal_id = p.major_id)
 WHEN 105 THEN (SELECT N'ENDPOINT::' + QUOTENAME(x.name) FROM sys.endpoints AS x WHERE x.endpoint_id = p.major_id)
 END";

impl Rights {
    /// Those of `user` in `scope`, of the database that was entered.
    pub(super) async fn of(link: &mut Link, scope: Scope, user: &str) -> Result<Self, Failure> {
        let user = text(user);
        let asked = match scope {
            Scope::Database => format!(
                "SELECT r.name FROM sys.database_role_members AS m JOIN sys.database_principals AS r \
                 ON r.principal_id = m.role_principal_id \
                 WHERE m.member_principal_id = DATABASE_PRINCIPAL_ID({})",
                *user
            ),
            Scope::Server => format!(
                "SELECT r.name FROM sys.server_role_members AS m JOIN sys.server_principals AS r \
                 ON r.principal_id = m.role_principal_id JOIN sys.server_principals AS u \
                 ON u.principal_id = m.member_principal_id WHERE u.name = {}",
                *user
            ),
        };
        let roles = link.ask(&asked).await?.into_iter().flatten().flatten().collect();
        let asked = match scope {
            Scope::Database => format!(
                "SELECT p.state, p.permission_name, {IN_DATABASE}, \
                 CASE WHEN p.class <> 1 OR p.minor_id = 0 THEN N'' \
                 ELSE QUOTENAME(COL_NAME(p.major_id, p.minor_id)) END, p.class_desc \
                 FROM sys.database_permissions AS p \
                 WHERE p.grantee_principal_id = DATABASE_PRINCIPAL_ID({})",
                *user
            ),
            Scope::Server => format!(
                "SELECT p.state, p.permission_name, {ON_SERVER}, N'', p.class_desc \
                 FROM sys.server_permissions AS p JOIN sys.server_principals AS u \
                 ON u.principal_id = p.grantee_principal_id WHERE u.name = {}",
                *user
            ),
        };
        let permissions = read(link.ask(&asked).await?)?;
        Ok(Self { roles, permissions })
    }
}

/// Reads rows of state, permission, what it is for, column and class.
fn read(rows: Vec<Vec<Option<String>>>) -> Result<BTreeMap<Permission, State>, Failure> {
    let mut permissions = BTreeMap::new();
    for row in rows {
        let [Some(state), Some(what), on, column, class] =
            row.try_into().unwrap_or([const { None }; 5])
        else {
            return Err(Failure::Refused("the permissions can't be understood".to_owned()));
        };
        let state = match state.trim_end() {
            "G" => State::Grant,
            "W" => State::GrantOption,
            "D" => State::Deny,
            // Taken from one column of what is had on all: no statement says so to somebody else.
            _ => continue,
        };
        let word = |it: char| it.is_ascii_uppercase() || it == ' ';
        let (Some(on), Some(column), true) = (on, column, what.chars().all(word)) else {
            let class = class.unwrap_or_default();
            let told = format!("a permission {what} on something of the class {class}");
            return Err(Failure::Refused(format!("{told} can't be given to another user")));
        };
        let on = if on.is_empty() { on } else { format!(" ON {on}") };
        let column = if column.is_empty() { column } else { format!(" ({column})") };
        let kept = permissions.entry(Permission { on, column, what }).or_insert(state);
        // The same from several givers: a denial counts, then what goes furthest.
        *kept = match (*kept, state) {
            (State::Deny, _) | (_, State::Deny) => State::Deny,
            (one, other) => one.max(other),
        };
    }
    Ok(permissions)
}

/// The statements after which `user`, who has `from`, has `to`.
pub(super) fn between(from: &Rights, to: &Rights, user: &str, scope: Scope) -> Vec<String> {
    let user = name(user);
    let role = if scope == Scope::Server { "SERVER ROLE" } else { "ROLE" };
    let mut statements = Vec::new();
    for lost in from.roles.difference(&to.roles) {
        statements.push(format!("ALTER {role} {} DROP MEMBER {user}", name(lost)));
    }
    for (permission, state) in &from.permissions {
        let Permission { on, column, what } = permission;
        let given_on = *state == State::GrantOption;
        let cascade = if given_on { " CASCADE" } else { "" };
        match to.permissions.get(permission) {
            None => {
                statements.push(format!("REVOKE {what}{on}{column} FROM {user}{cascade}"));
            }
            Some(State::Grant) if given_on => {
                let right = format!("{what}{on}{column} FROM {user} CASCADE");
                statements.push(format!("REVOKE GRANT OPTION FOR {right}"));
            }
            Some(_) => {}
        }
    }
    for gained in to.roles.difference(&from.roles) {
        statements.push(format!("ALTER {role} {} ADD MEMBER {user}", name(gained)));
    }
    for (permission, state) in &to.permissions {
        let had = from.permissions.get(permission);
        let Permission { on, column, what } = permission;
        let right = format!("{what}{on}{column} TO {user}");
        match (had, state) {
            (Some(had), state) if had == state => {}
            (Some(State::GrantOption), State::Grant) => {}
            (_, State::Grant) => statements.push(format!("GRANT {right}")),
            (_, State::GrantOption) => statements.push(format!("GRANT {right} WITH GRANT OPTION")),
            (Some(State::GrantOption), State::Deny) => {
                statements.push(format!("DENY {right} CASCADE"));
            }
            (_, State::Deny) => statements.push(format!("DENY {right}")),
        }
    }
    statements
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(rows: &[[&str; 5]]) -> Vec<Vec<Option<String>>> {
        let cell = |it: &&str| (*it != "-").then(|| (*it).to_owned());
        rows.iter().map(|row| row.iter().map(cell).collect()).collect()
    }

    fn rights(roles: &[&str], permissions: &[[&str; 5]]) -> Rights {
        let roles = roles.iter().map(|it| (*it).to_owned()).collect();
        Rights { roles, permissions: read(rows(permissions)).expect("understood") }
    }

    #[test]
    fn differences_go_both_ways() {
        type Given<'a> = (&'a [&'a str], &'a [[&'a str; 5]]);
        let table = "OBJECT::[dbo].[t]";
        let grant = ["G ", "SELECT", table, "", "OBJECT_OR_COLUMN"];
        let option = ["W ", "SELECT", table, "", "OBJECT_OR_COLUMN"];
        let deny = ["D ", "SELECT", table, "", "OBJECT_OR_COLUMN"];
        let column = ["D ", "SELECT", table, "[a]]b]", "OBJECT_OR_COLUMN"];
        let all = ["G ", "VIEW DEFINITION", "", "", "DATABASE"];
        #[rustfmt::skip]
        let cases: &[(Given<'_>, Given<'_>, &[&str])] = &[
            ((&["a]"], &[]), (&["b"], &[]),
             &["ALTER ROLE [a]]] DROP MEMBER [u]", "ALTER ROLE [b] ADD MEMBER [u]"]),
            ((&[], &[grant]), (&[], &[all]),
             &["REVOKE SELECT ON OBJECT::[dbo].[t] FROM [u]", "GRANT VIEW DEFINITION TO [u]"]),
            ((&[], &[]), (&[], &[column, grant]),
             &["GRANT SELECT ON OBJECT::[dbo].[t] TO [u]", "DENY SELECT ON OBJECT::[dbo].[t] ([a]]b]) TO [u]"]),
            ((&[], &[grant]), (&[], &[option]),
             &["GRANT SELECT ON OBJECT::[dbo].[t] TO [u] WITH GRANT OPTION"]),
            ((&[], &[option]), (&[], &[grant]),
             &["REVOKE GRANT OPTION FOR SELECT ON OBJECT::[dbo].[t] FROM [u] CASCADE"]),
            ((&[], &[option]), (&[], &[]), &["REVOKE SELECT ON OBJECT::[dbo].[t] FROM [u] CASCADE"]),
            ((&[], &[option]), (&[], &[deny]), &["DENY SELECT ON OBJECT::[dbo].[t] TO [u] CASCADE"]),
            ((&[], &[deny]), (&[], &[grant]), &["GRANT SELECT ON OBJECT::[dbo].[t] TO [u]"]),
            ((&[], &[grant, deny]), (&[], &[deny, grant]), &[]),
        ];
        for (from, to, expected) in cases {
            let (from, to) = (rights(from.0, from.1), rights(to.0, to.1));
            assert_eq!(between(&from, &to, "u", Scope::Database), *expected);
        }
        let server = between(&rights(&["x"], &[]), &rights(&[], &[]), "u", Scope::Server);
        assert_eq!(server, ["ALTER SERVER ROLE [x] DROP MEMBER [u]"]);
    }

    #[test]
    fn what_cant_be_said_to_another_is_refused() {
        for row in [
            ["G ", "CONTROL", "-", "", "SEARCH_PROPERTY_LIST"],
            ["G ", "CONTROL TO x; --", "", "", "DATABASE"],
            ["G ", "SELECT", "OBJECT::[dbo].[t]", "-", "OBJECT_OR_COLUMN"],
            ["-", "SELECT", "", "", "DATABASE"],
        ] {
            assert!(matches!(read(rows(&[row])), Err(Failure::Refused(_))), "{row:?}");
        }
        assert!(read(rows(&[["R ", "SELECT", "", "", "DATABASE"]])).is_ok_and(|it| it.is_empty()));
    }
}
