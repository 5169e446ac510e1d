//! From an operation to a durable end.

use crate::audit::{self, Encoded, Named, OUTBOX, Outcome, Trail, TrailError};
use crate::operation::{INTERNAL_TEXT, Reply, shown};
use crate::patience::Patience;
use crate::protocol::Protocol;
use crate::{Answer, Call, Denial, Event, Fault, Operation, spread};
use store::{Backend, Txn};
use tokio::sync::{Mutex, MutexGuard};
use wire::Code;

/// What a request needs of the machine: state, the trail, and a place to queue.
#[derive(Clone, Copy)]
pub struct Ports<'a> {
    /// Where state is.
    pub backend: &'a dyn Backend,
    /// Where audit records go.
    pub trail: &'a dyn Trail,
    /// Where requests queue that compete for the same rows.
    pub turns: &'a Turns,
}

/// Why there is no output.
#[derive(Debug)]
pub enum Failure<E> {
    /// Others kept changing what was read. The client may try again.
    Busy,
    /// The operation said no.
    Operation(E),
    /// The store failed.
    Store(store::Error),
    /// The audit record couldn't be written.
    Trail(TrailError),
}

const MAX_ATTEMPTS: usize = 64;

/// Runs `operation` to a durable end: its writes and its audit record are one commit.
///
/// It starts again from the top when another commit changed what it had read, from the second time on
/// in turn with others that lost on the same row. An operation that fails leaves its audit record and
/// nothing else, unless the failure [is counted](Fault::is_counted). Gives up with [`Failure::Busy`] after
/// `MAX_ATTEMPTS` conflicts.
pub async fn execute<O: Operation>(
    call: &Call<'_>,
    operation: &O,
    ports: Ports<'_>,
) -> Result<O::Output, Failure<O::Error>> {
    let (mut turn, mut patience) = (None, Patience::default());
    for _ in 0..MAX_ATTEMPTS {
        let mut txn = store::begin(ports.backend);
        let outcome = operation.run(call, &mut txn).await;
        if outcome.as_ref().is_err_and(Fault::is_outdated) {
            call.take_notes();
            call.keep_denial(None);
            continue;
        }
        if let Some(what) = outcome.as_ref().err().and_then(Fault::awaits)
            && patience.is_left()
        {
            match patience.wait(call, what, txn, ports).await {
                Ok(()) => continue,
                Err(error) => return Err(broken(call, operation, error, ports).await),
            }
        }
        if outcome.as_ref().is_err_and(|it| !it.is_counted()) {
            txn.discard_writes();
        }
        let noted = call.take_notes();
        let denial = denial(call, &outcome);
        for denial in denial.iter().cloned().chain(denials_of_parts(&outcome, &noted)) {
            denial.seal(call).await;
        }
        let records = records((call, operation), &outcome, (&noted, denial));
        let records = records.map_err(Failure::Trail)?;
        let committed = txn.writes_anything();
        if committed {
            records.iter().try_for_each(|it| txn.save(&OUTBOX, it, it)).map_err(Failure::Store)?;
        }
        match txn.commit().await {
            Ok(()) if committed => {
                // The outbox holds the records: the journal gets them now or when it can again.
                let _later = ports.trail.append_committed(&records).await;
            }
            Ok(()) => ports.trail.append(&records).await.map_err(Failure::Trail)?,
            Err(store::Error::Full) if operation.only_marks() => {
                ports.trail.append(&records).await.map_err(Failure::Trail)?;
            }
            Err(store::Error::Conflict { key }) => {
                drop(turn);
                call.keep_denial(None);
                turn = Some(ports.turns.wait(&key).await);
                continue;
            }
            Err(error) => return Err(broken(call, operation, error, ports).await),
        }
        return outcome.map(Answer::into_output).map_err(Failure::Operation);
    }
    let named = named::<O>();
    let outcome = failed(Code::THROTTLING, "Rate exceeded".to_owned());
    note::<()>(call, named, None, outcome, ports).await.map_err(Failure::Trail)?;
    Err(Failure::Busy)
}

/// The end of a call whose writes the store couldn't keep.
async fn broken<O: Operation>(
    call: &Call<'_>,
    operation: &O,
    error: store::Error,
    ports: Ports<'_>,
) -> Failure<O::Error> {
    let outcome = failed(Code::INTERNAL, INTERNAL_TEXT.to_owned());
    match note(call, named::<O>(), Some(operation), outcome, ports).await {
        Ok(()) => Failure::Store(error),
        Err(error) => Failure::Trail(error),
    }
}

