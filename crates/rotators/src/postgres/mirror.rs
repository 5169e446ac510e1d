//! How the second of two alternating users is made, and kept like the first.
//!
//! The alternate is a member of the original and starts each session as it (`SET role`). So it may do what the
//! original may at that very moment, what it makes belongs to the original, and whatever is granted or revoked
//! follows without us. What doesn't follow (attributes, limits, settings, other memberships) is compared each time.
//! A comment tells the roles that were made here from all others.

use super::role::{ATTRIBUTES, Role};
use crate::Failure;
use postgres_protocol::escape::{escape_identifier, escape_literal};

/// The statements after which `user` (with what is known of it, if it exists) is like `like`. `password` is a quoted
/// verifier.
///
/// # Errors
///
/// [`Failure::Refused`] if the user belongs to somebody else.
pub(super) fn plan(
    like: &Role,
    user: &str,
    found: Option<&Role>,
    password: &str,
) -> Result<Vec<String>, Failure> {
    let quoted = escape_identifier(user);
    if like.comment == mark(user) {
        // The way back: the original is what the alternate is like.
        return match found {
            Some(_) => Ok(vec![format!("ALTER ROLE {quoted} PASSWORD {password}")]),
            None => Err(Failure::Refused(format!("there is no user `{user}`"))),
        };
    }
    let mark = mark(&like.name);
    if found.is_some_and(|it| it.comment != mark) {
        let hint = format!("COMMENT ON ROLE {quoted} IS {}", escape_literal(&mark));
        return Err(Failure::Refused(format!(
            "the user `{user}` exists and was not made for `{}`\nhint: if it may be taken over: {hint}",
            like.name
        )));
    }
    let verb = if found.is_some() { "ALTER" } else { "CREATE" };
    let mut plan = vec![format!("{verb} ROLE {quoted} LOGIN PASSWORD {password}")];
    let made = Role::new(user);
    let found = found.unwrap_or(&made);
    plan.extend(attributes(like, found, &quoted));
    plan.extend(memberships(like, found, &quoted));
    plan.extend(settings(like, found, &quoted));
    if found.comment != mark {
        plan.push(format!("COMMENT ON ROLE {quoted} IS {}", escape_literal(&mark)));
    }
    Ok(plan)
}

/// What is written on a role that was made here to alternate with `original`.
pub(super) fn mark(original: &str) -> String {
    format!("strongroom alternate of {original}")
}

fn attributes(like: &Role, found: &Role, quoted: &str) -> Option<String> {
    let pairs = ATTRIBUTES.iter().zip(like.attributes.iter().zip(&found.attributes));
    let differ = pairs.filter(|(_, (wanted, has))| wanted != has);
    let mut all: Vec<_> =
        differ.map(|(it, (wanted, _))| if *wanted { it.1 } else { it.2 }.to_owned()).collect();
    if like.limit != found.limit {
        all.push(format!("CONNECTION LIMIT {}", like.limit));
    }
    if like.until != found.until {
        let until = if like.until.is_empty() { "infinity" } else { &like.until };
        all.push(format!("VALID UNTIL {}", escape_literal(until)));
    }
    (!all.is_empty()).then(|| format!("ALTER ROLE {quoted} {}", all.join(" ")))
}

fn memberships(like: &Role, found: &Role, quoted: &str) -> Vec<String> {
    let others = found.member_of.iter().filter(|it| **it != like.name);
    let mut all: Vec<_> =
        others.map(|it| format!("REVOKE {} FROM {quoted}", escape_identifier(it))).collect();
    if !found.member_of.contains(&like.name) {
        all.push(format!("GRANT {} TO {quoted}", escape_identifier(&like.name)));
    }
    all
}

fn settings(like: &Role, found: &Role, quoted: &str) -> Vec<String> {
    let mut wanted = like.settings.clone();
    // Unless the original itself starts as another.
    wanted.entry((String::new(), "role".to_owned())).or_insert_with(|| like.name.clone());
    let mut all = Vec::new();
    for (database, name) in found.settings.keys().filter(|it| !wanted.contains_key(*it)) {
        all.push(format!("ALTER ROLE {quoted}{} RESET {}", within(database), setting(name)));
    }
    for ((database, name), value) in wanted {
        let place = (database, name);
        if found.settings.get(&place) == Some(&value) {
            continue;
        }
        let (name, value) = (&place.1, escape_literal(&value));
        let role = format!("ALTER ROLE {quoted}{} SET {}", within(&place.0), setting(name));
        if LISTS.contains(&name.as_str()) {
            // As one word it would be one name; the server itself takes the list apart.
            let name = escape_literal(name);
            all.push(format!("SELECT pg_catalog.set_config({name}, {value}, true)"));
            all.push(format!("{role} FROM CURRENT"));
        } else {
            all.push(format!("{role} TO {value}"));
        }
    }
    all
}

