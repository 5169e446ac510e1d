//! Keys of issuers that can't be reached: an operator brings them.

use super::Admin;
use super::answer::{Replied, ok};
use identity::Error;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

/// Whose keys, and which; none at all, and the issuer is asked again.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct SetProviderKeys {
    arn: String,
    keys: Option<Box<RawValue>>,
}

impl Admin {
    /// Does it, with its audit record.
    pub(super) async fn set_provider_keys(&self, wanted: &SetProviderKeys) -> Replied {
        loop {
            match self.attempt_keys(wanted).await {
                Err(Error::Store(store::Error::Conflict { .. })) | Ok(None) => (),
                Err(error) => return Err(error.into()),
                Ok(Some(count)) => return Ok(ok(&json!({ "Arn": wanted.arn, "Keys": count }))),
            }
        }
    }

    /// How many keys there are now; `None` if another commit was first.
    async fn attempt_keys(&self, wanted: &SetProviderKeys) -> Result<Option<usize>, Error> {
        let front = &self.front;
        let (arn, keys) = (&*wanted.arn, wanted.keys.as_deref().map(RawValue::get));
        let mut txn = store::begin(&*front.backend);
        let (account, count) =
            identity::set_provider_keys(&mut txn, arn, keys, &*front.entropy).await?;
        let details = json!({ "openIDConnectProviderArn": arn, "keys": count });
        let record = self.operator_record(&account, "SetOpenIDConnectProviderKeys", &details)?;
        let committed = service::commit_recorded(txn, &[record], &*front.trail).await?;
        Ok(committed.then_some(count))
    }
}
