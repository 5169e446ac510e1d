//! Whose rights a rotation borrows.

use super::SET;
use crate::engine::Ground;
use crate::trouble::{During, Trouble};
use rotators::{Credential, Failure, Rotator};
use secrets::rotation::Agreed;
use secrets::rotation::work::{self, Assignment};

/// The login of the administrator that `login` names: of the same server, and agreed to for this user by
/// somebody who may read that secret. Else whoever may write `login` would have any user's password changed.
pub(crate) async fn login_of(
    ground: &Ground,
    of: &Assignment,
    rotator: &dyn Rotator,
    login: &Credential,
) -> Result<Credential, Trouble> {
    let invalid = |told: &str| Trouble::Server(SET, Failure::Invalid(told.to_owned()));
    let arn = login.master.as_deref();
    let arn = arn.ok_or_else(|| invalid("the secret's value has no `masterarn`"))?;
    let agreed = of.master.as_ref().filter(|it| covers(it, login, rotator));
    if agreed.is_none() {
        return Err(invalid(
            "the secret's user, server or `masterarn` is not what it was when RotateSecret was called; somebody who may read the administrator's secret has to call it again",
        ));
    }
    let text = work::master(ground.work(), of, arn).await.during(SET)?;
    let mut master = Credential::parse(&text).during(SET)?;
    let engine = ground.rotators.of_engine(&master.engine);
    let same = engine.is_some_and(|it| it.dialect().name == rotator.dialect().name);
    let port = |it: &Credential| it.port.unwrap_or(rotator.dialect().port);
    if !same || !master.host.eq_ignore_ascii_case(&login.host) || port(&master) != port(login) {
        return Err(invalid("the administrator's secret is for another server"));
    }
    match rotator.home(login) {
        // The administrator may be at home elsewhere.
        Some(home) => master.home = Some(home.to_owned()),
        // What the user may do is told by the database that it uses.
        None => master.database = master.database.or_else(|| login.database.clone()),
    }
    Ok(master)
}

/// Whether `agreed` was said of `login`, or of the user that it takes turns with.
fn covers(agreed: &Agreed, login: &Credential, rotator: &dyn Rotator) -> bool {
    let dialect = rotator.dialect();
    let user = |name: &str| name.strip_suffix(dialect.suffix).unwrap_or(name).to_owned();
    // Of most engines a database is only where a login begins.
    let database = agreed.database.as_deref().or(dialect.database);
    let same_realm = rotator.realm(login).is_none_or(|it| it == database.unwrap_or_default());
    let port = agreed.port.as_ref().map_or(Ok(dialect.port), |it| it.parse());
    Some(agreed.arn.as_str()) == login.master.as_deref()
        && agreed.engine == login.engine
        && agreed.host.eq_ignore_ascii_case(&login.host)
        && port == Ok(login.port.unwrap_or(dialect.port))
        && same_realm
        && user(&agreed.username) == user(&login.username)
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_trait::async_trait;
    use base::Sensitive;
    use rotators::{Dialect, Session, Trust};

    /// Users of it belong to databases, may do so, or don't.
    #[derive(Debug, PartialEq)]
    enum Homely {
        Always,
        Perhaps,
        Never,
    }

    static DIALECT: Dialect = Dialect {
        name: "Homely",
        engines: &["homely"],
        port: 7,
        database: Some("admin"),
        excluded: "",
        longest_password: 64,
        longest_name: 64,
        suffix: "_clone",
        overlaps: false,
        changes_own: false,
    };

    #[async_trait]
    impl Rotator for Homely {
        fn dialect(&self) -> &'static Dialect {
            &DIALECT
        }

        fn home<'a>(&self, login: &'a Credential) -> Option<&'a str> {
            (*self == Self::Always).then(|| login.database.as_deref().unwrap_or("admin"))
        }

        fn realm<'a>(&self, login: &'a Credential) -> Option<&'a str> {
            (*self != Self::Never).then(|| login.database.as_deref().unwrap_or("admin"))
        }

        async fn connect(&self, _: &Credential, _: &Trust) -> Result<Box<dyn Session>, Failure> {
            Err(Failure::Unreachable(String::new()))
        }
    }

    #[test]
    fn who_agreed_to_a_user_agreed_to_no_other_of_that_name() {
        #[rustfmt::skip]
        let cases = [
            // agreed       the value says         homely, else
            (None,          "",                    true,  true),
            (None,          r#","dbname":"admin""#, true,  true),
            (Some("admin"), "",                    true,  true),
            (Some("shop"),  r#","dbname":"shop""#,  true,  true),
            (Some("shop"),  "",                    false, true),
            (Some("shop"),  r#","dbname":"admin""#, false, true),
            (None,          r#","dbname":"shop""#,  false, true),
        ];
        for (database, more, homely, else_) in cases {
            let agreed = Agreed {
                arn: "arn:m".to_owned(),
                engine: "homely".to_owned(),
                host: "h".to_owned(),
                port: None,
                database: database.map(str::to_owned),
                username: "app".to_owned(),
            };
            let text = format!(
                r#"{{"engine":"homely","host":"h","username":"app","password":"p","masterarn":"arn:m"{more}}}"#
            );
            let login = Credential::parse(&Sensitive::from(text)).expect("a login");
            for engine in [Homely::Always, Homely::Perhaps] {
                assert_eq!(
                    covers(&agreed, &login, &engine),
                    homely,
                    "{engine:?} {database:?} {more}"
                );
            }
            assert_eq!(covers(&agreed, &login, &Homely::Never), else_, "{database:?} {more}");
        }
    }
}
