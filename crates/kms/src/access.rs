//! Who may do what with a key: the key policy first, then grants.
//!
//! Source: KMS Developer Guide, "Key policies", "Grants", "Condition keys".

use crate::exception::Exception;
use crate::grant::{self, Asked, Terms};
use crate::key::Manager;
use crate::{KmsKey, Place, policies};
use base::AccountId;
use policy::engine::{Attached, Context, Door, Values};
use policy::{PolicyKind, Reason};
use service::context::one_of;
use service::{Action, Call, Permit, Refusal, Target};
use std::borrow::Cow;
use std::sync::OnceLock;
use store::Txn;

/// An encryption context: pairs of names and values, sorted by name.
pub(crate) type Pairs<'a> = [(&'a str, &'a str)];

/// What the policies are asked about.
pub(crate) struct Question<'a> {
    /// What is to be done.
    pub(crate) action: Action,
    /// The key, if it exists.
    pub(crate) key: Option<&'a KmsKey>,
    /// Its ARN, or the one it would have.
    pub(crate) arn: &'a str,
    /// The alias that led to it, with `alias/`.
    pub(crate) alias: Option<&'a str>,
    /// The encryption context, of a cryptographic operation.
    pub(crate) context: Option<&'a Pairs<'a>>,
    /// The grant to be made, of CreateGrant.
    pub(crate) child: Option<&'a Terms>,
    /// The ARN of the other key of a re-encryption.
    pub(crate) other: Option<&'a str>,
    /// Whether callers of other accounts may do it at all.
    pub(crate) across: bool,
    /// What a denial for a stranger calls the key, where that isn't its ARN.
    pub(crate) named: Option<&'a str>,
}

/// Asks whether the caller of `call` may do `action` with `key`, under the encryption `context`.
///
/// `alias` is the one that led to the key, with `alias/`. For a call that a service makes for its caller
/// take [`Call::forwarded`]'s. The state of the key is not looked at.
///
/// # Errors
///
/// - [`Exception::Denied`]: the key policy, a grant that fits, or the caller's own policies are missing, or
///   one of them forbids it.
/// - [`Exception::Store`]: grants, or the key policy, can't be read.
pub async fn authorize(
    call: &Call<'_>,
    txn: &mut Txn<'_>,
    (key, alias): (&KmsKey, Option<&str>),
    action: Action,
    context: &[(&str, &str)],
) -> Result<Permit, Exception> {
    let question = Question {
        action,
        key: Some(key),
        arn: &key.arn,
        alias,
        context: Some(context),
        child: None,
        other: None,
        across: true,
        named: None,
    };
    question.ask(call, txn, |target| call.authorize(action, target)).await
}

