//! What a user may do, read from `SHOW GRANTS`, and how one user comes to what another may.

use super::quote::{Account, name};
use std::collections::BTreeSet;

/// One thing that a user may do, or, of something larger, may not. Texts are the server's own, quoted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Right {
    /// `what` on `on`; `option` if it may be given on by itself.
    Privilege { what: String, on: String, option: bool },
    /// Whatever is had on `on` may be given on.
    GrantOption { on: String },
    /// `what`, had everywhere, isn't had on `on`.
    Withheld { what: String, on: String },
    /// What a role may; `admin` if it may be given on.
    Role { role: String, admin: bool },
}

pub(crate) type Rights = BTreeSet<Right>;

const ALL: &str = "ALL PRIVILEGES";

/// Reads the `lines` of `SHOW GRANTS FOR account`; `None` if they can't be understood.
pub(crate) fn read<'a>(
    lines: impl IntoIterator<Item = &'a str>,
    account: &Account,
) -> Option<Rights> {
    let quoted = format!("'{}'@'{}'", account.user, account.host);
    let grantees = [account.to_string(), quoted];
    let mut rights = Rights::new();
    let mut own = false;
    for line in lines {
        let Some((verb, rest)) = line.split_once(' ') else { continue };
        let separator = match verb {
            "GRANT" => " TO ",
            "REVOKE" => " FROM ",
            // `SET DEFAULT ROLE`: read where the server keeps it.
            _ => continue,
        };
        let (given, rest) = split_once(rest, separator)?;
        // Roles of the account may be listed with it.
        let Some(rest) = grantees.iter().find_map(|it| rest.strip_prefix(it.as_str())) else {
            continue;
        };
        own = true;
        one(&mut rights, verb == "REVOKE", given, rest);
    }
    own.then_some(rights)
}

/// Adds what one line says: what is `given`, and the `rest` after the user's name.
fn one(rights: &mut Rights, withheld: bool, given: &str, rest: &str) {
    let Some((privileges, on)) = split_once(given, " ON ") else {
        let admin = split_once(rest, "WITH ADMIN OPTION").is_some();
        let roles = split(given, ',').into_iter().map(|it| it.trim().to_owned());
        rights.extend(roles.map(|role| Right::Role { role, admin }));
        return;
    };
    let (given_on, on) = (split_once(rest, "GRANT OPTION").is_some(), on.to_owned());
    for what in split(privileges, ',').into_iter().flat_map(columns) {
        if withheld {
            rights.insert(Right::Withheld { what, on: on.clone() });
            continue;
        }
        // A privilege with an underscore is dynamic: only it itself may be given on.
        let alone = what == "PROXY" || what.contains('_') && !what.contains('`');
        if given_on && !alone {
            rights.insert(Right::GrantOption { on: on.clone() });
        }
        if what != "USAGE" {
            rights.insert(Right::Privilege { what, on: on.clone(), option: given_on && alone });
        }
    }
}

/// `SELECT (a, b)` as `SELECT (a)` and `SELECT (b)`.
fn columns(privilege: &str) -> Vec<String> {
    let privilege = privilege.trim();
    match privilege.split_once(" (").and_then(|(what, list)| Some((what, list.strip_suffix(')')?)))
    {
        Some((what, list)) => {
            split(list, ',').into_iter().map(|it| format!("{what} ({})", it.trim())).collect()
        }
        None => vec![privilege.to_owned()],
    }
}

/// The statements after which who has `from` has `to`.
pub(crate) fn between(from: &Rights, to: &Rights, grantee: &Account) -> Vec<String> {
    let has_all = |on: &str| {
        to.iter().any(
            |it| matches!(it, Right::Privilege { what, on: its, .. } if what == ALL && its == on),
        )
    };
    let mut lifted = Vec::new();
    let mut statements = Vec::new();
    for lost in from.difference(to) {
        match lost {
            // Of what is had everywhere; so it comes before that is lost.
            Right::Withheld { what, on } => {
                lifted.push(format!("GRANT {what} ON {on} TO {grantee}"));
            }
            Right::Privilege { what, on, .. } if what == ALL || !has_all(on) => {
                statements.push(format!("REVOKE {what} ON {on} FROM {grantee}"));
            }
            Right::Privilege { .. } => {}
            Right::GrantOption { on } => {
                statements.push(format!("REVOKE GRANT OPTION ON {on} FROM {grantee}"));
            }
            Right::Role { role, .. } => statements.push(format!("REVOKE {role} FROM {grantee}")),
        }
    }
    let mut withheld = Vec::new();
    for gained in to.difference(from) {
        match gained {
            Right::Privilege { what, on, option } => {
                let option = if *option { " WITH GRANT OPTION" } else { "" };
                statements.push(format!("GRANT {what} ON {on} TO {grantee}{option}"));
            }
            Right::GrantOption { on } => {
                statements.push(format!("GRANT GRANT OPTION ON {on} TO {grantee}"));
            }
            Right::Role { role, admin } => {
                let option = if *admin { " WITH ADMIN OPTION" } else { "" };
                statements.push(format!("GRANT {role} TO {grantee}{option}"));
            }
            Right::Withheld { what, on } => {
                withheld.push(format!("REVOKE {what} ON {on} FROM {grantee}"));
            }
        }
    }
    [lifted, statements, withheld].concat()
}

/// Whether `rights` hold `privilege` everywhere.
pub(crate) fn everywhere(rights: &Rights, privilege: &str) -> bool {
    rights.iter().any(|it| match it {
        Right::Privilege { what, on, .. } => on == "*.*" && (what == ALL || what == privilege),
        _ => false,
    })
}

/// Splits `text` at the first `separator` that stands neither in quotes nor in brackets.
fn split_once<'a>(text: &'a str, separator: &str) -> Option<(&'a str, &'a str)> {
    let at = bare(text).find(|&at| text.get(at..).is_some_and(|it| it.starts_with(separator)))?;
    Some((text.get(..at)?, text.get(at + separator.len()..)?))
}

/// Splits `text` at each such `separator`.
fn split(text: &str, separator: char) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    for at in bare(text) {
        if text.get(at..).is_some_and(|it| it.starts_with(separator)) {
            parts.extend(text.get(start..at));
            start = at + separator.len_utf8();
        }
    }
    parts.extend(text.get(start..));
    parts
}

/// Where the characters of `text` are that stand neither in quotes nor in brackets. A quote that is doubled
/// ends and begins again.
fn bare(text: &str) -> impl Iterator<Item = usize> {
    let mut quote = None;
    let mut depth = 0_u32;
    text.char_indices().filter_map(move |(at, c)| {
        match (quote, c) {
            (Some(open), _) if open == c => quote = None,
            (None, '`' | '\'' | '"') => quote = Some(c),
            (None, '(') => depth += 1,
            (None, ')') => depth = depth.saturating_sub(1),
            (None, _) if depth == 0 => return Some(at),
            _ => {}
        }
        None
    })
}

/// A role as MariaDB names it, or an account as a role.
pub(crate) fn role(user: &str, host: Option<&str>) -> String {
    host.map_or_else(|| name(user), |host| format!("{}@{}", name(user), name(host)))
}

#[cfg(test)]
mod tests;
