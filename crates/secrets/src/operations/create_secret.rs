//! CreateSecret: a new secret, with or without a first value.

use crate::lease::consent;
use crate::operations::shown::NamedVersion;
use crate::replicas::{self, ReplicasGiven};
use crate::secret::{Place, Secret};
use crate::stages::VersionId;
use crate::tags::{self, TagsGiven};
use crate::value::{self, Given};
use crate::{Error, condition, keys, limits, lookup, quota};
use policy::engine::{Context, Values};
use service::{Action, Answer, Call, Operation, Permit, Target, input};
use std::sync::Arc;
use store::Txn;
use wire::Violations;
use wire::members::{Blob, Boolean, SecretText, Text};

input! {
    /// The secret to make.
    pub struct CreateSecret {
        name: Text,
        client_request_token: Text,
        description: Text,
        kms_key_id: Text,
        #[serde(skip_serializing)]
        secret_binary: Blob,
        #[serde(skip_serializing)]
        secret_string: SecretText,
        tags: TagsGiven,
        add_replica_regions: ReplicasGiven,
        force_overwrite_replica_secret: Boolean,
        r#type: Text,
        #[serde(rename(deserialize = "CrossAccountPrimaryARN"))]
        cross_account_primary_arn: Text,
    }
}

const TAG: Action = Action("secretsmanager:TagResource");

impl Operation for CreateSecret {
    const NAME: &'static str = "CreateSecret";
    const ACTION: Action = Action("secretsmanager:CreateSecret");
    const READ_ONLY: bool = false;
    type Output = NamedVersion;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        found.required("name", self.name.as_ref());
        found.length("name", self.name.as_ref(), limits::NAME);
        found.length("clientRequestToken", self.client_request_token.as_ref(), limits::TOKEN);
        found.length("description", self.description.as_ref(), limits::DESCRIPTION);
        found.length("kmsKeyId", self.kms_key_id.as_ref(), limits::KMS_KEY_ID);
        found.blob("secretBinary", self.secret_binary.as_ref(), limits::VALUE);
        found.secret("secretString", self.secret_string.as_ref(), limits::VALUE);
        found.length("type", self.r#type.as_ref(), limits::TYPE);
        tags::constraints(found, self.tags.as_ref());
        replicas::constraints(found, self.add_replica_regions.as_ref());
        let primary = self.cross_account_primary_arn.as_ref();
        found.length("crossAccountPrimaryARN", primary, limits::SECRET_ARN);
    }

    fn condition(&self, key: &str) -> Option<Values<'_>> {
        let Some(key) = condition::own(key) else {
            return condition::tags(self.tags.as_ref(), key).or_else(|| self.future_tag(key));
        };
        match key {
            "description" => condition::text(self.description.as_ref()),
            "forceoverwritereplicasecret" => {
                condition::boolean(self.force_overwrite_replica_secret)
            }
            "kmskeyid" => condition::text(self.kms_key_id.as_ref()),
            "name" => condition::text(self.name.as_ref()),
            "type" => condition::text(self.r#type.as_ref()),
            _ => self.future_tag(key),
        }
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<NamedVersion>, Error> {
        let place = Place { account: call.caller.account.clone(), region: call.region.clone() };
        let name = self.name.as_ref().map(Text::as_str).unwrap_or_default();
        let fresh = Secret::new(&place, name, call.now, call.entropy);
        // The suffix isn't known before the secret exists; policies see the ARN it would get.
        let keys = NewKey(keys::arn_of(txn, &place, self.kms_key_id.as_ref()).await?);
        let target = Target { keys: &keys, ..Target::of(&place.account, Some(&fresh.arn)) };
        let permit = call.permit(self, Self::ACTION, target)?;
        if self.tags.is_some() {
            call.permit(self, TAG, target)?;
        }
        call.validate(self)?;
        let token = value::token(self.client_request_token.as_ref())?;
        if !lookup::valid_name(name) {
            return Err(Error::InvalidName);
        }
        let given = value::given(self.secret_string.as_ref(), self.secret_binary.as_ref())?;

        let output = match lookup::by_name(txn, &place, name).await? {
            Some(existing) => replay((call, txn, &permit), &place, existing, token, given).await?,
            None => self.create((call, txn, &permit), &place, fresh, (token, given)).await?,
        };
        Ok(Answer::new(permit, output))
    }

    fn elements(output: &NamedVersion) -> Option<serde_json::Value> {
        Some(output.arn_element())
    }
}

/// The ARN of the key that the secret is to get, if the call names one.
struct NewKey(Option<String>);

impl Context for NewKey {
    fn find(&self, key: &str) -> Option<Values<'_>> {
        self.0.as_deref().filter(|_| key == "secretsmanager:kmskeyarn").map(Values::one)
    }
}