impl Question<'_> {
    /// Puts the question by `ask`: to the key policy and the caller's own, and once more with a grant if
    /// there is one that would help.
    pub(crate) async fn ask(
        &self,
        call: &Call<'_>,
        txn: &mut Txn<'_>,
        ask: impl Fn(Target<'_>) -> Result<Permit, Refusal> + Send + Sync,
    ) -> Result<Permit, Exception> {
        let owner = self.owner(call);
        let foreign = owner != call.caller.account;
        let facts = Facts::new(call, self);
        let policy = self.key.map(KmsKey::compiled_policy).transpose()?;
        let attached = policy.map(|policy| Attached { id: policies::DEFAULT, policy });
        // A key that doesn't exist has no policy: in the own account the caller's own decide.
        let closed = foreign || self.key.is_some();
        let door = if closed { Door::Key { grant: false } } else { Door::Resource };
        let target = |door| Target {
            policies: if foreign && !self.across { &[] } else { attached.as_slice() },
            door,
            of_service: self.key.is_some_and(|it| it.manager == Manager::Aws),
            keys: &facts,
            ..Target::of(&owner, Some(self.arn))
        };
        let mut outcome = ask(Target { tentative: true, ..target(door) });
        if outcome.is_err() {
            let grantable = !foreign || self.across;
            let granted = grantable && self.is_granted(call, txn).await?;
            outcome = ask(target(if granted { Door::Key { grant: true } } else { door }));
        }
        outcome.map_err(|it| if foreign { self.refused_stranger(call, it) } else { it.into() })
    }

    /// What is known besides the call's parameters.
    pub(crate) fn facts<'a>(&'a self, call: &'a Call<'a>) -> Facts<'a> {
        Facts::new(call, self)
    }

    /// Whether the key policy alone leaves the action to the caller, whatever the caller's own policies say.
    pub(crate) fn is_left_by_policy(&self, call: &Call<'_>) -> Result<bool, Exception> {
        let owner = self.owner(call);
        let policy = self.key.map(KmsKey::compiled_policy).transpose()?;
        let attached = policy.map(|policy| Attached { id: policies::DEFAULT, policy });
        let target = Target {
            policies: attached.as_slice(),
            door: Door::Key { grant: false },
            keys: &Facts::new(call, self),
            tentative: true,
            ..Target::of(&owner, Some(self.arn))
        };
        let action = self.action;
        match call.authorize(action, target) {
            Err(Refusal::Denied(text)) => Ok(!is_by_resource(call, action, self.arn, &text)),
            Err(refusal @ Refusal::Invalid(_)) => Err(refusal.into()),
            Ok(_) => Ok(true),
        }
    }

    fn owner(&self, call: &Call<'_>) -> AccountId {
        let place = Place::of_key(self.arn).map(|it| it.0);
        let owner = place.and_then(|it| it.account().parse().ok());
        owner.unwrap_or_else(|| call.caller.account.clone())
    }

    async fn is_granted(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<bool, store::Error> {
        let Some(key) = self.key else { return Ok(false) };
        let operation = self.action.0.strip_prefix("kms:").unwrap_or_default();
        let context = self.context.unwrap_or_default();
        let asked = Asked { operation, context, child: self.child };
        grant::covers(txn, key, call.caller, &asked).await
    }

    /// A stranger isn't told whether there is a key, nor what its policy says.
    fn refused_stranger(&self, call: &Call<'_>, refusal: Refusal) -> Exception {
        let Refusal::Denied(text) = refusal else { return refusal.into() };
        let by_policy = is_by_resource(call, self.action, self.arn, &text);
        if !by_policy {
            return Exception::Denied(text);
        }
        match self.named {
            Some(named) => stranger(call, self.action, named),
            None => foreign_denial(call, self.action, self.arn),
        }
    }
}

/// What a caller of another account is told of the key called `arn`, whether it exists or not.
pub fn foreign_denial(call: &Call<'_>, action: Action, arn: &str) -> Exception {
    stranger(call, action, &format!("resource: {arn}"))
}

/// How a ciphertext's key is called to those who may not know which it is.
pub(crate) const OF_CIPHERTEXT: &str = "the resource associated with this ciphertext";

/// The denial of a key that is called `named`.
fn stranger(call: &Call<'_>, action: Action, named: &str) -> Exception {
    let (who, what) = (&call.caller.arn, action.0);
    Exception::Denied(format!(
        "User: {who} is not authorized to perform: {what} on {named} because the resource does \
         not exist in this Region, no resource-based policies allow access, or a resource-based \
         policy explicitly denies access"
    ))
}

/// Refuses a policy of `key` under which the caller couldn't put another one.
pub(crate) fn check_lockout(call: &Call<'_>, key: &KmsKey) -> Result<(), Exception> {
    let question = Question {
        action: Action("kms:PutKeyPolicy"),
        key: Some(key),
        arn: &key.arn,
        alias: None,
        context: None,
        child: None,
        other: None,
        across: false,
        named: None,
    };
    if question.is_left_by_policy(call)? { Ok(()) } else { Err(Exception::PolicyLockout) }
}

/// Whether the denial `text` is the key policy's, not the caller's own policies'.
fn is_by_resource(call: &Call<'_>, action: Action, arn: &str, text: &str) -> bool {
    let kind = PolicyKind::Resource;
    let reasons = [Reason::Implicit(kind), Reason::Explicit(kind)];
    let said = |it| policy::denial_text(&call.caller.arn, action.0, Some(arn), it);
    reasons.into_iter().any(|it| said(it) == text)
}

/// The condition keys that have a value whatever is asked for: of who asks.
pub(crate) struct Asker<'a>(pub(crate) &'a Call<'a>);

