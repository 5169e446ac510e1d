//! Waiting for what a request has asked others to make.

use crate::audit;
use crate::call::Expected;
use crate::execute::commit_recorded;
use crate::{Call, Ports};
use store::Txn;

/// What is left of a request's patience.
#[derive(Default)]
pub(crate) struct Patience {
    listening: Option<Box<dyn Expected>>,
    over: bool,
}

impl Patience {
    /// Whether it waits any more.
    pub(crate) fn is_left(&self) -> bool {
        !self.over
    }

    /// Commits what asks for `what`, with the records of what was done for it, and waits until others are done.
    ///
    /// Listening begins first: what is done between a commit and the wait must be heard. What may have been done
    /// before it began is looked at again.
    pub(crate) async fn wait(
        &mut self,
        call: &Call<'_>,
        what: &str,
        txn: Txn<'_>,
        ports: Ports<'_>,
    ) -> Result<(), store::Error> {
        let noted = call.take_notes();
        call.keep_denial(None);
        let fresh = self.listening.is_none();
        let expected = self.listening.take().or_else(|| call.expect(what));
        if txn.writes_anything() {
            let records = noted.iter().map(|it| audit::of_event(call, it));
            let records: Option<Vec<_>> = records.collect();
            let records =
                records.ok_or_else(|| store::Error::Unavailable("no audit record".into()))?;
            if !commit_recorded(txn, &records, ports.trail).await? {
                return Ok(());
            }
        } else if fresh && expected.is_some() {
            self.listening = expected;
            return Ok(());
        }
        self.over = match expected {
            Some(expected) => !expected.done().await,
            None => true,
        };
        Ok(())
    }
}
