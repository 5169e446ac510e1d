//! Whose rights a rotation borrows.

use super::SET;
use crate::engine::Ground;
use crate::trouble::{During, Trouble};
use rotators::{Credential, Dialect, Failure, Rotator};
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
    let agreed = of.master.as_ref().filter(|it| covers(it, login, rotator.dialect()));
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
    // What the user may do is told by the database that it uses.
    master.database = master.database.or_else(|| login.database.clone());
    Ok(master)
}

/// Whether `agreed` was said of `login`, or of the user that it takes turns with.
fn covers(agreed: &Agreed, login: &Credential, dialect: &Dialect) -> bool {
    let user = |name: &str| name.strip_suffix(dialect.suffix).unwrap_or(name).to_owned();
    let port = agreed.port.as_ref().map_or(Ok(dialect.port), |it| it.parse());
    Some(agreed.arn.as_str()) == login.master.as_deref()
        && agreed.engine == login.engine
        && agreed.host.eq_ignore_ascii_case(&login.host)
        && port == Ok(login.port.unwrap_or(dialect.port))
        && user(&agreed.username) == user(&login.username)
}
