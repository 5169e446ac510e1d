//! Users who are to be what a role is: the statements that make them, for engines that have roles.

use crate::{Dialect, Failure};

/// The statements that make a lease's user a member of `roles`, in which `{{name}}` and the like stand as in
/// [`Lease::creation`](crate::Lease). Rights come from the roles alone.
///
/// # Errors
///
/// [`Failure::Invalid`]: the engine has no roles here, or a name can't be one.
pub fn creation(dialect: &Dialect, roles: &[String]) -> Result<Vec<String>, Failure> {
    roles.iter().try_for_each(|it| check(it, dialect))?;
    let mut statements = Vec::with_capacity(roles.len() + 2);
    match dialect.name {
        "PostgreSQL" => {
            let made =
                "CREATE ROLE {{name}} LOGIN PASSWORD {{password}} VALID UNTIL {{expiration}}";
            statements.push(made.to_owned());
            let quoted = roles.iter().map(|it| format!("\"{}\"", it.replace('"', "\"\"")));
            statements.extend(quoted.map(|it| format!("GRANT {it} TO {{{{name}}}}")));
        }
        "MySQL" | "MariaDB" => {
            statements.push("CREATE USER {{name}}@'%' IDENTIFIED BY {{password}}".to_owned());
            let quoted: Vec<_> =
                roles.iter().map(|it| format!("`{}`", it.replace('`', "``"))).collect();
            statements.extend(quoted.iter().map(|it| format!("GRANT {it} TO {{{{name}}}}@'%'")));
            statements.extend(active(dialect, &quoted)?);
        }
        name => {
            let told = format!("{name} has no `roles` here: say what the user gets in `creation`");
            return Err(Failure::Invalid(told));
        }
    }
    Ok(statements)
}

/// What makes the roles count from the first statement of a connection on.
fn active(dialect: &Dialect, quoted: &[String]) -> Result<Option<String>, Failure> {
    match (dialect.name, quoted) {
        (_, []) => Ok(None),
        ("MySQL", _) => Ok(Some("SET DEFAULT ROLE ALL TO {{name}}@'%'".to_owned())),
        (_, [one]) => Ok(Some(format!("SET DEFAULT ROLE {one} FOR {{{{name}}}}@'%'"))),
        _ => {
            let told =
                "MariaDB lets a user have one role that counts by itself: name one in `roles`";
            Err(Failure::Invalid(told.to_owned()))
        }
    }
}

/// Refuses what no role can be called, and what would be filled in.
fn check(role: &str, dialect: &Dialect) -> Result<(), Failure> {
    let fits = !role.is_empty() && role.len() <= dialect.longest_name;
    if fits && !role.contains("{{") && !role.contains(char::is_control) {
        return Ok(());
    }
    Err(Failure::Invalid("`roles` has a name that no role can have".to_owned()))
}

/// Whether a server of the engine itself ends logins of a lease at its end, so that it must be told of another.
pub fn keeps_expiration(dialect: &Dialect) -> bool {
    matches!(dialect.name, "PostgreSQL" | "Redshift")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dialect(name: &'static str) -> Dialect {
        Dialect {
            name,
            engines: &[],
            port: 1,
            database: None,
            excluded: "",
            longest_password: 32,
            longest_name: 63,
            suffix: "_clone",
            overlaps: false,
            changes_own: true,
        }
    }

    #[test]
    fn names_of_roles_stay_names() {
        let hostile = ["a\"; DROP ROLE x; --".to_owned()];
        let made = creation(&dialect("PostgreSQL"), &hostile).expect("quoted");
        assert_eq!(made[1], "GRANT \"a\"\"; DROP ROLE x; --\" TO {{name}}");
        let hostile = ["a`@x; --".to_owned()];
        let made = creation(&dialect("MariaDB"), &hostile).expect("quoted");
        assert_eq!(
            made[1..],
            ["GRANT `a``@x; --` TO {{name}}@'%'", "SET DEFAULT ROLE `a``@x; --` FOR {{name}}@'%'"]
        );
        for wrong in ["", "{{password}}", "a\nb", "a\0b", &"x".repeat(64)] {
            let refused = creation(&dialect("PostgreSQL"), &[wrong.to_owned()]);
            assert!(matches!(refused, Err(Failure::Invalid(_))), "{wrong}");
        }
    }

    #[test]
    fn what_an_engine_cant_is_told() {
        let roles = ["a".to_owned(), "b".to_owned()];
        assert!(creation(&dialect("Redis"), &roles).is_err());
        assert!(creation(&dialect("MariaDB"), &roles).is_err());
        assert_eq!(creation(&dialect("MySQL"), &roles).expect("several").len(), 4);
    }
}
