//! DeleteImportedKeyMaterial: a key can't be used until the same material comes back.

use crate::due::Due;
use crate::exception::Exception;
use crate::operations::SOURCE;
use crate::state::Act;
use crate::{KmsKey, import, lookup};
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Of which key, and which material; without a name the current one.
    pub struct DeleteImportedKeyMaterial {
        key_id: Text,
        key_material_id: Text,
    }
}

/// The key, and the name of what was deleted.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    key_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_material_id: Option<String>,
}

impl Operation for DeleteImportedKeyMaterial {
    const NAME: &'static str = "DeleteImportedKeyMaterial";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("kms:DeleteImportedKeyMaterial");
    const READ_ONLY: bool = false;
    type Output = Output;
    type Error = Exception;

    fn constraints(&self, found: &mut Violations) {
        lookup::constraints(found, self.key_id.as_ref());
        import::id_constraints(found, self.key_material_id.as_ref());
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Exception> {
        let sought = lookup::Sought::own(self.key_id.as_ref());
        let (permit, key) = lookup::admit(call, txn, self, sought).await?;
        key.permits(Act::Discard)?;
        let mut key = KmsKey::clone(&key);
        let id = match &self.key_material_id {
            Some(given) => Some(import::named(&key, given.as_str())?),
            None => key.material,
        };
        if let Some(id) = id {
            import::discard(txn, &mut key, id);
            key.save(txn)?;
            // What the keyring remembers goes by what falls due, for which this is a reason to look.
            Due::of(&key, call.now).save(txn)?;
        }
        let key_material_id = id.map(|it| it.to_string());
        Ok(Answer::new(permit, Output { key_id: key.arn, key_material_id }))
    }

    fn elements(output: &Output) -> Option<serde_json::Value> {
        Some(serde_json::json!({
            "keyId": output.key_id,
            "keyMaterialId": output.key_material_id,
        }))
    }
}
