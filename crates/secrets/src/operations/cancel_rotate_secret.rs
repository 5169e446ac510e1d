//! CancelRotateSecret: no further rotation. What a database may have heard of is still brought to an end.

use crate::operations::shown::NamedVersion;
use crate::rotation::{Job, Kind, Phase, Rotation};
use crate::secret::Secret;
use crate::{Error, lookup};
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Which secret.
    pub struct CancelRotateSecret {
        secret_id: Text,
    }
}

impl Operation for CancelRotateSecret {
    const NAME: &'static str = "CancelRotateSecret";
    const ACTION: Action = Action("secretsmanager:CancelRotateSecret");
    const READ_ONLY: bool = false;
    type Output = NamedVersion;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        lookup::constraints(found, self.secret_id.as_ref());
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<NamedVersion>, Error> {
        let (permit, found) = lookup::admit(call, txn, self, self.secret_id.as_ref()).await?;
        let (place, before) = found.live()?;
        let mut secret = Secret::clone(&before);
        let version_id = secret.cancel_rotation();
        if secret != *before {
            secret.touch(call.now);
            secret.save(txn, &place, &before)?;
        }
        let (arn, name) = (secret.arn, secret.name);
        Ok(Answer::new(permit, NamedVersion { arn, name, version_id }))
    }

    fn elements(output: &NamedVersion) -> Option<serde_json::Value> {
        Some(output.arn_element())
    }
}

impl Secret {
    /// Turns rotation off. Gives the version of the rotation that was under way. Labels stay.
    fn cancel_rotation(&mut self) -> Option<String> {
        let rotation = self.rotation.get_or_insert_with(Rotation::default);
        rotation.enabled = false;
        rotation.next = None;
        let heard = |it: &Job| it.phase >= Phase::Setting && it.kind != Kind::Test;
        let version = rotation.job.as_ref().map(|it| it.token.0.clone());
        rotation.job = rotation.job.take().filter(heard);
        version
    }
}
