//! What cryptographic operations have in common: their parameters, and the blob they start from.

use crate::access::{OF_CIPHERTEXT, Pairs, Question, SYMMETRIC};
use crate::ciphertext::Ciphertext;
use crate::exception::Exception;
use crate::lookup::{self, Sought};
use crate::state::Act;
use crate::token::GrantToken;
use crate::{KmsKey, context, limits, reference};
use service::{Action, Call, Operation, Permit};
use std::sync::Arc;
use store::Txn;
use wire::Violations;
use wire::members::{Blob, Boolean, Integer, List, Text};

/// The model's `EncryptionAlgorithmSpec`.
const ALGORITHMS: &[&str] = &[SYMMETRIC, "RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256", "SM2PKE"];

/// The model's `DataKeySpec`.
const DATA_KEY_SPECS: &[&str] = &["AES_256", "AES_128"];

/// The model's constraint on the algorithm at `path`.
pub(crate) fn algorithm(found: &mut Violations, path: &str, given: Option<&Text>) {
    found.one_of(path, given, ALGORITHMS);
}

/// The model's constraints on the size of a data key.
pub(crate) fn size_constraints(
    found: &mut Violations,
    spec: Option<&Text>,
    number: Option<Integer>,
) {
    found.one_of("keySpec", spec, DATA_KEY_SPECS);
    found.range("numberOfBytes", number, limits::NUMBER_OF_BYTES);
}

/// How many bytes a data key is to have.
pub(crate) fn size(spec: Option<&Text>, number: Option<Integer>) -> Result<usize, Exception> {
    match (spec.map(Text::as_str), number) {
        (Some("AES_128"), None) => Ok(16),
        (Some(_), None) => Ok(32),
        (None, Some(number)) => Ok(usize::try_from(number.get()).unwrap_or_default()),
        (Some(_), Some(_)) | (None, None) => {
            let text = "Please specify either number of bytes or key spec.";
            Err(Exception::Invalid(text.to_owned()))
        }
    }
}

/// Whether a key may be used as is asked: its state, the algorithm, the context, the grant tokens.
pub(crate) fn check(
    key: &KmsKey,
    algorithm: Option<&Text>,
    pairs: &Pairs<'_>,
    tokens: Option<&List<Text>>,
) -> Result<(), Exception> {
    key.permits(Act::Use)?;
    if let Some(other) = algorithm.map(Text::as_str).filter(|it| *it != SYMMETRIC) {
        return Err(Exception::KeyUsage(format!(
            "Algorithm {other} is incompatible with key spec {SYMMETRIC}."
        )));
    }
    context::check(pairs)?;
    check_tokens(tokens)
}

/// Whether grant tokens are tokens. What they stand for is in effect already.
pub(crate) fn check_tokens(tokens: Option<&List<Text>>) -> Result<(), Exception> {
    let tokens = tokens.map_or(&[][..], List::as_slice);
    let valid = tokens.iter().all(|it| GrantToken::parse(it.as_str()).is_some());
    if valid { Ok(()) } else { Err(Exception::GrantToken) }
}

/// Answers to a recipient in an enclave aren't built.
pub(crate) fn no_recipient<T>(given: Option<&T>) -> Result<(), Exception> {
    unsupported(given, "Recipient")
}

/// Refuses the member `name`, which AWS offers and this server doesn't.
pub(crate) fn unsupported<T>(given: Option<&T>, name: &str) -> Result<(), Exception> {
    match given {
        Some(_) => Err(Exception::Unsupported(format!("{name} is not supported."))),
        None => Ok(()),
    }
}

/// Ends what was only to be tried.
pub(crate) fn dry_run(given: Option<Boolean>) -> Result<(), Exception> {
    if given.is_some_and(Boolean::get) { Err(Exception::DryRun) } else { Ok(()) }
}

/// What a decryption starts from.
#[derive(Clone, Copy)]
pub(crate) struct Source<'a> {
    pub(crate) blob: Option<&'a Blob>,
    /// The key it is said to be under, if one was named.
    pub(crate) given: Option<&'a Text>,
    pub(crate) context: &'a Pairs<'a>,
    /// The ARN of the key that a re-encryption leads to.
    pub(crate) other: Option<&'a str>,
}

/// The key of a blob, and the blob taken apart, if `operation` may do `action` with it.
///
/// # Errors
///
/// - [`Exception::Denied`]: the policies don't let it.
/// - [`Exception::IncorrectKey`]: a key was named, and it is another one.
/// - [`Exception::InvalidCiphertext`]: no blob of ours, or of a key that doesn't exist. That there is no such
///   key isn't told.
pub(crate) async fn source<'a, O: Operation>(
    call: &Call<'_>,
    txn: &mut Txn<'_>,
    (operation, action): (&O, Action),
    source: Source<'a>,
) -> Result<(Permit, Arc<KmsKey>, Ciphertext<'a>), Exception> {
    let read = source.blob.and_then(|it| Ciphertext::parse(it.value().expose()));
    let arn = read.as_ref().map(|it| it.key_arn(call.region));
    let (permit, key) = match (source.given, &arn) {
        (Some(given), _) => {
            let sought =
                Sought { other: source.other, ..Sought::used(Some(given), source.context) };
            let found = lookup::find(call, txn, action, given.as_str(), sought).await?;
            let permit = lookup::ask(call, txn, (operation, action), &found, sought).await?;
            call.validate(operation)?;
            let key = found.key.clone().ok_or_else(|| found.missing())?;
            (permit, key)
        }
        (None, Some(arn)) => {
            let key = crate::find_key(txn, arn).await?;
            let asked = (operation, action);
            let permit = of_blob(call, txn, asked, (key.as_deref(), arn), source).await?;
            call.validate(operation)?;
            (permit, key.ok_or(Exception::InvalidCiphertext)?)
        }
        (None, None) => {
            call.validate(operation)?;
            return Err(Exception::InvalidCiphertext);
        }
    };
    let read = read.ok_or(Exception::InvalidCiphertext)?;
    if arn.as_ref() != Some(&key.arn) {
        return Err(Exception::IncorrectKey);
    }
    Ok((permit, key, read))
}

/// Asks for the key that a blob names. Who doesn't own it isn't told which one that is.
async fn of_blob<O: Operation>(
    call: &Call<'_>,
    txn: &mut Txn<'_>,
    (operation, action): (&O, Action),
    (key, arn): (Option<&KmsKey>, &str),
    source: Source<'_>,
) -> Result<Permit, Exception> {
    let question = Question {
        action,
        key,
        arn,
        alias: None,
        context: Some(source.context),
        child: None,
        other: source.other,
        across: true,
        named: Some(OF_CIPHERTEXT),
    };
    question.ask(call, txn, |target| call.permit(operation, action, target)).await
}

/// The destination of a re-encryption, if `operation` may do `action` with it.
pub(crate) async fn destination<O: Operation>(
    call: &Call<'_>,
    txn: &mut Txn<'_>,
    (operation, action): (&O, Action),
    (given, other): (&Text, &str),
    context: &Pairs<'_>,
) -> Result<(reference::Found, Permit), Exception> {
    let sought = Sought { other: Some(other), ..Sought::used(Some(given), context) };
    let found = lookup::find(call, txn, action, given.as_str(), sought).await?;
    let permit = lookup::ask(call, txn, (operation, action), &found, sought).await?;
    Ok((found, permit))
}
