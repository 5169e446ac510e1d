//! RestoreSecret: brings back a secret that is scheduled for deletion.

use crate::input::input;
use crate::operations::shown::Named;
use crate::secret::Secret;
use crate::version::{Version, versions_of};
use crate::{Error, limits, lookup};
use service::{Action, Answer, Call, Event, Operation};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Which secret.
    pub struct RestoreSecret {
        secret_id: Text,
    }
}

/// Records of brought-back versions in one answer: bounds the size of the transaction.
const RECORDED: usize = 100;

impl Operation for RestoreSecret {
    const NAME: &'static str = "RestoreSecret";
    const ACTION: Action = Action("secretsmanager:RestoreSecret");
    const READ_ONLY: bool = false;
    type Output = Named;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        found.required("secretId", self.secret_id.as_ref());
        found.length("secretId", self.secret_id.as_ref(), limits::SECRET_ID);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Named>, Error> {
        let found = lookup::find(call, txn, self.secret_id.as_ref()).await?;
        let permit = found.admit(call, self)?;
        let (place, before) = found.existing()?;
        let answer = Answer::new(permit, Named::new(&before));
        // Restoring what isn't scheduled is a success that changes nothing.
        let Some(deletion) = before.deletion else { return Ok(answer) };
        // Its removal is due and may have begun: what is left of it is no secret any more.
        if deletion.due <= call.now {
            return Err(Error::NoSecret);
        }
        let versions =
            txn.page::<Version>(versions_of(&place, &before.id), RECORDED, false).await?;
        let mut secret = before.clone();
        secret.deletion = None;
        secret.touch(call.now);
        secret.save(txn, &place, &before)?;
        Ok(answer.with_events(versions.rows.iter().map(|_| kept(call, &secret)).collect()))
    }

    fn elements(output: &Named) -> Option<serde_json::Value> {
        Some(output.elements())
    }
}

fn kept(call: &Call<'_>, secret: &Secret) -> Event {
    Event::Service {
        name: "CancelSecretVersionDelete",
        details: serde_json::json!({ "ARN": secret.arn, "Name": secret.name }),
        request_id: base::Uuid::random(call.entropy).to_string(),
    }
}
