//! UpdateSecret: another description, key or type, or a new current version.

use crate::lease::consent;
use crate::operations::shown::NamedVersion;
use crate::secret::{Place, Secret};
use crate::stages::Label;
use crate::{Error, condition, keys, limits, lookup, value};
use policy::engine::Values;
use service::{Action, Answer, Call, Operation, Permit, input};
use store::Txn;
use wire::Violations;
use wire::members::{Blob, SecretText, Text};

input! {
    /// What to change; members left out stay as they are.
    pub struct UpdateSecret {
        secret_id: Text,
        client_request_token: Text,
        description: Text,
        kms_key_id: Text,
        #[serde(skip_serializing)]
        secret_binary: Blob,
        #[serde(skip_serializing)]
        secret_string: SecretText,
        r#type: Text,
    }
}

impl Operation for UpdateSecret {
    const NAME: &'static str = "UpdateSecret";
    const ACTION: Action = Action("secretsmanager:UpdateSecret");
    const READ_ONLY: bool = false;
    type Output = NamedVersion;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        lookup::constraints(found, self.secret_id.as_ref());
        found.length("clientRequestToken", self.client_request_token.as_ref(), limits::TOKEN);
        found.length("description", self.description.as_ref(), limits::DESCRIPTION);
        found.length("kmsKeyId", self.kms_key_id.as_ref(), limits::KMS_KEY_ID);
        found.blob("secretBinary", self.secret_binary.as_ref(), limits::VALUE);
        found.secret("secretString", self.secret_string.as_ref(), limits::VALUE);
        found.length("type", self.r#type.as_ref(), limits::TYPE);
    }

    fn condition(&self, key: &str) -> Option<Values<'_>> {
        match condition::own(key)? {
            "description" => condition::text(self.description.as_ref()),
            "kmskeyid" => condition::text(self.kms_key_id.as_ref()),
            "type" => condition::text(self.r#type.as_ref()),
            _ => None,
        }
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<NamedVersion>, Error> {
        let mut found = lookup::find(call, txn, self.secret_id.as_ref()).await?;
        found.new_key = keys::arn_of(txn, &found.place, self.kms_key_id.as_ref()).await?;
        let permit = call.admit(self, found.target(found.attached().as_slice()))?;
        found.check_name()?;
        let token = value::token(self.client_request_token.as_ref())?;
        let given = value::given(self.secret_string.as_ref(), self.secret_binary.as_ref())?;
        let (place, before) = found.live()?;

        let mut secret = Secret::clone(&before);
        self.describe(&mut secret);
        if given.is_some() {
            // Unlike PutSecretValue, a token that was used is refused, with the same value too.
            if value::find(txn, &place, &secret, &token).await?.is_some() {
                return Err(Error::TokenInUse { token: token.0, arn: secret.arn });
            }
            secret.stages.promote(&token);
            secret.check_labels()?;
        }
        if secret.kms_key_id != before.kms_key_id {
            self.change_key((call, txn, &permit), &place, &before, &secret).await?;
        }
        let mut events = Vec::new();
        if let Some(given) = given {
            value::add_version((call, txn, &permit), &place, &mut secret, &token, given).await?;
            events = secret.written_by_hand(&token, call.now);
        }
        let changed = (&mut secret, &*before);
        consent::renew((call, txn, &permit), &place, changed, given).await?;
        if secret != *before {
            secret.touch(call.now);
            secret.save(txn, &place, &before)?;
        }
        let version_id = given.map(|_| token.0);
        let output = NamedVersion { arn: secret.arn, name: secret.name, version_id };
        Ok(Answer::new(permit, output).with_events(events))
    }

    fn elements(output: &NamedVersion) -> Option<serde_json::Value> {
        Some(output.arn_element())
    }
}

impl UpdateSecret {
    /// Tries the new key, and lets it open the labelled versions, too, as far as the caller may.
    ///
    /// Source: API Reference, UpdateSecret, `KmsKeyId`.
    async fn change_key(
        &self,
        (call, txn, permit): (&Call<'_>, &mut Txn<'_>, &Permit),
        place: &Place,
        before: &Secret,
        secret: &Secret,
    ) -> Result<(), Error> {
        keys::try_out((call, txn), place, secret).await?;
        let lock = keys::find((call, txn), place, secret.kms_key_id.as_deref()).await?;
        for label in [Label::CURRENT, Label::PENDING, Label::PREVIOUS] {
            let Some(id) = before.stages.holder(&label) else { continue };
            if let Some(version) = value::find(txn, place, secret, id).await? {
                value::rewrap((call, txn, permit), place, secret, (&lock, &version)).await?;
            }
        }
        Ok(())
    }

    /// Takes over what was given; an empty text clears the member.
    fn describe(&self, secret: &mut Secret) {
        let given = |it: &Text| Some(it.as_str().to_owned()).filter(|it| !it.is_empty());
        if let Some(description) = &self.description {
            secret.description = given(description);
        }
        if let Some(key) = &self.kms_key_id {
            secret.kms_key_id = given(key);
        }
        if let Some(kind) = &self.r#type {
            secret.kind = given(kind);
        }
    }
}