/// Settings that are lists of quoted names.
const LISTS: &[&str] = &[
    "local_preload_libraries",
    "search_path",
    "session_preload_libraries",
    "temp_tablespaces",
    "unix_socket_directories",
];

fn within(database: &str) -> String {
    if database.is_empty() {
        return String::new();
    }
    format!(" IN DATABASE {}", escape_identifier(database))
}

/// The name of a setting, which may have a prefix.
fn setting(name: &str) -> String {
    name.split('.').map(escape_identifier).collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(name: &str, change: impl FnOnce(&mut Role)) -> Role {
        let mut role = Role::new(name);
        change(&mut role);
        role
    }

    fn at(database: &str, name: &str) -> (String, String) {
        (database.to_owned(), name.to_owned())
    }

    #[test]
    fn a_first_alternate_gets_everything() {
        let like = role("a\"pp", |it| {
            it.attributes[3] = true;
            it.limit = "5".into();
            it.until = "2030-01-01 00:00:00+00".into();
            it.settings.insert(at("", "search_path"), "\"$user\", public".into());
            it.settings.insert(at("db", "my.tenant"), "x'y".into());
        });
        let expected = [
            r#"CREATE ROLE "b" LOGIN PASSWORD <password>"#,
            r#"ALTER ROLE "b" CREATEDB CONNECTION LIMIT 5 VALID UNTIL '2030-01-01 00:00:00+00'"#,
            r#"GRANT "a""pp" TO "b""#,
            r#"ALTER ROLE "b" SET "role" TO 'a"pp'"#,
            r#"SELECT pg_catalog.set_config('search_path', '"$user", public', true)"#,
            r#"ALTER ROLE "b" SET "search_path" FROM CURRENT"#,
            r#"ALTER ROLE "b" IN DATABASE "db" SET "my"."tenant" TO 'x''y'"#,
            r#"COMMENT ON ROLE "b" IS 'strongroom alternate of a"pp'"#,
        ];
        assert_eq!(plan(&like, "b", None, "<password>").expect("a plan"), expected);
    }

    #[test]
    fn later_only_what_differs_is_said() {
        let like = role("app", |_| ());
        let like_it = |it: &mut Role| {
            it.comment = mark("app");
            it.member_of.insert("app".into());
            it.settings.insert(at("", "role"), "app".into());
        };
        let same = role("b", like_it);
        let password = r#"ALTER ROLE "b" LOGIN PASSWORD <password>"#;
        assert_eq!(plan(&like, "b", Some(&same), "<password>").expect("a plan"), [password]);
        let strayed = role("b", |it| {
            like_it(it);
            it.attributes[0] = true;
            it.until = "2001-01-01".into();
            it.member_of.insert("admins".into());
            it.settings.insert(at("db", "work_mem"), "1GB".into());
        });
        let expected = [
            password,
            r#"ALTER ROLE "b" NOSUPERUSER VALID UNTIL 'infinity'"#,
            r#"REVOKE "admins" FROM "b""#,
            r#"ALTER ROLE "b" IN DATABASE "db" RESET "work_mem""#,
        ];
        assert_eq!(plan(&like, "b", Some(&strayed), "<password>").expect("a plan"), expected);
    }

    #[test]
    fn only_what_was_made_here_is_taken() {
        let (app, clone) = (role("app", |_| ()), role("app_clone", |it| it.comment = mark("app")));
        let foreign = role("app_clone", |_| ());
        let back = plan(&clone, "app", Some(&app), "<password>").expect("the original");
        assert_eq!(back, [r#"ALTER ROLE "app" PASSWORD <password>"#]);
        let refused = plan(&app, "app_clone", Some(&foreign), "<password>").expect_err("foreign");
        assert!(
            matches!(refused, Failure::Refused(told) if told.contains("was not made for `app`"))
        );
        let gone = plan(&clone, "app", None, "<password>");
        assert_eq!(gone, Err(Failure::Refused("there is no user `app`".to_owned())));
        let refused = plan(&clone, "other", Some(&role("other", |_| ())), "<password>");
        assert!(matches!(refused, Err(Failure::Refused(_))));
    }
}
