//! What a change would do and need.

use super::link::Link;
use super::session::{about, alternate};
use super::users::{User, usable};
use crate::{Failure, Finding};
use bson::raw::cstr;
use bson::{Document, RawBsonRef, RawDocument, RawDocumentBuf, rawdoc};

/// What to do for a user that may not change its own password.
pub(super) const OWN: &str = "give it a role with the action `changeOwnPassword` on its database, or name an administrator's secret in `masterarn`";

/// What administrators are asked to do, beside looking at users.
const CHANGE: &[&str] = &["changePassword", "viewUser"];
const ALTERNATE: &[&str] =
    &["changeCustomData", "changePassword", "createUser", "grantRole", "revokeRole", "viewUser"];

/// What to do for an administrator that may not change others.
pub(super) fn administers(link: &Link) -> String {
    let role = "[{ role: \"userAdminAnyDatabase\", db: \"admin\" }]";
    format!("in `{}`: db.grantRolesToUser({:?}, {role})", link.database, link.user)
}

/// See [`crate::Session::foresee`].
pub(super) async fn foresee(
    link: &mut Link,
    user: Option<&str>,
    like: Option<&str>,
) -> Result<Vec<Finding>, Failure> {
    let told = link.ask("admin", rawdoc! { "connectionStatus": 1, "showPrivileges": true }).await?;
    let rights = Rights::of(&told);
    let mut findings = Vec::new();
    findings.extend(
        rights.map(|it| if user.is_none() { own(link, &it) } else { others(link, &it, like) }),
    );
    findings.push(statement(link, user, like).await?);
    Ok(findings)
}

/// Whether the user may do what it is asked to do for itself.
fn own(link: &Link, rights: &Rights<'_>) -> Finding {
    let Link { user, home, .. } = link;
    if rights.permit("changeOwnPassword", home) || rights.permit("changePassword", home) {
        return Finding::Fine(format!("`{user}` may change its own password in `{home}`"));
    }
    Finding::Missing(format!("`{user}` may not change its own password"), OWN.to_owned())
}

/// Whether the administrator may do what it is asked to do for others.
fn others(link: &Link, rights: &Rights<'_>, like: Option<&str>) -> Finding {
    let Link { user, home, .. } = link;
    let needed = if like.is_some() { ALTERNATE } else { CHANGE };
    let lacks = needed.iter().copied().filter(|it| !rights.permit(it, home)).collect::<Vec<_>>();
    if lacks.is_empty() {
        return Finding::Fine(format!("`{user}` may change users in `{home}`"));
    }
    let told = format!("`{user}` may not do everything to users in `{home}`: {}", lacks.join(", "));
    Finding::Missing(told, administers(link))
}

/// The command that would run.
async fn statement(
    link: &mut Link,
    user: Option<&str>,
    like: Option<&str>,
) -> Result<Finding, Failure> {
    let (me, home) = (link.user.clone(), link.home.clone());
    let user = user.unwrap_or(&me);
    [Some(user), like].into_iter().flatten().try_for_each(usable)?;
    let planned = match like {
        Some(like) => alternate(link, like, user).await,
        None => match User::existing(link, user).await {
            Ok(found) => Ok(about(link, cstr!("updateUser"), user, &found)),
            Err(failure) => Err(failure),
        },
    };
    Ok(match planned {
        Ok(command) => Finding::Statement(format!("{home}: {}", shown(&command))),
        Err(Failure::Refused(told)) => {
            Finding::Missing(told, "look at the secret's `username` and `dbname`".to_owned())
        }
        Err(failure) => return Err(failure),
    })
}

/// `command` as people write it, where the password isn't in it yet.
fn shown(command: &RawDocumentBuf) -> String {
    let Ok(mut command) = Document::try_from(command) else { return String::new() };
    command.remove("digestPassword");
    command.insert("pwd", "<password>");
    command.to_string()
}

/// What who is logged in may do.
struct Rights<'a>(Vec<(Option<&'a str>, Vec<&'a str>)>);

impl<'a> Rights<'a> {
    /// Those that `told` tells; `None` if it doesn't.
    fn of(told: &'a RawDocument) -> Option<Self> {
        let info = told.get_document("authInfo").ok()?;
        let all = info.get_array("authenticatedUserPrivileges").ok()?;
        let all = all.into_iter().flatten().filter_map(RawBsonRef::as_document);
        Some(Self(all.filter_map(Self::one).collect()))
    }

    /// On all things of a database, or (`None`) of all databases, and what is permitted.
    fn one(it: &'a RawDocument) -> Option<(Option<&'a str>, Vec<&'a str>)> {
        let resource = it.get_document("resource").ok()?;
        let whose = match (resource.get_str("db"), resource.get_str("collection")) {
            (Ok(""), Ok("")) => None,
            (Ok(database), Ok("")) => Some(database),
            _ if resource.get_bool("anyResource").unwrap_or_default() => None,
            _ => return None,
        };
        let actions = it.get_array("actions").ok()?.into_iter().flatten();
        Some((whose, actions.filter_map(RawBsonRef::as_str).collect()))
    }

    fn permit(&self, action: &str, database: &str) -> bool {
        let on = |whose: Option<&str>| whose.is_none_or(|it| it == database);
        self.0.iter().any(|(whose, actions)| on(*whose) && actions.contains(&action))
    }
}

/// How many rights `told` tells.
pub(super) fn read(told: &RawDocument) -> usize {
    Rights::of(told).map_or(0, |it| it.0.iter().map(|it| it.1.len()).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_are_on_databases() {
        let privileges = [
            rawdoc! { "resource": { "db": "shop", "collection": "" }, "actions": ["viewUser"] },
            rawdoc! { "resource": { "db": "", "collection": "" }, "actions": ["grantRole"] },
            rawdoc! { "resource": { "db": "shop", "collection": "x" }, "actions": ["createUser"] },
            rawdoc! { "resource": { "cluster": true }, "actions": ["createUser"] },
            rawdoc! { "resource": { "anyResource": true }, "actions": ["anyAction"] },
        ];
        let privileges = crate::mongo::link::array(&privileges);
        let told = rawdoc! { "authInfo": { "authenticatedUserPrivileges": privileges } };
        let rights = Rights::of(&told).expect("told");
        for (action, database, may) in [
            ("viewUser", "shop", true),
            ("viewUser", "admin", false),
            ("grantRole", "admin", true),
            ("createUser", "shop", false),
            ("anyAction", "shop", true),
        ] {
            assert_eq!(rights.permit(action, database), may, "{action} on {database}");
        }
        assert_eq!(read(&told), 3);
        assert!(Rights::of(&rawdoc! { "authInfo": {} }).is_none());
    }
}
