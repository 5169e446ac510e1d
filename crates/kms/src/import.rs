//! Material that was brought along: what is kept of it, and what becomes of its key without it.
//!
//! ```text
//! import (first)   → current                 import (new) → waits for a rotation → current
//! delete, expire   → not here, key unusable  import (the same) → here again
//! ```
//!
//! A material's id follows from the key and the material, so that the same one is known again after it was
//! destroyed, and what was encrypted under it opens again.
//!
//! Source: KMS Developer Guide, "Importing key material"; KMS API Reference, ImportKeyMaterial.

use crate::exception::Exception;
use crate::key::{MaterialNote, RotationType};
use crate::{KeyState, KmsKey, MaterialId, limits, material};
use base::Timestamp;
use envelope::{Key, message};
use serde::{Deserialize, Serialize};
use store::Txn;
use wire::Violations;
use wire::members::Text;

/// What is kept of an imported material besides itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Import {
    /// Whether the material is here. A key that lacks one of its materials can't be used.
    pub(crate) present: bool,
    /// Whether it waits for RotateKeyOnDemand to become current. Until then it isn't bound to the key.
    pub(crate) pending: bool,
    /// When it is destroyed by itself.
    pub(crate) valid_to: Option<Timestamp>,
    /// What its owner says of it.
    pub(crate) description: Option<String>,
}

/// How a material comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ImportType {
    /// One that the key has, or had.
    Existing,
    /// One more.
    New,
}

impl MaterialNote {
    /// Whether it waits for RotateKeyOnDemand.
    pub(crate) fn is_pending(&self) -> bool {
        self.import.as_ref().is_some_and(|it| it.pending)
    }

    /// Whether the key can't be used without it, and it isn't here.
    fn is_missed(&self) -> bool {
        self.import.as_ref().is_some_and(|it| !it.present && !it.pending)
    }
}

/// The id of `material` in `key`: two names of 128 bits that follow from both and tell nothing of either.
pub(crate) fn id(key: &KmsKey, material: &Key) -> Option<MaterialId> {
    let half = |which: &str| message::fingerprint(material, &format!("{which}/{}", key.id));
    let bytes = [half("material-id-1")?, half("material-id-2")?].concat();
    bytes.try_into().ok().map(MaterialId::from_bytes)
}

/// The model's constraints on the name of a material.
pub(crate) fn id_constraints(found: &mut Violations, given: Option<&Text>) {
    found.length("keyMaterialId", given, limits::MATERIAL_ID);
    found.pattern("keyMaterialId", given, "^[a-f0-9]+$", |it| {
        !it.is_empty() && it.bytes().all(|it| it.is_ascii_digit() || (b'a'..=b'f').contains(&it))
    });
}

/// The material of `key` called `name`.
///
/// # Errors
///
/// - [`Exception::NotFound`]: it has none of that name.
pub(crate) fn named(key: &KmsKey, name: &str) -> Result<MaterialId, Exception> {
    let found = key.materials.iter().map(|it| it.id).find(|it| it.to_string() == name);
    let missing = || Exception::NotFound(format!("Key material '{name}' does not exist"));
    found.ok_or_else(missing)
}

/// Whether all material that the key needs is here.
pub(crate) fn is_whole(key: &KmsKey) -> bool {
    key.material.is_some() && !key.materials.iter().any(MaterialNote::is_missed)
}

/// Notes that the material `id` has come, as `kind`, with what `import` says of it.
///
/// # Errors
///
/// - [`Exception::IncorrectMaterial`]: it is to be one the key has, and is none; or new, and isn't.
/// - [`Exception::KeyContent`]: another new one waits for its rotation.
pub(crate) fn take(
    key: &mut KmsKey,
    (id, now): (MaterialId, Timestamp),
    kind: ImportType,
    import: Import,
) -> Result<(), Exception> {
    let known = key.materials.iter_mut().find(|it| it.id == id);
    match (kind, known) {
        (ImportType::Existing, Some(note)) => {
            let former = note.import.take().unwrap_or_default();
            let description = import.description.or(former.description);
            note.import = Some(Import { pending: former.pending, description, ..import });
        }
        (ImportType::Existing, None) | (ImportType::New, Some(_)) => {
            return Err(Exception::IncorrectMaterial);
        }
        (ImportType::New, None) => {
            if key.materials.iter().any(MaterialNote::is_pending) {
                return Err(Exception::KeyContent(format!(
                    "{} already has key material pending rotation.",
                    key.arn
                )));
            }
            let pending = key.material.is_some();
            key.material = key.material.or(Some(id));
            let import = Some(Import { pending, ..import });
            key.materials.push(MaterialNote { id, since: now, by: None, import });
        }
    }
    if key.state == KeyState::PendingImport && is_whole(key) {
        key.state = KeyState::Enabled;
    }
    Ok(())
}

/// Destroys the material `id` of `key`, which the caller saves.
///
/// One that waits for its rotation is forgotten; without any other the key can't be used until it comes back.
pub(crate) fn discard(txn: &mut Txn<'_>, key: &mut KmsKey, id: MaterialId) {
    material::remove(txn, key, id);
    key.materials.retain(|it| it.id != id || !it.is_pending());
    for import in key.materials.iter_mut().filter(|it| it.id == id).map(|it| &mut it.import) {
        let former = import.take().unwrap_or_default();
        *import = Some(Import { present: false, valid_to: None, ..former });
    }
    let ends = matches!(key.state, KeyState::PendingDeletion | KeyState::PendingReplicaDeletion);
    if !ends && !is_whole(key) {
        key.state = KeyState::PendingImport;
    }
}

/// Makes the material current that waits for it.
///
/// # Errors
///
/// - [`Exception::KeyContent`]: none does.
pub(crate) fn rotate(key: &mut KmsKey, now: Timestamp) -> Result<(), Exception> {
    let waiting = key.materials.iter_mut().find(|it| it.is_pending());
    let Some(note) = waiting else {
        return Err(Exception::KeyContent(format!(
            "No available key material pending rotation for the key: {}.",
            key.arn
        )));
    };
    (note.since, note.by) = (now, Some(RotationType::OnDemand));
    if let Some(import) = &mut note.import {
        import.pending = false;
    }
    key.material = Some(note.id);
    Ok(())
}

/// A material whose time is over at `now`, if there is one.
pub(crate) fn first_ended(key: &KmsKey, now: Timestamp) -> Option<MaterialId> {
    let over = |it: &Import| it.valid_to.is_some_and(|end| end <= now);
    key.materials.iter().find(|it| it.import.as_ref().is_some_and(over)).map(|it| it.id)
}

/// The first end of a material that the key needs.
pub(crate) fn earliest_end(key: &KmsKey) -> Option<Timestamp> {
    let needed = key.materials.iter().filter_map(|it| it.import.as_ref()).filter(|it| !it.pending);
    needed.filter_map(|it| it.valid_to).min()
}

/// The `ExpirationModel` of a key with imported material.
pub(crate) fn expiration(key: &KmsKey) -> Option<&'static str> {
    let here = key.materials.iter().filter_map(|it| it.import.as_ref()).any(|it| it.present);
    here.then(|| model(earliest_end(key)))
}

/// The `ExpirationModel` of what ends at `valid_to`.
pub(crate) fn model(valid_to: Option<Timestamp>) -> &'static str {
    if valid_to.is_some() { EXPIRES } else { STAYS }
}

/// The two values of `ExpirationModelType`.
pub(crate) const EXPIRES: &str = "KEY_MATERIAL_EXPIRES";
pub(crate) const STAYS: &str = "KEY_MATERIAL_DOES_NOT_EXPIRE";
