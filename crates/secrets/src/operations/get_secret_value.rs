//! GetSecretValue: one version's value, the current one unless another is asked for.

use crate::input::input;
use crate::secret::{Place, Secret};
use crate::stages::{Label, VersionId};
use crate::version::{Kind, Version, values};
use crate::{Error, limits, lookup, value};
use base::{Sensitive, Timestamp};
use serde::ser::Error as _;
use serde::{Serialize, Serializer};
use service::{Action, Answer, Call, Operation, Permit};
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
        found.required("secretId", self.secret_id.as_ref());
        found.length("secretId", self.secret_id.as_ref(), limits::SECRET_ID);
        found.length("versionId", self.version_id.as_ref(), limits::TOKEN);
        found.length("versionStage", self.version_stage.as_ref(), limits::LABEL);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Read>, Error> {
        // Ask before looking inside: a stranger must not learn which names exist.
        let found = lookup::find(call, txn, self.secret_id.as_ref()).await?;
        let permit = found.admit(call, self)?;
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
    mut secret: Secret,
    selector: Selector,
) -> Result<Read, Error> {
    let mut version = selector.find(txn, place, &secret).await?;
    let value = value::open((call, txn, permit), place, &secret, &version).await?;
    if version.mark_read(call.now) {
        txn.save(&values(), &(place, &secret.id, &version.id), &version)?;
    }
    if secret.unread(call.now) {
        let before = secret.clone();
        secret.mark_read(call.now);
        secret.save(txn, place, &before)?;
    }
    Ok(Read::new(secret, version, value))
}

impl Selector {
    async fn find(
        self,
        txn: &mut Txn<'_>,
        place: &Place,
        secret: &Secret,
    ) -> Result<Version, Error> {
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
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Read {
    #[serde(rename = "ARN")]
    arn: String,
    #[serde(serialize_with = "instant")]
    created_date: Timestamp,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "binary")]
    secret_binary: Option<Sensitive>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "string")]
    secret_string: Option<Sensitive>,
    version_id: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    version_stages: Vec<String>,
}

impl Read {
    fn new(secret: Secret, version: Version, value: Sensitive) -> Self {
        let stages = secret.stages.of(&version.id);
        let (secret_binary, secret_string) = match version.kind {
            Kind::Binary => (Some(value), None),
            Kind::String => (None, Some(value)),
        };
        Self {
            version_stages: stages.into_iter().map(|it| it.as_str().to_owned()).collect(),
            arn: secret.arn,
            created_date: version.created,
            name: secret.name,
            secret_binary,
            secret_string,
            version_id: version.id.0,
        }
    }
}

#[expect(clippy::ref_option, reason = "the form serde asks for")]
fn binary<S: Serializer>(value: &Option<Sensitive>, out: S) -> Result<S::Ok, S::Error> {
    value.as_ref().map_or_else(|| Err(S::Error::custom("absent")), |it| blob(it, out))
}

#[expect(clippy::ref_option, reason = "the form serde asks for")]
fn string<S: Serializer>(value: &Option<Sensitive>, out: S) -> Result<S::Ok, S::Error> {
    value.as_ref().map_or_else(|| Err(S::Error::custom("absent")), |it| secret_text(it, out))
}
