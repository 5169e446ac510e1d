//! Policy documents: what is refused when one is put, and how a trust policy is shown.
//!
//! Source: IAM User Guide, "IAM and AWS STS quotas"; white space doesn't count.

use crate::entities::{Given, Role};
use crate::iam::holder::Kind;
use crate::iam::{Error, shared_issuers};
use policy::Document;
use policy::engine::{self, Grammar, Pins, Policy};
use service::principals;
use store::Txn;
use wire::members::Text;

const MANAGED: usize = 6144;
const TRUST: usize = 2048;

/// The text of a managed policy.
pub(crate) fn managed(text: Option<&Text>) -> Result<String, Error> {
    let text = text.map_or("", Text::as_str);
    let policy = Policy::compile(text, Grammar::Identity)?;
    policy.require_current_version()?;
    fits(policy.size(), MANAGED, "PolicySize")?;
    Ok(text.to_owned())
}

/// The text of the inline policy `name` that is put beside those of `given`.
pub(crate) fn inline(
    (kind, owner): (Kind, &str),
    given: &Given,
    (name, text): (&str, Option<&Text>),
) -> Result<String, Error> {
    let text = text.map_or("", Text::as_str);
    let own = Policy::compile(text, Grammar::Identity)?.size();
    let others = given.inline.iter().filter(|it| it.0 != name);
    let size =
        own + others.map(|it| it.1.chars().filter(|it| !it.is_whitespace()).count()).sum::<usize>();
    if size > kind.inline {
        let (most, kind) = (kind.inline, kind.name);
        let text = format!("Maximum policy size of {most} bytes exceeded for {kind} {owner}");
        return Err(Error::Limit(text));
    }
    Ok(text.to_owned())
}

/// The text of a trust policy, and the unique ids of those whom it names.
pub(crate) async fn trust(txn: &mut Txn<'_>, text: Option<&Text>) -> Result<(String, Pins), Error> {
    let text = text.map_or("", Text::as_str);
    fits(Policy::compile(text, Grammar::Trust)?.size(), TRUST, "ACLSizePerRole")?;
    // Nobody is trusted by a name alone: what can't be pinned isn't kept.
    let document = Document::parse(text).map_err(|_| Error::Syntax)?;
    shared_issuers::pinned(&document)?;
    let known = principals::look_up(txn, &document, &Pins::default()).await?;
    Ok((text.to_owned(), engine::pin(&document, &known)?))
}

/// The trust policy of `role`, with those whom it names as they are called now.
pub(crate) async fn shown_trust(txn: &mut Txn<'_>, role: &Role) -> Result<String, Error> {
    let Ok(document) = Document::parse(&role.trust) else { return Ok(role.trust.clone()) };
    let known = principals::look_up(txn, &document, &role.pins).await?;
    Ok(engine::render(&role.trust, &role.pins, &known).into_owned())
}

fn fits(size: usize, most: usize, quota: &str) -> Result<(), Error> {
    if size > most { Err(exceeded(quota, most)) } else { Ok(()) }
}

/// More than `most` of what `quota` counts.
pub(crate) fn exceeded(quota: &str, most: usize) -> Error {
    Error::Limit(format!("Cannot exceed quota for {quota}: {most}"))
}
