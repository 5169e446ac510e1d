//! What each state of a key lets be done with it.
//!
//! Source: KMS Developer Guide, "Key states of KMS keys".

use crate::exception::Exception;
use crate::key::Origin;
use crate::{KeyState, KmsKey};

/// What an operation does with a key, as far as the key's state has a say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// Takes back that it is to be deleted.
    Cancel,
    /// Changes what is told of it.
    Describe,
    /// Takes material away that was brought along.
    Discard,
    /// Schedules its deletion.
    End,
    /// Takes material that is brought along.
    Import,
    /// Tells whether it rotates.
    Look,
    /// Makes ready for material that is to be brought along.
    Prepare,
    /// Says when it gets new material.
    Rotate,
    /// Gives it new material.
    RotateNow,
    /// Switches it on or off.
    Switch,
    /// Uses it, or lets others use it.
    Use,
}

impl KmsKey {
    /// Whether the key's state, and where its material is from, permit `act`.
    pub(crate) fn permits(&self, act: Act) -> Result<(), Exception> {
        use KeyState as State;
        let (arn, state) = (&self.arn, self.state);
        let unfit = match self.origin {
            Origin::AwsKms => matches!(act, Act::Discard | Act::Import | Act::Prepare),
            Origin::External => matches!(act, Act::Look | Act::Rotate),
        };
        if unfit {
            return Err(Exception::Unsupported(format!(
                "{arn} origin is {} which is not valid for this operation.",
                self.origin.as_str()
            )));
        }
        let ends = matches!(state, State::PendingDeletion | State::PendingReplicaDeletion);
        let permitted = match act {
            Act::Cancel if ends => true,
            Act::Cancel => {
                return Err(Exception::not_in(arn, state, State::PendingDeletion));
            }
            Act::Describe => !ends,
            Act::Discard => !matches!(state, State::Creating | State::Updating),
            Act::End => !ends && state != State::Updating,
            Act::Import => !ends && state != State::Creating,
            Act::Look => true,
            Act::Prepare => !ends && !matches!(state, State::Creating | State::Updating),
            Act::Rotate | Act::RotateNow | Act::Use => {
                matches!(state, State::Enabled | State::Updating)
            }
            Act::Switch => matches!(state, State::Disabled | State::Enabled),
        };
        if permitted {
            return Ok(());
        }
        Err(Exception::KeyState { arn: arn.clone(), state, wanted: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Manager;
    use crate::policies::Compiled;
    use base::Timestamp;
    use std::collections::{BTreeMap, BTreeSet};

    fn external() -> KmsKey {
        KmsKey {
            id: "id".to_owned(),
            arn: "arn".to_owned(),
            alias: None,
            state: KeyState::Enabled,
            manager: Manager::Customer,
            created: Timestamp::default(),
            material: Some(crate::MaterialId::from_bytes([7; 32])),
            description: String::new(),
            tags: BTreeMap::new(),
            aliases: BTreeSet::new(),
            origin: Origin::External,
            deletion: None,
            rotation: None,
            materials: Vec::new(),
            policy: None,
            compiled: Compiled::default(),
        }
    }

    #[test]
    fn material_that_was_brought_along_does_not_rotate() {
        let told = "arn origin is EXTERNAL which is not valid for this operation.";
        for (act, outcome) in [
            (Act::Rotate, Err(told.to_owned())),
            (Act::Look, Err(told.to_owned())),
            (Act::Use, Ok(())),
            (Act::Describe, Ok(())),
        ] {
            assert_eq!(external().permits(act).map_err(|it| it.to_string()), outcome, "{act:?}");
        }
        let pending = KmsKey { state: KeyState::PendingImport, ..external() };
        let told = "arn is pending import.".to_owned();
        assert_eq!(pending.permits(Act::Switch).map_err(|it| it.to_string()), Err(told));
    }
}
