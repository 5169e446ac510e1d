//! EnableKeyRotation: a key gets new material every so many days.

use crate::due::Due;
use crate::exception::Exception;
use crate::key::Rotation;
use crate::operations::SOURCE;
use crate::shown::Nothing;
use crate::state::Act;
use crate::{KmsKey, condition, limits, lookup};
use policy::engine::Values;
use service::{Action, Answer, Call, Operation, input};
use std::time::Duration;
use store::Txn;
use wire::Violations;
use wire::members::{Integer, Text};

input! {
    /// Which key, and how often.
    pub struct EnableKeyRotation {
        key_id: Text,
        rotation_period_in_days: Integer,
    }
}

impl Operation for EnableKeyRotation {
    const NAME: &'static str = "EnableKeyRotation";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("kms:EnableKeyRotation");
    const READ_ONLY: bool = false;
    type Output = Nothing;
    type Error = Exception;

    fn constraints(&self, found: &mut Violations) {
        lookup::constraints(found, self.key_id.as_ref());
        found.range("rotationPeriodInDays", self.rotation_period_in_days, limits::ROTATION_PERIOD);
    }

    fn condition(&self, key: &str) -> Option<Values<'_>> {
        match condition::own(key)? {
            "rotationperiodindays" => condition::number(self.rotation_period_in_days),
            _ => None,
        }
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Nothing>, Exception> {
        let sought = lookup::Sought::own(self.key_id.as_ref());
        let (permit, key) = lookup::admit(call, txn, self, sought).await?;
        key.permits(Act::Rotate)?;
        let days = self.rotation_period_in_days.and_then(|it| u16::try_from(it.get()).ok());
        let days = days.or(key.rotation.map(|it| it.days)).unwrap_or(365);
        if key.rotation.is_none_or(|it| it.days != days) {
            if let Some(former) = key.rotation {
                Due::of(&key, former.next).remove(txn);
            }
            let next = call.now.plus(Duration::from_hours(24 * u64::from(days)));
            let rotation = Some(Rotation { days, next });
            KmsKey { rotation, ..KmsKey::clone(&key) }.save(txn)?;
            Due::of(&key, next).save(txn)?;
        }
        Ok(Answer::new(permit, Nothing {}))
    }
}
