//! Aliases: names that lead to keys.
//!
//! Source: KMS Developer Guide, "Aliases in KMS".

use crate::access::Asker;
use crate::exception::Exception;
use crate::rows::{AliasRow, aliases};
use crate::{KmsKey, Place, limits, lookup};
use service::{Action, Call, Operation, Permit, Target};
use store::Txn;
use wire::Violations;
use wire::members::Text;

/// What every alias begins with.
const PREFIX: &str = "alias/";

/// The model's constraints on the name of an alias.
pub(crate) fn constraints(found: &mut Violations, given: Option<&Text>) {
    found.required("aliasName", given);
    found.length("aliasName", given, limits::ALIAS);
    found.pattern("aliasName", given, "^[a-zA-Z0-9:/_-]+$", |text| {
        text.bytes().all(|it| it.is_ascii_alphanumeric() || b":/_-".contains(&it))
    });
}

/// Asks whether `operation` may touch the alias `given`, as a thing of its own beside its key.
pub(crate) fn ask<O: Operation>(
    call: &Call<'_>,
    (operation, action): (&O, Action),
    given: Option<&Text>,
) -> Result<Permit, Exception> {
    let arn = lookup::place(call).arn(given.map(Text::as_str).unwrap_or_default());
    let target = Target { keys: &Asker(call), ..Target::of(&call.caller.account, Some(&arn)) };
    Ok(call.permit(operation, action, target)?)
}

/// What follows `alias/` in a name that customers may give.
pub(crate) fn own_name(given: Option<&Text>) -> Result<&str, Exception> {
    let name = given.map(Text::as_str).unwrap_or_default();
    let name = name.strip_prefix(PREFIX).filter(|it| !it.is_empty());
    let name = name.ok_or(Exception::AliasPrefix)?;
    if name.starts_with("aws/") {
        return Err(Exception::AliasReserved);
    }
    if name.contains(':') {
        return Err(Exception::Invalid(format!("{PREFIX}{name} is not a valid alias name.")));
    }
    Ok(name)
}

/// That no alias is called `name`.
pub(crate) fn missing(place: Place<'_>, name: &str) -> Exception {
    Exception::NotFound(format!("Alias {} is not found.", place.arn(&format!("{PREFIX}{name}"))))
}

/// Lets the alias `name` lead to `key`, which is saved.
pub(crate) fn bind(
    txn: &mut Txn<'_>,
    key: &KmsKey,
    name: &str,
    row: &AliasRow,
) -> Result<(), Exception> {
    let mut key = key.clone();
    key.aliases.insert(name.to_owned());
    if key.aliases.len() > limits::ALIASES_PER_KEY {
        return Err(Exception::Limit(format!(
            "A key can have at most {} aliases.",
            limits::ALIASES_PER_KEY
        )));
    }
    txn.save(&aliases(), &(key.place(), name), row)?;
    Ok(key.save(txn)?)
}

/// Takes the alias `name` off `key`, which is saved. The alias's own row stays.
pub(crate) fn unbind(txn: &mut Txn<'_>, key: &KmsKey, name: &str) -> Result<(), store::Error> {
    let mut key = key.clone();
    key.aliases.remove(name);
    key.save(txn)
}
