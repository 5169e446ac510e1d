//! Requests with a token in place of a signature: `AssumeRoleWithWebIdentity`.
//!
//! What can be refused without the issuer's keys is refused first, in the order in which AWS tells of it. A
//! signature that comes along isn't looked at: it would prove nothing about who the token is of.

use crate::front::{Arrival, Front};
use crate::hush::Last;
use crate::metrics::Reason;
use crate::route::Route;
use crate::start::DEFAULT_REGION;
use base::Region;
use identity::sts::{self, Applicant, Known};
use oidc::{Rejection, Verified};
use service::{Access, Call, Caller, Fault, Reply, chain};

impl Front {
    /// Answers a request that is asked for by `form`, for whom the token in it is of.
    pub(crate) async fn serve_token(
        &self,
        arrival: &Arrival<'_>,
        route: Route,
        form: &[u8],
    ) -> Reply {
        let (proof, caller) = match self.vouched_for(arrival, form).await {
            Ok(found) => found,
            Err(error) => return self.reject_token(arrival, route, &error),
        };
        arrival.peer.note_signed();
        let source = arrival.peer.source(arrival.parts);
        let access = match self.access_of(&caller).await {
            Ok(access) => access,
            Err(cause) => return arrival.internal(route, cause),
        };
        let (who, from) = ((&caller, &access), (&self.home, &*source));
        let (when, tools) = ((arrival.now, arrival.id), (&*self.entropy, &*self.keyring));
        let call = self.confide(Call::new(proof, who, from, when, tools).under(self.quotas));
        self.answer(arrival, route, form, &call).await
    }

    /// What stands over a caller who has no policies of its own: the organization's control policies.
    async fn access_of(&self, caller: &Caller) -> Result<Access, String> {
        let mut txn = store::begin(&*self.backend);
        let gathered = identity::gather(&mut txn, caller).await;
        Ok(gathered.map_err(|error| chain(&error))?.unwrap_or_default())
    }

    /// Who the token is of, if an issuer that the role's account knows has signed it.
    async fn vouched_for(
        &self,
        arrival: &Arrival<'_>,
        form: &[u8],
    ) -> Result<(Verified, Caller), sts::Error> {
        let applicant = Applicant::read(form)?;
        let mut txn = store::begin(&*self.backend);
        let known = applicant.recognize(&mut txn, arrival.now).await?;
        drop(txn);
        if let Some(keys) = known.uploaded() {
            return Ok(known.verify(&keys)?);
        }
        let asked = self.by_issuer(arrival, &known);
        let late = |_| Err(Rejection::UnknownKey);
        let outcome = tokio::time::timeout_at(arrival.deadline, asked).await;
        Ok(outcome.unwrap_or_else(late)?)
    }

    /// By the issuer's keys; by newer ones, if it may have changed them.
    async fn by_issuer(
        &self,
        arrival: &Arrival<'_>,
        known: &Known,
    ) -> Result<(Verified, Caller), Rejection> {
        let (issuer, thumbprints, now) = (known.issuer(), known.thumbprints(), arrival.now);
        let keys = self.issuers.keys(issuer, thumbprints, (None, now)).await;
        let keys = keys.ok_or(Rejection::UnknownKey)?;
        match known.verify(&keys) {
            Err(Rejection::UnknownKey) => {
                let newer = self.issuers.keys(issuer, thumbprints, (Some(&keys), now)).await;
                known.verify(&*newer.ok_or(Rejection::UnknownKey)?)
            }
            outcome => outcome,
        }
    }

    /// Nobody is known, so nobody's trail has a record of it: it is counted and, now and then, logged.
    fn reject_token(&self, arrival: &Arrival<'_>, route: Route, error: &sts::Error) -> Reply {
        let code = error.code();
        if code.status >= 500 {
            return arrival.internal(route, chain(error));
        }
        self.metrics.rejected(Reason::Token);
        if let Some(Last(last)) = self.hush.tells(arrival.now) {
            let (address, reason) = (arrival.peer.address(), error.to_string());
            tracing::warn!(request_id = %arrival.id, address, reason, last, "not authenticated");
        }
        route.fault(code, &error.to_string(), arrival.id)
    }
}

/// The Region that unsigned requests are served in: the first that is configured.
pub(crate) fn home(regions: &[Region]) -> Region {
    #[expect(clippy::expect_used, reason = "it is well-formed, and a test says so")]
    regions.first().cloned().unwrap_or_else(|| DEFAULT_REGION.parse().expect("a Region name"))
}