/// Commits `txn` with `records`; `false` if somebody has changed what it has read.
///
/// # Errors
///
/// The store's.
pub async fn commit_recorded(
    mut txn: Txn<'_>,
    records: &[Encoded],
    trail: &dyn Trail,
) -> Result<bool, store::Error> {
    records.iter().try_for_each(|it| txn.save(&OUTBOX, it, it))?;
    match txn.commit().await {
        Ok(()) => {
            // The outbox holds the records: the journal gets them now or when it can again.
            let _later = trail.append_committed(records).await;
            Ok(true)
        }
        Err(store::Error::Conflict { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Turns a call away before its operation runs, leaving the audit record without parameters.
pub async fn refuse(
    call: &Call<'_>,
    row: &crate::Row,
    code: Code,
    message: &str,
    ports: Ports<'_>,
) -> Reply {
    let crate::Row { source, recorded: name, read_only, is_data, protocol, .. } = *row;
    let named = Named { source, name, read_only, is_data };
    record_only(call, named, protocol, (code, message), ports).await
}

pub(crate) async fn record_only(
    call: &Call<'_>,
    named: Named,
    protocol: Protocol,
    (code, message): (Code, &str),
    ports: Ports<'_>,
) -> Reply {
    let outcome = failed(code, message.to_owned());
    match note::<()>(call, named, None, outcome, ports).await {
        Ok(()) => protocol.fault(code, message, call.request_id),
        Err(error) => protocol.internal(error.to_string(), call.request_id),
    }
}

async fn note<P: serde::Serialize>(
    call: &Call<'_>,
    named: Named,
    parameters: Option<&P>,
    outcome: Outcome,
    ports: Ports<'_>,
) -> Result<(), TrailError> {
    let record = audit::of_call(call, named, parameters, &outcome).ok_or_else(unwritable)?;
    ports.trail.append(&[record]).await
}

/// How the records of `O` are headed.
pub(crate) const fn named<O: Operation>() -> Named {
    let (source, name, read_only) = (O::SOURCE, O::RECORDED, O::READ_ONLY);
    Named { source, name, read_only, is_data: O::IS_DATA }
}

fn failed(code: Code, message: String) -> Outcome {
    Outcome { elements: None, error: Some((code.recorded, message)), denial: None }
}

/// Why the call was denied, if it was.
fn denial<T, E: Fault>(call: &Call<'_>, outcome: &Result<T, E>) -> Option<Denial> {
    let denied = |it: &E| it.code().recorded.starts_with("AccessDenied");
    outcome.as_ref().err().filter(|it| denied(it)).and_then(|_| call.take_denial())
}

/// Why parts of the call were denied.
fn denials_of_parts<T, E>(outcome: &Result<Answer<T>, E>, noted: &[Event]) -> Vec<Denial> {
    let events = outcome.as_ref().map_or(&[][..], Answer::events);
    let denial = |it: &Event| match it {
        Event::OnBehalf { denial, .. } => denial.clone(),
        Event::Service { .. } => None,
    };
    events.iter().chain(noted).filter_map(denial).collect()
}

/// The call's own record and those that came with it.
fn records<O: Operation>(
    (call, operation): (&Call<'_>, &O),
    outcome: &Result<Answer<O::Output>, O::Error>,
    (noted, denial): (&[Event], Option<Denial>),
) -> Result<Vec<Encoded>, TrailError> {
    let (told, events) = match outcome {
        Ok(answer) => {
            let elements = O::elements(answer.output());
            (Outcome { elements, error: None, denial: None }, answer.events())
        }
        Err(error) => {
            let code = error.code();
            if denial.as_ref().is_some_and(|it| it.shown().is_some()) {
                call.set_explained();
            }
            let told = failed(code, shown(error as &dyn Fault));
            (Outcome { denial, ..told }, &[][..])
        }
    };
    let named = named::<O>();
    let own = audit::of_call(call, named, Some(operation), &told);
    let further = events.iter().chain(noted).map(|it| audit::of_event(call, it));
    std::iter::once(own).chain(further).collect::<Option<_>>().ok_or_else(unwritable)
}

fn unwritable() -> TrailError {
    TrailError("a record doesn't serialise".into())
}

/// Queues for rows that many want to change at once.
///
/// Optimistic transactions that meet on one row would otherwise undo each other's work again and
/// again; after its first conflict a request waits for its turn.
#[derive(Debug)]
pub struct Turns([Mutex<()>; 64]);

impl Default for Turns {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Mutex::new(())))
    }
}

impl Turns {
    async fn wait(&self, key: &str) -> Option<MutexGuard<'_, ()>> {
        let hash = spread(key.bytes());
        let queue = self.0.get(usize::try_from(hash % 64).unwrap_or_default())?;
        Some(queue.lock().await)
    }
}

impl std::fmt::Debug for Ports<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Ports").field("backend", &self.backend).finish_non_exhaustive()
    }
}

#[expect(dead_code, reason = "a transaction can be moved between threads")]
fn transactions_are_send(txn: Txn<'_>) -> impl Send {
    txn
}
