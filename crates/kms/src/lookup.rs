//! From an operation's `KeyId` to a key that its caller may touch.

use crate::access::{self, Asker, Pairs, Question};
use crate::exception::Exception;
use crate::grant::Terms;
use crate::reference::{Found, Reference};
use crate::{KmsKey, Place, Scope, limits};
use service::{Action, Call, Operation, Permit};
use std::sync::Arc;
use store::Txn;
use wire::Violations;
use wire::members::{List, Text};

/// Which key an operation is about, and what it wants with it.
#[derive(Clone, Copy, Default)]
pub(crate) struct Sought<'a> {
    /// The `KeyId`.
    pub(crate) given: Option<&'a Text>,
    /// Whether it may be an alias.
    pub(crate) aliases: bool,
    /// Whether it may be a key of another account.
    pub(crate) across: bool,
    /// The encryption context, of a cryptographic operation.
    pub(crate) context: Option<&'a Pairs<'a>>,
    /// The grant to be made, of CreateGrant.
    pub(crate) child: Option<&'a Terms>,
    /// The ARN of the other key of a re-encryption.
    pub(crate) other: Option<&'a str>,
}

impl<'a> Sought<'a> {
    /// A key of the caller's account, by id or ARN.
    pub(crate) fn own(given: Option<&'a Text>) -> Self {
        Self { given, ..Self::default() }
    }

    /// A key to be used, under an encryption context.
    pub(crate) fn used(given: Option<&'a Text>, context: &'a Pairs<'a>) -> Self {
        let (aliases, across, context) = (true, true, Some(context));
        Self { given, aliases, across, context, ..Self::default() }
    }
}

/// The model's constraints on the `KeyId` of an operation that needs one.
pub(crate) fn constraints(found: &mut Violations, given: Option<&Text>) {
    found.required("keyId", given);
    found.length("keyId", given, limits::KEY_ID);
}

/// The same for grant tokens, which nothing needs.
pub(crate) fn token_constraints(found: &mut Violations, given: Option<&List<Text>>) {
    found.count("grantTokens", given, limits::GRANT_TOKENS, |it| it.as_str().to_owned());
    found.each("grantTokens", given, limits::GRANT_TOKEN);
}

/// Lets `operation` touch the key that is sought: finds it, asks the policies, and then checks the model's
/// constraints. The key's state is for the operation to ask.
pub(crate) async fn admit<O: Operation>(
    call: &Call<'_>,
    txn: &mut Txn<'_>,
    operation: &O,
    sought: Sought<'_>,
) -> Result<(Permit, Arc<KmsKey>), Exception> {
    let Some(given) = sought.given.filter(|it| fits(it)) else {
        call.admit(operation, Asker(call).target())?;
        return Err(Exception::NotFound("Invalid keyId ''".to_owned()));
    };
    let found = find(call, txn, O::ACTION, given.as_str(), sought).await?;
    let permit = ask(call, txn, (operation, O::ACTION), &found, sought).await?;
    call.validate(operation)?;
    let key = found.key.clone().ok_or_else(|| found.missing())?;
    Ok((permit, key))
}

/// What `given` leads to, if it has a form that the operation takes.
pub(crate) async fn find(
    call: &Call<'_>,
    txn: &mut Txn<'_>,
    action: Action,
    given: &str,
    sought: Sought<'_>,
) -> Result<Found, Exception> {
    let reference = Reference::parse(place(call), given)?;
    if reference.is_alias() && !sought.aliases {
        return Err(Exception::AliasGiven);
    }
    let found = reference.find(txn).await?;
    // An alias that leads nowhere has no key that a policy could speak of.
    if found.key.is_none() && reference.is_alias() {
        let own = reference.place.account() == call.caller.account.as_str();
        let missing = found.missing();
        return Err(if own { missing } else { access::foreign_denial(call, action, &found.arn) });
    }
    Ok(found)
}

/// Asks the policies whether `operation` may do `action` with what was found.
pub(crate) async fn ask<O: Operation>(
    call: &Call<'_>,
    txn: &mut Txn<'_>,
    (operation, action): (&O, Action),
    found: &Found,
    sought: Sought<'_>,
) -> Result<Permit, Exception> {
    // Which key is behind an alias of another account is not for strangers.
    let alias = found.alias.as_ref().and(sought.given).filter(|it| it.as_str().starts_with("arn:"));
    let named = alias.map(|it| format!("resource: {}", it.as_str()));
    let question = Question {
        action,
        key: found.key.as_deref(),
        arn: &found.arn,
        alias: found.alias.as_deref(),
        context: sought.context,
        child: sought.child,
        other: sought.other,
        across: sought.across,
        named: named.as_deref(),
    };
    question.ask(call, txn, |target| call.permit(operation, action, target)).await
}

/// Where the caller's own keys are.
pub(crate) fn place<'a>(call: &Call<'a>) -> Place<'a> {
    Place::in_region(&call.caller.account, call.region)
}

/// What keys need of `call`.
pub(crate) fn scope<'a>(call: &Call<'a>) -> Scope<'a> {
    Scope {
        keyring: call.keyring,
        entropy: call.entropy,
        now: call.now,
        account: &call.caller.account,
        region: call.region,
    }
}

fn fits(given: &Text) -> bool {
    limits::KEY_ID.contains(&given.as_str().chars().count())
}
