//! The second and third steps: signed just now, and for this place.

use crate::TERMINATOR;
use crate::claim::{Form, echo};
use crate::presented::Presented;
use crate::rejection::{Rejection, ScopeFault, Skew};
use base::Timestamp;
use std::time::Duration;

/// A request that says it was signed just now.
///
/// The next step is [`Current::check_scope`].
#[derive(Debug)]
pub struct Current<'a>(Presented<'a>);

/// A request that says it was signed for this service and Region, today.
///
/// Now find the secret of [`Scoped::access_key_id`], derive the key and call [`Scoped::verify`].
#[derive(Debug)]
pub struct Scoped<'a>(Presented<'a>);

impl<'a> Presented<'a> {
    /// Checks that the time of signing is within `minutes` of `now`, either way.
    ///
    /// A presigned request is held to the same window whatever its `X-Amz-Expires`, as AWS does
    /// outside S3; see [`Current::check_lifetime`] for holding it to the shorter of both. 5
    /// minutes for Secrets Manager, Systems Manager and KMS, 15 for IAM and STS.
    ///
    /// # Errors
    ///
    /// [`Rejection::Expired`], [`Rejection::Early`]: the two clocks disagree, or the request is a
    /// replay; the wire answer prints both times.
    pub fn check_window(self, now: Timestamp, minutes: u32) -> Result<Current<'a>, Rejection> {
        let now = Timestamp::from_secs(now.secs());
        let signed_at = self.signed_at();
        let window = Duration::from_secs(60 * u64::from(minutes));
        let (earliest, latest) = (now.minus(window), now.plus(window));
        if signed_at < earliest {
            return Err(Rejection::Expired(Skew { signed_at, limit: earliest, now, window }));
        }
        if signed_at > latest {
            return Err(Rejection::Early(Skew { signed_at, limit: latest, now, window }));
        }
        Ok(Current(self))
    }
}

impl<'a> Current<'a> {
    /// Checks that a presigned request's own `X-Amz-Expires` is not over; others pass.
    ///
    /// Not for `sts:GetCallerIdentity`, where AWS ignores it: EKS tokens say 60 seconds and are
    /// used for 15 minutes.
    pub fn check_lifetime(&self, now: Timestamp) -> Result<(), Rejection> {
        let Form::Query { expires: Some(window) } = self.0.claim.form else {
            return Ok(());
        };
        let now = Timestamp::from_secs(now.secs());
        let (signed_at, limit) = (self.0.signed_at(), now.minus(window));
        if signed_at < limit {
            return Err(Rejection::Expired(Skew { signed_at, limit, now, window }));
        }
        Ok(())
    }

    /// Checks that the request was signed for one of `services`, for a Region that `is_region`
    /// knows, and on the day of its date.
    ///
    /// The first of `services` is the one named in the answer.
    ///
    /// # Errors
    ///
    /// - [`Rejection::Credential`]: the credential has not five elements.
    /// - [`Rejection::Scope`]: everything that is wrong with them.
    pub fn check_scope(
        self,
        services: &[&str],
        is_region: impl FnOnce(&str) -> bool,
    ) -> Result<Scoped<'a>, Rejection> {
        let credential = &*self.0.claim.credential;
        let mut elements = credential.split('/');
        let mut next = || elements.next();
        let five = (next(), next(), next(), next(), next(), next());
        let (_, Some(date), Some(region), Some(service), Some(terminator), None) = five else {
            return Err(Rejection::Credential(echo(credential.as_bytes())));
        };

        let mut faults = Vec::new();
        if !is_region(region) {
            faults.push(ScopeFault::Region(echo(region.as_bytes())));
        }
        if !services.contains(&service) {
            faults.push(ScopeFault::Service(services.first().copied().unwrap_or_default().into()));
        }
        if terminator != TERMINATOR {
            faults.push(ScopeFault::Terminator(echo(terminator.as_bytes())));
        }
        if date != self.0.signed_at.date() {
            faults.push(self.wrong_date(date));
        }
        if faults.is_empty() { Ok(Scoped(self.0)) } else { Err(Rejection::Scope(faults)) }
    }

    /// The access key the request names, for the record of a rejection; may be any text.
    pub fn access_key_id(&self) -> &str {
        self.0.access_key_id()
    }

    fn wrong_date(&self, scope: &str) -> ScopeFault {
        let signed_at = &self.0.signed_at;
        ScopeFault::Date {
            scope: echo(scope.as_bytes()),
            signed: signed_at.date().to_owned(),
            from: signed_at.basic().to_owned(),
        }
    }
}

impl<'a> Scoped<'a> {
    /// The access key whose holder is said to have signed.
    pub fn access_key_id(&self) -> &str {
        self.0.access_key_id()
    }

    /// The scope's day, `YYYYMMDD`; the day of [`Scoped::signed_at`].
    pub fn date(&self) -> &str {
        self.0.signed_at.date()
    }

    /// The scope's Region, which `is_region` knew.
    pub fn region(&self) -> &str {
        self.element(2)
    }

    /// The scope's service, one of those asked for.
    pub fn service(&self) -> &str {
        self.element(3)
    }

    /// The session token, if the key is a temporary one. Secret: not for logs.
    pub fn session_token(&self) -> Option<&str> {
        self.0.claim.session_token.as_deref()
    }

    /// When the request says it was signed; exact to the second.
    pub fn signed_at(&self) -> Timestamp {
        self.0.signed_at()
    }

    /// Whether the signature stands in the query.
    pub fn is_presigned(&self) -> bool {
        matches!(self.0.claim.form, Form::Query { .. })
    }

    /// A presigned request's `X-Amz-Expires`, 1 second to 7 days.
    pub fn expires(&self) -> Option<Duration> {
        match self.0.claim.form {
            Form::Query { expires } => expires,
            Form::Header => None,
        }
    }

    pub(crate) fn presented(&self) -> &Presented<'a> {
        &self.0
    }

    fn element(&self, place: usize) -> &str {
        self.0.claim.credential.split('/').nth(place).unwrap_or_default()
    }
}
