//! GetSecretValue: one version's value, the current one unless another is asked for.

use crate::secret::{Place, Secret};
use crate::stages::{Label, VersionId};
use crate::version::{Kind, Version, values};
use crate::{Error, condition, lease, limits, lookup, value};
use base::{Sensitive, Timestamp};
use policy::engine::Values;
use serde::{Serialize, Serializer};
use service::{Action, Answer, Call, Operation, Permit, input};
use std::sync::Arc;
use store::Txn;
use wire::Violations;
use wire::json::{blob, instant, secret_text};
use wire::members::Text;

input! {
    /// Which secret, and which version of it.
    pub struct GetSecretValue {
        secret_id: Text,
        version_id: Text,
        version_stage: Text,
    }
}

pub(crate) const ACTION: Action = Action("secretsmanager:GetSecretValue");

impl Operation for GetSecretValue {
    const NAME: &'static str = "GetSecretValue";
    const ACTION: Action = ACTION;
    const READ_ONLY: bool = true;
    type Output = Read;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        lookup::constraints(found, self.secret_id.as_ref());
        found.length("versionId", self.version_id.as_ref(), limits::TOKEN);
        found.length("versionStage", self.version_stage.as_ref(), limits::LABEL);
    }

    fn condition(&self, key: &str) -> Option<Values<'_>> {
        match condition::own(key)? {
            "versionid" => condition::text(self.version_id.as_ref()),
            "versionstage" => condition::text(self.version_stage.as_ref()),
            _ => None,
        }
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Read>, Error> {
        // Ask before looking inside: a stranger must not learn which names exist.
        let (permit, found) = lookup::admit(call, txn, self, self.secret_id.as_ref()).await?;
        let (place, secret) = found.live()?;
        let selector = Selector {
            version: self.version_id.as_ref().map(|it| VersionId(it.as_str().to_owned())),
            label: self.version_stage.as_ref().map(|it| Label::new(it.as_str())),
        };
        let read = read((call, txn, &permit), &place, secret, selector).await?;
        Ok(Answer::new(permit, read))
    }
}

/// Which version is meant: by id, by label, or both if they agree.
#[derive(Debug, Default)]
pub(crate) struct Selector {
    version: Option<VersionId>,
    label: Option<Label>,
}

/// Opens the selected version of `secret` and notes the first read of a day.
pub(crate) async fn read(
    (call, txn, permit): (&Call<'_>, &mut Txn<'_>, &Permit),
    place: &Place,
    secret: Arc<Secret>,
    selector: Selector,
) -> Result<Read, Error> {
    if selector.is_current() && secret.is_changing() && call.wait_for(&secret.arn).await {
        return Err(Error::Outdated);
    }
    let is_lease = secret.is_dynamic() && selector.is_current();
    let (version, value) = if is_lease {
        lease::ask::own((call, txn, permit), place, &secret).await?
    } else {
        let version = selector.find(txn, place, &secret).await?;
        let value = value::open((call, txn, permit), place, &secret, &version).await?;
        (version, value)
    };
    if !is_lease && version.unread(call.now) {
        let mut read = Version::clone(&version);
        read.mark_read(call.now);
        txn.save(&values(), &(place, &secret.id, &read.id), &read)?;
    }
    if secret.unread(call.now) {
        let mut read = Secret::clone(&secret);
        read.mark_read(call.now);
        read.save(txn, place, &secret)?;
    }
    Ok(Read { secret, version, value, is_lease })
}

impl Selector {
    /// Whether the current version is meant, which a rotation is about to replace.
    fn is_current(&self) -> bool {
        self.version.is_none() && self.label.as_ref().is_none_or(|it| *it == Label::CURRENT)
    }

    async fn find(
        self,
        txn: &mut Txn<'_>,
        place: &Place,
        secret: &Secret,
    ) -> Result<Arc<Version>, Error> {
        let Self { version, label } = self;
        let Some(id) = version else {
            let label = label.unwrap_or(Label::CURRENT);
            let id = secret.version_of(&label)?;
            let version = value::find(txn, place, secret, id).await?;
            return version.ok_or(Error::NoValueForLabel(label));
        };
        let version = value::find(txn, place, secret, &id).await?;
        let version = version.ok_or_else(|| Error::NoValueForVersion(id.clone()))?;
        match label {
            Some(label) if secret.stages.holder(&label) != Some(&id) => Err(Error::StageMismatch),
            _ => Ok(version),
        }
    }
}

/// A value with what identifies it.
#[derive(Debug)]
pub struct Read {
    secret: Arc<Secret>,
    version: Arc<Version>,
    value: Sensitive,
    /// Whether the value is the caller's own, and the version its lease: no label is on that.
    is_lease: bool,
}

impl Serialize for Read {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let Self { secret, version, value, is_lease } = self;
        let (secret_binary, secret_string) = match version.kind {
            Kind::Binary => (Some(PlainBytes(value)), None),
            Kind::String => (None, Some(PlainText(value))),
        };
        let stages = || secret.stages.of(&version.id);
        let version_stages = if *is_lease { vec![&Label::CURRENT] } else { stages() };
        let members = ReadMembers {
            arn: &secret.arn,
            created_date: version.created,
            name: &secret.name,
            secret_binary,
            secret_string,
            version_id: version.id.as_str(),
            version_stages,
        };
        members.serialize(out)
    }
}

/// The members of [`Read`], in the model's order.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ReadMembers<'a> {
    #[serde(rename = "ARN")]
    arn: &'a str,
    #[serde(serialize_with = "instant")]
    created_date: Timestamp,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_binary: Option<PlainBytes<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_string: Option<PlainText<'a>>,
    version_id: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    version_stages: Vec<&'a Label>,
}

/// Borrowed, so that no copy is made on the way to the answer.
struct PlainBytes<'a>(&'a Sensitive);
struct PlainText<'a>(&'a Sensitive);

impl Serialize for PlainBytes<'_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        blob(self.0, out)
    }
}

impl Serialize for PlainText<'_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        secret_text(self.0, out)
    }
}