impl Context for Asker<'_> {
    fn find(&self, key: &str) -> Option<Values<'_>> {
        self.value(key.strip_prefix("kms:")?)
    }
}

impl<'a> Asker<'a> {
    /// The target of an action that has no resource.
    pub(crate) fn target(&self) -> Target<'_> {
        Target { keys: self, ..self.0.own_account() }
    }

    fn value(&self, name: &str) -> Option<Values<'a>> {
        match name {
            "calleraccount" => Some(Values::one(self.0.caller.account.as_str())),
            "viaservice" => via(self.0).map(|it| Values::One(Cow::Owned(it))),
            _ => None,
        }
    }
}

/// `secretsmanager.us-east-1.amazonaws.com`, of a call that Secrets Manager makes for the caller.
fn via(call: &Call<'_>) -> Option<String> {
    let service = call.via?.strip_suffix(".amazonaws.com")?;
    Some(format!("{service}.{}.amazonaws.com", call.region))
}

/// The condition keys that have a value because of the key and of the way to it.
pub(crate) struct Facts<'a> {
    call: &'a Call<'a>,
    question: &'a Question<'a>,
    /// Put together when it is first asked for: of ten policies each may ask.
    via: OnceLock<Option<String>>,
}

impl<'a> Facts<'a> {
    fn new(call: &'a Call<'a>, question: &'a Question<'a>) -> Self {
        Self { call, question, via: OnceLock::new() }
    }
}

impl Context for Facts<'_> {
    fn find(&self, key: &str) -> Option<Values<'_>> {
        if let Some(name) = key.strip_prefix("aws:").filter(|it| it.starts_with("resourcetag/")) {
            return service::context::tag(&self.question.key?.tags, name);
        }
        let name = key.strip_prefix("kms:")?;
        match name {
            "calleraccount" => Asker(self.call).value(name),
            "viaservice" => self.via.get_or_init(|| via(self.call)).as_deref().map(Values::one),
            "grantconstrainttype" => self.question.child?.constraint_type().map(Values::one),
            "reencryptonsamekey" => Some(Values::bool(self.question.other? == self.question.arn)),
            "requestalias" => self.question.alias.map(Values::one),
            "encryptionalgorithm" => self.question.context.map(|_| Values::one(SYMMETRIC)),
            "encryptioncontextkeys" => Some(Values::many(self.pairs()?.iter().map(|it| it.0))),
            _ => match name.strip_prefix("encryptioncontext:") {
                Some(name) => self.context_value(name),
                None => self.of_key(name),
            },
        }
    }
}

impl Facts<'_> {
    fn of_key(&self, name: &str) -> Option<Values<'_>> {
        let key = self.question.key?;
        match name {
            "keyorigin" => Some(Values::one(key.origin.as_str())),
            "keyspec" => Some(Values::one(SYMMETRIC)),
            "keyusage" => Some(Values::one(ENCRYPT_DECRYPT)),
            "multiregion" => Some(Values::bool(false)),
            "resourcealiases" => Some(Values::Many(key.alias_names().map(Cow::Owned).collect())),
            _ => None,
        }
    }

    /// The encryption context; of a grant that is made or given back, the one it is held to.
    fn pairs(&self) -> Option<Cow<'_, Pairs<'_>>> {
        let held = || {
            let pairs = self.question.child?.context()?;
            Some(Cow::Owned(pairs.iter().map(|it| (it.0.as_str(), it.1.as_str())).collect()))
        };
        self.question.context.map(Cow::Borrowed).or_else(held)
    }

    /// The name in a policy has no case: of names that differ in nothing else, any may be meant.
    fn context_value(&self, name: &str) -> Option<Values<'_>> {
        let pairs = self.pairs()?;
        let meant = pairs.iter().filter(|it| it.0.eq_ignore_ascii_case(name));
        one_of(meant.map(|it| it.1))
    }
}

/// The only `KeySpec` and `EncryptionAlgorithm` there is, so far.
pub(crate) const SYMMETRIC: &str = "SYMMETRIC_DEFAULT";
/// The only `KeyUsage` there is, so far.
pub(crate) const ENCRYPT_DECRYPT: &str = "ENCRYPT_DECRYPT";
