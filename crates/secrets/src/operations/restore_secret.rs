//! RestoreSecret: brings back a secret that is scheduled for deletion.

use crate::operations::shown::Named;
use crate::secret::Secret;
use crate::{Error, lookup};
use service::{Action, Answer, Call, Event, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Which secret.
    pub struct RestoreSecret {
        secret_id: Text,
    }
}

impl Operation for RestoreSecret {
    const NAME: &'static str = "RestoreSecret";
    const ACTION: Action = Action("secretsmanager:RestoreSecret");
    const READ_ONLY: bool = false;
    type Output = Named;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        lookup::constraints(found, self.secret_id.as_ref());
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Named>, Error> {
        let (permit, found) = lookup::admit(call, txn, self, self.secret_id.as_ref()).await?;
        let (place, before) = found.existing()?;
        let answer = Answer::new(permit, Named::new(&before));
        // Restoring what isn't scheduled is a success that changes nothing.
        let Some(deletion) = before.deletion else { return Ok(answer) };
        // Its removal is due and may have begun: what is left of it is no secret any more.
        if deletion.due <= call.now {
            return Err(Error::NoSecret);
        }
        let mut secret = Secret::clone(&before);
        secret.deletion = None;
        secret.touch(call.now);
        secret.save(txn, &place, &before)?;
        // Each version has a record of its own, as documented, in the commit that brings it back: what was
        // done in portions could be seen half done. A version's is below 2 KB and a secret has at
        // most 10,000, so all fit one commit; one record with a list of them wouldn't fit a record.
        Ok(answer.with_events((0..secret.versions).map(|_| kept(call, &secret)).collect()))
    }

    fn elements(output: &Named) -> Option<serde_json::Value> {
        Some(output.elements())
    }
}

fn kept(call: &Call<'_>, secret: &Secret) -> Event {
    Event::Service {
        source: RestoreSecret::SOURCE,
        name: "CancelSecretVersionDelete",
        details: serde_json::json!({ "ARN": secret.arn, "Name": secret.name }),
        request_id: base::Uuid::random(call.entropy).to_string(),
        error: None,
    }
}
