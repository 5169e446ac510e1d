//! DeleteSecret: schedules a deletion, or deletes at once.

use crate::secret::{Deletion, Place, Secret};
use crate::{Error, condition, lookup, maintenance};
use base::Timestamp;
use policy::engine::Values;
use serde::Serialize;
use service::{Action, Answer, Call, Event, Operation, input};
use std::sync::Arc;
use std::time::Duration;
use store::Txn;
use wire::Violations;
use wire::json::instant;
use wire::members::{Boolean, Integer, Text};

input! {
    /// Which secret, and how long it can be brought back.
    pub struct DeleteSecret {
        secret_id: Text,
        recovery_window_in_days: Integer,
        force_delete_without_recovery: Boolean,
    }
}

/// When the secret will be gone.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    #[serde(rename = "ARN")]
    arn: String,
    #[serde(serialize_with = "instant")]
    deletion_date: Timestamp,
    name: String,
}

const DAYS: std::ops::RangeInclusive<i64> = 7..=30;

impl Operation for DeleteSecret {
    const NAME: &'static str = "DeleteSecret";
    const ACTION: Action = Action("secretsmanager:DeleteSecret");
    const READ_ONLY: bool = false;
    type Output = Output;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        lookup::constraints(found, self.secret_id.as_ref());
    }

    fn condition(&self, key: &str) -> Option<Values<'_>> {
        match condition::own(key)? {
            "forcedeletewithoutrecovery" => condition::boolean(self.force_delete_without_recovery),
            "recoverywindowindays" => condition::number(self.recovery_window_in_days),
            _ => None,
        }
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let (permit, found) = lookup::admit(call, txn, self, self.secret_id.as_ref()).await?;
        let force = self.force_delete_without_recovery.is_some_and(Boolean::get);
        let window = self.window(force)?;
        let (output, events) = match found.existing() {
            Err(Error::NoSecret) if force => (self.nothing_to_delete(call), Vec::new()),
            Err(error) => return Err(error),
            Ok((place, secret)) if force => delete_now(call, txn, &place, secret).await?,
            Ok((_, secret)) if secret.deletion.is_some() => return Err(Error::ScheduledAlready),
            Ok((place, secret)) => (schedule(call, txn, &place, &secret, window)?, Vec::new()),
        };
        Ok(Answer::new(permit, output).with_events(events))
    }

    fn elements(output: &Output) -> Option<serde_json::Value> {
        let date = output.deletion_date.format("%b %-d, %Y, %-I:%M:%S %p");
        Some(serde_json::json!({ "arn": output.arn, "deletionDate": date, "name": output.name }))
    }
}

impl DeleteSecret {
    /// The time in which the secret can be brought back.
    fn window(&self, force: bool) -> Result<Duration, Error> {
        let days = self.recovery_window_in_days.map(Integer::get);
        if days.is_some_and(|it| !DAYS.contains(&it)) {
            return Err(Error::Window);
        }
        if force && days.is_some() {
            return Err(Error::ForceWithWindow);
        }
        let days = days.unwrap_or(*DAYS.end()).unsigned_abs();
        Ok(Duration::from_secs(days * 86_400))
    }

    /// Deleting what isn't there at once is a success: the caller has what it wants.
    fn nothing_to_delete(&self, call: &Call<'_>) -> Output {
        let given = self.secret_id.as_ref().map(Text::as_str).unwrap_or_default();
        let place = Place { account: call.caller.account.clone(), region: call.region.clone() };
        let name = given.split_once(":secret:").map_or(given, |(_, name)| name);
        let secret = Secret::new(&place, name, call.now, call.entropy);
        let arn = if given.starts_with("arn:") { given.to_owned() } else { secret.arn };
        Output { arn, deletion_date: call.now, name: secret.name }
    }
}

fn schedule(
    call: &Call<'_>,
    txn: &mut Txn<'_>,
    place: &Place,
    before: &Secret,
    window: Duration,
) -> Result<Output, Error> {
    let due = call.now.plus(window);
    let mut secret = Secret::clone(before);
    secret.deletion = Some(Deletion { requested: call.now, due });
    secret.touch(call.now);
    secret.save(txn, place, before)?;
    Ok(Output { arn: secret.arn, deletion_date: due, name: secret.name })
}

/// Removes the secret, or its first versions if it has very many; the rest falls due at once.
async fn delete_now(
    call: &Call<'_>,
    txn: &mut Txn<'_>,
    place: &Place,
    secret: Arc<Secret>,
) -> Result<(Output, Vec<Event>), Error> {
    let mut doomed = Secret::clone(&secret);
    doomed.deletion = Some(Deletion { requested: call.now, due: call.now });
    let events = maintenance::purge(txn, place, &secret, doomed, call.now).await?;
    let (arn, name) = (secret.arn.clone(), secret.name.clone());
    Ok((Output { arn, deletion_date: call.now, name }, events))
}
