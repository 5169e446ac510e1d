//! What the server knows of a role.

use super::connection::{Connection, text};
use crate::Failure;
use postgres_protocol::escape::escape_literal;
use std::collections::{BTreeMap, BTreeSet};
use tokio_postgres::SimpleQueryRow;

/// A role, without what it may do to objects.
#[derive(Clone, Debug, Default)]
pub(super) struct Role {
    pub(super) name: String,
    /// Its attributes, in the order of [`ATTRIBUTES`].
    pub(super) attributes: Vec<bool>,
    /// Whether it may log in, and its password hasn't expired.
    pub(super) logs_in: bool,
    /// How many connections it may have; `-1` for any number.
    pub(super) limit: String,
    /// Until when its password is good; empty for ever.
    pub(super) until: String,
    /// What is written on it.
    pub(super) comment: String,
    /// The roles that it is a member of.
    pub(super) member_of: BTreeSet<String>,
    /// Its settings: by database (empty: in all) and name.
    pub(super) settings: BTreeMap<(String, String), String>,
}

/// Columns of attributes, and how they are called in statements.
pub(super) const ATTRIBUTES: &[(&str, &str, &str)] = &[
    ("rolsuper", "SUPERUSER", "NOSUPERUSER"),
    ("rolinherit", "INHERIT", "NOINHERIT"),
    ("rolcreaterole", "CREATEROLE", "NOCREATEROLE"),
    ("rolcreatedb", "CREATEDB", "NOCREATEDB"),
    ("rolreplication", "REPLICATION", "NOREPLICATION"),
    ("rolbypassrls", "BYPASSRLS", "NOBYPASSRLS"),
];

impl Role {
    /// A role called `name`, as it is when it has just been made.
    pub(super) fn new(name: &str) -> Self {
        let attributes = ATTRIBUTES.iter().map(|it| it.0 == "rolinherit").collect();
        Self { name: name.to_owned(), attributes, limit: "-1".to_owned(), ..Self::default() }
    }

    /// The role called `name`, if there is one.
    pub(super) async fn find(
        connection: &mut Connection,
        name: &str,
    ) -> Result<Option<Self>, Failure> {
        let quoted = escape_literal(name);
        let columns: Vec<_> = ATTRIBUTES.iter().map(|it| it.0).collect();
        let asked = format!(
            "SELECT {}, rolconnlimit, rolvaliduntil, \
             rolcanlogin AND coalesce(now() < rolvaliduntil, true) AS logs_in, \
             pg_catalog.shobj_description(oid, 'pg_authid') AS comment \
             FROM pg_catalog.pg_roles WHERE rolname = {quoted}",
            columns.join(", ")
        );
        let rows = connection.run(&asked).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let mut role = Self::of(name, row);
        let asked = format!(
            "SELECT g.rolname FROM pg_catalog.pg_auth_members m \
             JOIN pg_catalog.pg_roles g ON g.oid = m.roleid \
             JOIN pg_catalog.pg_roles u ON u.oid = m.member WHERE u.rolname = {quoted}"
        );
        let rows = connection.run(&asked).await?;
        role.member_of = rows.iter().map(|it| text(it, "rolname")).collect();
        let asked = format!(
            "SELECT d.datname, c FROM pg_catalog.pg_db_role_setting s \
             JOIN pg_catalog.pg_roles u ON u.oid = s.setrole \
             CROSS JOIN LATERAL unnest(s.setconfig) AS c \
             LEFT JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase \
             WHERE u.rolname = {quoted}"
        );
        for row in connection.run(&asked).await? {
            if let Some((name, value)) = text(&row, "c").split_once('=') {
                role.settings.insert((text(&row, "datname"), name.to_owned()), value.to_owned());
            }
        }
        Ok(Some(role))
    }

    fn of(name: &str, row: &SimpleQueryRow) -> Self {
        Self {
            attributes: ATTRIBUTES.iter().map(|it| text(row, it.0) == "t").collect(),
            logs_in: text(row, "logs_in") == "t",
            limit: text(row, "rolconnlimit"),
            until: text(row, "rolvaliduntil"),
            comment: text(row, "comment"),
            ..Self::new(name)
        }
    }

    /// Whether it has the attribute `column`.
    pub(super) fn has(&self, column: &str) -> bool {
        ATTRIBUTES.iter().zip(&self.attributes).any(|(it, has)| it.0 == column && *has)
    }
}
