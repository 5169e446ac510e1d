//! Whose rights a rotation may borrow: who calls RotateSecret must have them.

use super::Agreed;
use crate::operations::get_secret_value;
use crate::secret::{Place, Secret};
use crate::stages::Label;
use crate::{Error, lookup, value};
use service::{Call, Permit};
use store::Txn;
use wire::members::Text;

/// What this server reads of a value to know whose rights it needs, and for whom.
#[derive(serde::Deserialize)]
struct Names {
    masterarn: String,
    engine: String,
    host: String,
    #[serde(default)]
    port: serde_json::Value,
    #[serde(default)]
    dbname: serde_json::Value,
    username: String,
}

/// The administrator's secret that the current value names, if it names one. Who has this server use it must be
/// one who may read it: else who may write one secret would have any user's password changed.
pub(crate) async fn given(
    (call, txn, permit): (&Call<'_>, &mut Txn<'_>, &Permit),
    place: &Place,
    secret: &Secret,
) -> Result<Option<Agreed>, Error> {
    let Some(id) = secret.stages.holder(&Label::CURRENT) else { return Ok(None) };
    let Some(version) = value::find(txn, place, secret, id).await? else { return Ok(None) };
    let opened = match value::open((call, txn, permit), place, secret, &version).await {
        Ok(opened) => opened,
        Err(error @ (Error::Sealing(_) | Error::Store(_))) => return Err(error),
        // Without it, nothing is agreed to.
        Err(_) => return Ok(None),
    };
    let Ok(Names { masterarn: arn, engine, host, port, dbname, username }) =
        serde_json::from_slice(opened.expose())
    else {
        return Ok(None);
    };
    if arn.is_empty() {
        return Ok(None);
    }
    if !may_borrow((call, txn), place, &arn).await? {
        return Ok(None);
    }
    let (port, database) = (text(port), text(dbname));
    Ok(Some(Agreed { arn, engine, host, port, database, username }))
}

/// A member as text, as those that log in read it.
fn text(member: serde_json::Value) -> Option<String> {
    match member {
        serde_json::Value::String(text) => Some(text).filter(|it| !it.is_empty()),
        serde_json::Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// That the caller may read the administrator's secret `arn` of `place`, by its policies and by its key. `false` if
/// there is no such secret.
///
/// The secret is the one that this server would use: who calls from another account means none of that one.
pub(crate) async fn may_borrow(
    (call, txn): (&Call<'_>, &mut Txn<'_>),
    place: &Place,
    arn: &str,
) -> Result<bool, Error> {
    let meant = match lookup::named(arn, place) {
        Some((its, name, complete)) if its == *place => {
            let found = lookup::by_name(txn, place, name).await?;
            found.filter(|it| complete.is_none_or(|arn| it.arn == arn))
        }
        _ => None,
    };
    let whole = meant.as_ref().map_or(arn, |it| it.arn.as_str()).to_owned();
    let found = lookup::find(call, txn, Some(&Text::from(whole.as_str()))).await?;
    let attached = found.attached();
    let permit = call.authorize(get_secret_value::ACTION, found.target(attached.as_slice()))?;
    if meant.is_none() {
        return Ok(false);
    }
    let (place, secret) = found.live()?;
    let id = secret.version_of(&Label::CURRENT)?;
    let version = value::find(txn, &place, &secret, id).await?;
    let version = version.ok_or(Error::NoValueForLabel(Label::CURRENT))?;
    value::open((call, txn, &permit), &place, &secret, &version).await?;
    Ok(true)
}
