//! ListKeyRotations: when a key got new material, and why.

use crate::exception::Exception;
use crate::key::{MaterialNote, RotationType};
use crate::operations::SOURCE;
use crate::{KmsKey, Origin, import, listing, lookup};
use base::Timestamp;
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::json::instant_option;
use wire::members::{Integer, Text};

input! {
    /// Of which key, whether all its material, how many, and from where.
    pub struct ListKeyRotations {
        key_id: Text,
        include_key_material: Text,
        limit: Integer,
        marker: Text,
    }
}

/// A page of rotations, oldest first.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    rotations: Vec<Entry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_marker: Option<String>,
    truncated: bool,
}

/// One material of the key.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Entry {
    key_id: String,
    key_material_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_material_description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    import_state: Option<&'static str>,
    key_material_state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiration_model: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "instant_option")]
    valid_to: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "instant_option")]
    rotation_date: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rotation_type: Option<RotationType>,
    #[serde(skip)]
    position: String,
}

impl Operation for ListKeyRotations {
    const NAME: &'static str = "ListKeyRotations";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("kms:ListKeyRotations");
    const READ_ONLY: bool = true;
    type Output = Output;
    type Error = Exception;

    fn constraints(&self, found: &mut Violations) {
        lookup::constraints(found, self.key_id.as_ref());
        let values = &["ALL_KEY_MATERIAL", "ROTATIONS_ONLY"];
        found.one_of("includeKeyMaterial", self.include_key_material.as_ref(), values);
        listing::constraints(found, self.limit, self.marker.as_ref());
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Exception> {
        let sought = lookup::Sought::own(self.key_id.as_ref());
        let (permit, key) = lookup::admit(call, txn, self, sought).await?;
        let first =
            self.include_key_material.as_ref().map(Text::as_str) == Some("ALL_KEY_MATERIAL");
        let scope = format!("rotations/{}/{first}", key.id);
        let after = listing::after(&scope, self.marker.as_ref())?;
        let limit = listing::limit(self.limit, 100);
        let all = key.history().into_iter().enumerate().filter(|(_, it)| first || it.by.is_some());
        let all = all.map(|(index, note)| Entry::new(&key, index, note));
        let page = listing::cut(all, |it| it.position.as_str(), after.as_deref(), limit);
        let (rotations, truncated) = page;
        let last = rotations.last().map(|it| it.position.as_str());
        let next_marker = listing::next(&scope, last, truncated);
        Ok(Answer::new(permit, Output { rotations, next_marker, truncated }))
    }
}

impl Entry {
    fn new(key: &KmsKey, index: usize, note: MaterialNote) -> Self {
        let current = Some(note.id) == key.material;
        let pending = note.is_pending();
        let import = note.import.unwrap_or_default();
        let here = (key.origin == Origin::External).then_some(import.present);
        Self {
            key_id: key.id.clone(),
            key_material_id: note.id.to_string(),
            key_material_description: import.description,
            import_state: here.map(|it| if it { "IMPORTED" } else { "PENDING_IMPORT" }),
            key_material_state: match (current, pending) {
                (true, _) => "CURRENT",
                (false, true) => "PENDING_ROTATION",
                (false, false) => "NON_CURRENT",
            },
            expiration_model: here.filter(|it| *it).map(|_| import::model(import.valid_to)),
            valid_to: import.valid_to,
            rotation_date: note.by.map(|_| note.since),
            rotation_type: note.by,
            position: format!("{index:08}"),
        }
    }
}
