//! ImportKeyMaterial: material that was made elsewhere becomes a key's.

use crate::exception::Exception;
use crate::import::{self, EXPIRES, Import, ImportType, STAYS};
use crate::import_token::ImportToken;
use crate::operations::SOURCE;
use crate::state::Act;
use crate::{KmsKey, MaterialId, condition, due::Due, limits, lookup, material};
use base::Timestamp;
use policy::engine::Values;
use serde::Serialize;
use service::{Action, Answer, Call, Operation, Slow, input};
use std::borrow::Cow;
use std::time::Duration;
use store::Txn;
use wire::Violations;
use wire::members::{Blob, Instant, Text};

input! {
    /// Into which key, the wrapped material, and until when.
    pub struct ImportKeyMaterial {
        key_id: Text,
        #[serde(skip_serializing)]
        import_token: Blob,
        #[serde(skip_serializing)]
        encrypted_key_material: Blob,
        valid_to: Instant,
        expiration_model: Text,
        import_type: Text,
        key_material_description: Text,
        key_material_id: Text,
    }
}

/// The key, and the name of its material.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    key_id: String,
    key_material_id: String,
}

impl Operation for ImportKeyMaterial {
    const NAME: &'static str = "ImportKeyMaterial";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("kms:ImportKeyMaterial");
    const READ_ONLY: bool = false;
    type Output = Output;
    type Error = Exception;

    fn constraints(&self, found: &mut Violations) {
        lookup::constraints(found, self.key_id.as_ref());
        for (path, given) in [
            ("importToken", self.import_token.as_ref()),
            ("encryptedKeyMaterial", self.encrypted_key_material.as_ref()),
        ] {
            found.required(path, given);
            found.blob(path, given, limits::CIPHERTEXT);
        }
        found.one_of("expirationModel", self.expiration_model.as_ref(), &[EXPIRES, STAYS]);
        found.one_of("importType", self.import_type.as_ref(), &[NEW, EXISTING]);
        let description = self.key_material_description.as_ref();
        found.length("keyMaterialDescription", description, limits::MATERIAL_DESCRIPTION);
        found.pattern("keyMaterialDescription", description, DESCRIPTION, is_description);
        import::id_constraints(found, self.key_material_id.as_ref());
    }

    fn condition(&self, key: &str) -> Option<Values<'_>> {
        match condition::own(key)? {
            "expirationmodel" => condition::text(self.expiration_model.as_ref()),
            "validto" => {
                let end = self.valid_to?.get();
                Some(Values::One(Cow::Owned(end.to_string())))
            }
            _ => None,
        }
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Exception> {
        let sought = lookup::Sought::own(self.key_id.as_ref());
        let (permit, key) = lookup::admit(call, txn, self, sought).await?;
        key.permits(Act::Import)?;
        let valid_to = self.end(call.now)?;
        let kind = self.kind(&key)?;
        let scope = lookup::scope(call);
        let bytes = |it: &Option<Blob>| it.as_ref().map(|it| it.value().expose().to_vec());
        let token = bytes(&self.import_token).unwrap_or_default();
        let token = ImportToken::open(txn, &scope, &key, &token).await?;
        let sealed = bytes(&self.encrypted_key_material).unwrap_or_default();
        let slow = Slow::of(&call.caller.account).ok_or(Exception::Busy)?;
        let opened = slow.run(move || token.key.unwrap(token.wrapping, &sealed)).await;
        let brought = opened.and_then(Result::ok).ok_or(Exception::InvalidCiphertext)?;
        let id = import::id(&key, &brought).ok_or(Exception::InvalidCiphertext)?;
        self.check_id(id)?;

        let mut key = KmsKey::clone(&key);
        let description = self.key_material_description.as_ref().map(|it| it.as_str().to_owned());
        let import = Import { present: true, pending: false, valid_to, description };
        import::take(&mut key, (id, call.now), kind, import)?;
        material::put(txn, &scope, (&key.arn, id), &brought).await?;
        // An end from before stays in the table of what falls due, and finds nothing to do.
        if let Some(end) = valid_to {
            Due::of(&key, end).save(txn)?;
        }
        key.save(txn)?;
        let output = Output { key_id: key.arn, key_material_id: id.to_string() };
        Ok(Answer::new(permit, output))
    }

    fn elements(output: &Output) -> Option<serde_json::Value> {
        Some(serde_json::json!({
            "keyId": output.key_id,
            "keyMaterialId": output.key_material_id,
        }))
    }
}

impl ImportKeyMaterial {
    /// When the material is to be destroyed.
    fn end(&self, now: Timestamp) -> Result<Option<Timestamp>, Exception> {
        let invalid = |it: String| Err(Exception::Invalid(it));
        let stays = self.expiration_model.as_ref().is_some_and(|it| it.as_str() == STAYS);
        let given = self.valid_to.map(Instant::get);
        match given {
            None if stays => Ok(None),
            None => {
                invalid(format!("A validTo date must be set if the ExpirationModel is {EXPIRES}"))
            }
            Some(_) if stays => {
                invalid(format!("A validTo date must not be set if the ExpirationModel is {STAYS}"))
            }
            Some(end) if end <= now || now.plus(LONGEST) < end => {
                invalid("The validTo date must be within the next 365 days".to_owned())
            }
            Some(end) => Ok(Some(end)),
        }
    }

    fn kind(&self, key: &KmsKey) -> Result<ImportType, Exception> {
        let kind = match self.import_type.as_ref().map(Text::as_str) {
            Some(NEW) => ImportType::New,
            None if key.material.is_none() => ImportType::New,
            _ => ImportType::Existing,
        };
        if kind == ImportType::New && self.key_material_id.is_some() {
            let text = format!("KeyMaterialId must not be set if the ImportType is {NEW}");
            return Err(Exception::Invalid(text));
        }
        Ok(kind)
    }

    fn check_id(&self, id: MaterialId) -> Result<(), Exception> {
        match &self.key_material_id {
            Some(given) if given.as_str() != id.to_string() => Err(Exception::IncorrectMaterial),
            _ => Ok(()),
        }
    }
}

/// The model's pattern of `KeyMaterialDescriptionType`.
const DESCRIPTION: &str = r"^[a-zA-Z0-9:/_\s.-]+$";

fn is_description(text: &str) -> bool {
    let of_it = |it: u8| it.is_ascii_alphanumeric() || b":/_.- \t\n\r\x0b\x0c".contains(&it);
    !text.is_empty() && text.bytes().all(of_it)
}

/// The two values of `ImportType`.
const NEW: &str = "NEW_KEY_MATERIAL";
const EXISTING: &str = "EXISTING_KEY_MATERIAL";

/// How far ahead material may expire.
const LONGEST: Duration = Duration::from_hours(365 * 24);
