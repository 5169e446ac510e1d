//! What the server counts, and how Prometheus reads it.
//!
//! Counting takes no lock and no memory: each operation has its place in an array, found once when
//! the request was routed.

use crate::exposition::{Exposition, Kind, Times};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

/// All counters of this process.
pub(crate) struct Metrics {
    operations: Box<[Operation]>,
    rejections: [AtomicU64; Reason::ALL.len()],
    /// Connections open now.
    pub(crate) connections: Gauge,
    /// Connections that were accepted.
    pub(crate) accepted: Counter,
    /// Connections closed at once: their address had all it may have.
    pub(crate) crowded: Counter,
    /// Connections closed because a head or a first byte did not come in time.
    pub(crate) timed_out: Counter,
    /// TLS handshakes that failed.
    pub(crate) handshakes_failed: Counter,
    /// Requests turned away for their rate.
    pub(crate) throttled: Counter,
}

/// The counters of one operation.
struct Operation {
    service: &'static str,
    name: &'static str,
    outcomes: [AtomicU64; Outcome::ALL.len()],
    latency: Histogram,
}

impl Operation {
    fn labels(&self) -> String {
        format!("service=\"{}\",operation=\"{}\"", self.service, self.name)
    }
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    ClientError,
    Denied,
    ServerError,
    Success,
    Throttled,
}

/// Why a request was not taken as signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    Incomplete,
    Mismatch,
    Missing,
    Scope,
    Skew,
    Token,
    UnknownKey,
    Other,
}

/// A number that only grows.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

/// A number that grows and shrinks.
#[derive(Debug, Default)]
pub(crate) struct Gauge(AtomicI64);

/// How many durations fell below each bound.
#[derive(Debug, Default)]
pub(crate) struct Histogram {
    buckets: [AtomicU64; BOUNDS.len() + 1],
    /// Sum of all durations in nanoseconds.
    sum: AtomicU64,
}

/// Upper bounds in microseconds.
const BOUNDS: [u32; 15] = [
    50, 100, 250, 500, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000,
    1_000_000, 5_000_000,
];

impl Metrics {
    /// Counters at zero for the operations called `names`, by service and name, each found by its place.
    pub(crate) fn new(names: impl Iterator<Item = (&'static str, &'static str)>) -> Self {
        let operation = |(service, name)| Operation {
            service,
            name,
            outcomes: Default::default(),
            latency: Histogram::default(),
        };
        Self {
            operations: names.map(operation).collect(),
            rejections: Default::default(),
            connections: Gauge::default(),
            accepted: Counter::default(),
            crowded: Counter::default(),
            timed_out: Counter::default(),
            handshakes_failed: Counter::default(),
            throttled: Counter::default(),
        }
    }

    /// Counts a request to the operation at `place`.
    pub(crate) fn served(&self, place: usize, outcome: Outcome, took: Duration) {
        if let Some(operation) = self.operations.get(place) {
            if let Some(count) = operation.outcomes.get(outcome as usize) {
                count.fetch_add(1, Ordering::Relaxed);
            }
            operation.latency.observe(took);
        }
    }