impl CreateSecret {
    /// `ResourceTag/…`: the tags that the secret will have.
    fn future_tag(&self, key: &str) -> Option<Values<'_>> {
        let name = key.strip_prefix("aws:").unwrap_or(key).strip_prefix("resourcetag/")?;
        condition::tags(self.tags.as_ref(), &format!("aws:requesttag/{name}"))
    }

    fn check_supported(&self) -> Result<(), Error> {
        if self.add_replica_regions.is_some() {
            return Err(Error::Unsupported("AddReplicaRegions"));
        }
        if self.cross_account_primary_arn.is_some() {
            return Err(Error::Unsupported("CrossAccountPrimaryARN"));
        }
        Ok(())
    }

    async fn create(
        &self,
        (call, txn, permit): (&Call<'_>, &mut Txn<'_>, &Permit),
        place: &Place,
        mut secret: Secret,
        (token, given): (VersionId, Option<Given<'_>>),
    ) -> Result<NamedVersion, Error> {
        self.check_supported()?;
        let text = |it: &Option<Text>| {
            it.as_ref().map(|it| it.as_str().to_owned()).filter(|it| !it.is_empty())
        };
        secret.description = text(&self.description);
        secret.kind = text(&self.r#type);
        secret.kms_key_id = text(&self.kms_key_id);
        secret.tags = self.tags.as_ref().map(|it| tags::merged(None, it)).transpose()?;
        if secret.kms_key_id.is_some() {
            keys::try_out((call, txn), place, &secret).await?;
        }
        if let Some(given) = given {
            value::add_version((call, txn, permit), place, &mut secret, &token, given).await?;
            secret.stages.promote(&token);
            let before = Secret::clone(&secret);
            let before = Secret { kind: None, ..before };
            let changed = (&mut secret, &before);
            consent::renew((call, txn, permit), place, changed, Some(given)).await?;
        }
        quota::add(txn, place, &secret.id, call.quotas.secrets).await?;
        secret.insert(txn, place).await?;
        let version_id = given.map(|_| token.0);
        Ok(NamedVersion { arn: secret.arn, name: secret.name, version_id })
    }
}

/// What a name that exists answers: success for the call that made it, sent again.
async fn replay(
    (call, txn, permit): (&Call<'_>, &mut Txn<'_>, &Permit),
    place: &Place,
    secret: Arc<Secret>,
    token: VersionId,
    given: Option<Given<'_>>,
) -> Result<NamedVersion, Error> {
    if secret.deletion.is_some() {
        return Err(Error::NameDeleted);
    }
    let Some(version) = value::find(txn, place, &secret, &token).await? else {
        return Err(Error::NameExists { name: secret.name.clone() });
    };
    let same = match given {
        Some(given) => value::same((call, txn, permit), place, &secret, &version, given).await?,
        None => false,
    };
    if !same {
        return Err(Error::TokenInUse { token: token.0, arn: secret.arn.clone() });
    }
    let (arn, name) = (secret.arn.clone(), secret.name.clone());
    Ok(NamedVersion { arn, name, version_id: Some(token.0) })
}
