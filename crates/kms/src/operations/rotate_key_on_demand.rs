//! RotateKeyOnDemand: new material for a key, at once.

use crate::exception::Exception;
use crate::key::RotationType;
use crate::operations::SOURCE;
use crate::state::Act;
use crate::{KmsKey, Origin, import, limits, lookup, material};
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Which key.
    pub struct RotateKeyOnDemand {
        key_id: Text,
    }
}

/// The id of the key.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    key_id: String,
}

impl Operation for RotateKeyOnDemand {
    const NAME: &'static str = "RotateKeyOnDemand";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("kms:RotateKeyOnDemand");
    const READ_ONLY: bool = false;
    type Output = Output;
    type Error = Exception;

    fn constraints(&self, found: &mut Violations) {
        lookup::constraints(found, self.key_id.as_ref());
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Exception> {
        let sought = lookup::Sought::own(self.key_id.as_ref());
        let (permit, key) = lookup::admit(call, txn, self, sought).await?;
        key.permits(Act::RotateNow)?;
        let history = key.history();
        let so_far = history.iter().filter(|it| it.by == Some(RotationType::OnDemand)).count();
        if so_far >= limits::ROTATIONS_ON_DEMAND {
            return Err(Exception::Limit(format!(
                "The on-demand rotations limit has been reached for the given keyId. No more \
                 on-demand rotations can be performed for this key: {}",
                key.arn
            )));
        }
        let mut key = KmsKey::clone(&key);
        let scope = lookup::scope(call);
        match key.origin {
            Origin::AwsKms => {
                material::rotate(txn, &scope, &mut key, RotationType::OnDemand).await?;
            }
            Origin::External => import::rotate(&mut key, call.now)?,
        }
        key.save(txn)?;
        Ok(Answer::new(permit, Output { key_id: key.id }))
    }

    fn elements(output: &Output) -> Option<serde_json::Value> {
        Some(serde_json::json!({ "keyId": output.key_id }))
    }
}