    /// Counts a request that was not taken as signed.
    pub(crate) fn rejected(&self, reason: Reason) {
        if let Some(count) = self.rejections.get(reason as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Everything in Prometheus's text form.
    pub(crate) fn render(&self, out: &mut Exposition) {
        self.render_requests(out);
        self.render_connections(out);
    }

    fn render_requests(&self, out: &mut Exposition) {
        let name = "strongroom_requests_total";
        out.family(name, Kind::Counter, "Requests by operation and outcome.");
        for operation in &self.operations {
            for (outcome, count) in Outcome::ALL.iter().zip(&operation.outcomes) {
                let labels = format!("{},outcome=\"{}\"", operation.labels(), outcome.name());
                out.line(name, &labels, &count.load(Ordering::Relaxed));
            }
        }
        let name = "strongroom_request_duration_seconds";
        out.family(name, Kind::Histogram, "Time from a request's head to its answer.");
        for operation in self.operations.iter().filter(|it| it.latency.count() > 0) {
            out.histogram(name, &operation.labels(), &operation.latency.read());
        }
        let name = "strongroom_authentication_failures_total";
        out.family(name, Kind::Counter, "Requests that were not taken as signed, by reason.");
        for (reason, count) in Reason::ALL.iter().zip(&self.rejections) {
            let labels = format!("reason=\"{}\"", reason.name());
            out.line(name, &labels, &count.load(Ordering::Relaxed));
        }
    }

    fn render_connections(&self, out: &mut Exposition) {
        #[rustfmt::skip]
        let counters = [
            ("strongroom_connections_accepted_total", "Connections accepted.", &self.accepted),
            ("strongroom_connections_refused_total", "Connections closed at once: too many from one address.", &self.crowded),
            ("strongroom_connections_timed_out_total", "Connections closed because nothing came in time.", &self.timed_out),
            ("strongroom_tls_handshakes_failed_total", "TLS handshakes that failed.", &self.handshakes_failed),
            ("strongroom_throttled_total", "Requests turned away for their rate.", &self.throttled),
        ];
        for (name, help, counter) in counters {
            out.single(name, Kind::Counter, help, &counter.get());
        }
        let help = "Connections open now.";
        out.single("strongroom_connections_open", Kind::Gauge, help, &self.connections.get());
    }
}

impl Counter {
    pub(crate) fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Gauge {
    pub(crate) fn add(&self, more: i64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Histogram {
    /// Counts `took`.
    pub(crate) fn observe(&self, took: Duration) {
        let micros = took.as_micros();
        let place = BOUNDS.iter().take_while(|it| u128::from(**it) < micros).count();
        if let Some(bucket) = self.buckets.get(place) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.sum.fetch_add(nanos, Ordering::Relaxed);
    }

    fn read(&self) -> Times {
        let counts = self.buckets.iter().map(|it| it.load(Ordering::Relaxed));
        Times {
            bounds: BOUNDS.iter().map(|it| Duration::from_micros(u64::from(*it))).collect(),
            counts: counts.collect(),
            total: Duration::from_nanos(self.sum.load(Ordering::Relaxed)),
        }
    }

    fn count(&self) -> u64 {
        self.buckets.iter().map(|it| it.load(Ordering::Relaxed)).sum()
    }
}

impl Outcome {
    const ALL: [Self; 5] =
        [Self::ClientError, Self::Denied, Self::ServerError, Self::Success, Self::Throttled];

    /// What `status` and the error's wire name say.
    pub(crate) fn of(status: u16, error: Option<&str>) -> Self {
        match error {
            None => Self::Success,
            Some("AccessDeniedException") => Self::Denied,
            Some("ThrottlingException" | "Throttling") => Self::Throttled,
            Some(_) if status < 500 => Self::ClientError,
            Some(_) => Self::ServerError,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::ClientError => "client_error",
            Self::Denied => "denied",
            Self::ServerError => "server_error",
            Self::Success => "success",
            Self::Throttled => "throttled",
        }
    }
}

impl Reason {
    const ALL: [Self; 8] = [
        Self::Incomplete,
        Self::Mismatch,
        Self::Missing,
        Self::Scope,
        Self::Skew,
        Self::Token,
        Self::UnknownKey,
        Self::Other,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Incomplete => "incomplete",
            Self::Mismatch => "mismatch",
            Self::Missing => "missing",
            Self::Scope => "scope",
            Self::Skew => "skew",
            Self::Token => "token",
            Self::UnknownKey => "unknown_key",
            Self::Other => "other",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_by_operation_and_outcome() {
        let metrics = Metrics::new(
            [("secretsmanager", "GetSecretValue"), ("secretsmanager", "PutSecretValue")]
                .into_iter(),
        );
        metrics.served(0, Outcome::of(200, None), Duration::from_micros(100));
        metrics.served(0, Outcome::of(200, None), Duration::from_micros(101));
        metrics.served(1, Outcome::of(500, Some("InternalServiceError")), Duration::from_secs(9));
        metrics.served(2, Outcome::Success, Duration::ZERO);
        metrics.rejected(Reason::Skew);
        let mut out = Exposition::default();
        metrics.render(&mut out);
        let text = out.into_text();
        for line in [
            "strongroom_requests_total{service=\"secretsmanager\",operation=\"GetSecretValue\",outcome=\"success\"} 2",
            "strongroom_requests_total{service=\"secretsmanager\",operation=\"PutSecretValue\",outcome=\"server_error\"} 1",
            "strongroom_request_duration_seconds_bucket{service=\"secretsmanager\",operation=\"GetSecretValue\",le=\"0.00005\"} 0",
            "strongroom_request_duration_seconds_bucket{service=\"secretsmanager\",operation=\"GetSecretValue\",le=\"0.0001\"} 1",
            "strongroom_request_duration_seconds_bucket{service=\"secretsmanager\",operation=\"GetSecretValue\",le=\"0.00025\"} 2",
            "strongroom_request_duration_seconds_count{service=\"secretsmanager\",operation=\"GetSecretValue\"} 2",
            "strongroom_request_duration_seconds_bucket{service=\"secretsmanager\",operation=\"PutSecretValue\",le=\"5\"} 0",
            "strongroom_request_duration_seconds_bucket{service=\"secretsmanager\",operation=\"PutSecretValue\",le=\"+Inf\"} 1",
            "strongroom_request_duration_seconds_sum{service=\"secretsmanager\",operation=\"PutSecretValue\"} 9",
            "strongroom_authentication_failures_total{reason=\"skew\"} 1",
            "strongroom_connections_open 0",
        ] {
            assert!(text.lines().any(|it| it == line), "{line}\n{text}");
        }
    }

    #[test]
    fn every_place_is_in_its_list() {
        for (place, outcome) in Outcome::ALL.iter().enumerate() {
            assert_eq!(*outcome as usize, place);
        }
        for (place, reason) in Reason::ALL.iter().enumerate() {
            assert_eq!(*reason as usize, place);
        }
    }
}
