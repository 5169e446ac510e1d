//! CreateKey: a new key, with its policy, and its first material unless that is to be brought along.

use crate::access::Asker;
use crate::exception::Exception;
use crate::operations::SOURCE;
use crate::policies::KeyPolicy;
use crate::shown::KeyMetadata;
use crate::tags::{self, TagsGiven};
use crate::{KmsKey, Manager, Origin, access, condition, key_spec, limits, lookup};
use base::Uuid;
use policy::engine::Values;
use serde::Serialize;
use service::{Action, Answer, Call, Operation, Target, input};
use store::Txn;
use wire::Violations;
use wire::members::{Boolean, Text};

input! {
    /// What kind of key, and who may use it.
    pub struct CreateKey {
        policy: Text,
        description: Text,
        key_usage: Text,
        customer_master_key_spec: Text,
        key_spec: Text,
        origin: Text,
        custom_key_store_id: Text,
        bypass_policy_lockout_safety_check: Boolean,
        tags: TagsGiven,
        multi_region: Boolean,
        xks_key_id: Text,
    }
}

/// What is known of the new key.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    key_metadata: KeyMetadata,
}

const TAG: Action = Action("kms:TagResource");

impl Operation for CreateKey {
    const NAME: &'static str = "CreateKey";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("kms:CreateKey");
    const READ_ONLY: bool = false;
    type Output = Output;
    type Error = Exception;

    fn constraints(&self, found: &mut Violations) {
        found.length("policy", self.policy.as_ref(), limits::POLICY);
        found.length("description", self.description.as_ref(), limits::DESCRIPTION);
        found.one_of("keyUsage", self.key_usage.as_ref(), key_spec::USAGES);
        let old = self.customer_master_key_spec.as_ref();
        found.one_of("customerMasterKeySpec", old, key_spec::SPECS);
        found.one_of("keySpec", self.key_spec.as_ref(), key_spec::SPECS);
        found.one_of("origin", self.origin.as_ref(), key_spec::ORIGINS);
        found.length("customKeyStoreId", self.custom_key_store_id.as_ref(), 1..=64);
        found.length("xksKeyId", self.xks_key_id.as_ref(), 1..=128);
        tags::constraints(found, self.tags.as_ref());
    }

    fn condition(&self, key: &str) -> Option<Values<'_>> {
        let Some(key) = condition::own(key) else {
            return tags::condition(self.tags.as_ref(), key);
        };
        match key {
            "bypasspolicylockoutsafetycheck" => {
                Some(condition::flag(self.bypass_policy_lockout_safety_check))
            }
            "keyorigin" => condition::text(self.origin.as_ref()).or(Some(Values::one("AWS_KMS"))),
            "keyspec" => {
                let given = self.key_spec.as_ref().or(self.customer_master_key_spec.as_ref());
                condition::text(given).or(Some(Values::one(access::SYMMETRIC)))
            }
            "keyusage" => condition::text(self.key_usage.as_ref())
                .or(Some(Values::one(access::ENCRYPT_DECRYPT))),
            "multiregion" => Some(condition::flag(self.multi_region)),
            _ => None,
        }
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Exception> {
        let id = Uuid::random(call.entropy);
        let asker = Asker(call);
        let target = asker.target();
        let permit = call.permit(self, Self::ACTION, target)?;
        if self.tags.is_some() {
            let arn = lookup::place(call).arn(&format!("key/{id}"));
            call.permit(self, TAG, Target { resource: Some(&arn), ..target })?;
        }
        call.validate(self)?;
        let wanted = self.wanted();
        wanted.check()?;
        let external = wanted.origin() == Origin::External.as_str();
        let owned = (Manager::Customer, if external { Origin::External } else { Origin::AwsKms });
        let mut key = KmsKey::create(txn, &lookup::scope(call), id, owned).await?;
        let text = |it: &Option<Text>| it.as_ref().map(|it| it.as_str().to_owned());
        key.description = text(&self.description).unwrap_or_default();
        key.tags = tags::merged(&key.tags, self.tags.as_ref())?;
        key.policy = Some(match text(&self.policy) {
            Some(text) => KeyPolicy::check(txn, &text).await?,
            None => KeyPolicy::of_account(&key),
        });
        if !self.bypass_policy_lockout_safety_check.is_some_and(Boolean::get) {
            access::check_lockout(call, &key)?;
        }
        key.save(txn)?;
        Ok(Answer::new(permit, Output { key_metadata: KeyMetadata::of(&key) }))
    }

    fn elements(output: &Output) -> Option<serde_json::Value> {
        Some(output.key_metadata.elements())
    }
}

impl CreateKey {
    /// What kind of key is asked for.
    fn wanted(&self) -> key_spec::Wanted<'_> {
        fn text(given: Option<&Text>) -> Option<&str> {
            given.map(Text::as_str)
        }
        key_spec::Wanted {
            specs: [&self.key_spec, &self.customer_master_key_spec].map(|it| text(it.as_ref())),
            usage: text(self.key_usage.as_ref()),
            origin: text(self.origin.as_ref()),
            elsewhere: self.custom_key_store_id.is_some() || self.xks_key_id.is_some(),
            multi_region: self.multi_region.is_some_and(Boolean::get),
        }
    }
}
