//! Prometheus's text form, version 0.0.4.

use std::fmt::{Display, Write};
use std::time::Duration;

/// The content type of the text form.
pub(crate) const CONTENT_TYPE: &str = "text/plain; version=0.0.4";

/// Families of measurements under construction.
#[derive(Default)]
pub(crate) struct Exposition(String);

/// What a family measures.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// How long something took, each time.
pub(crate) struct Times {
    /// Upper bounds, ascending.
    pub(crate) bounds: Vec<Duration>,
    /// How often it took at most each bound and longer than the one before; one more for the rest.
    pub(crate) counts: Vec<u64>,
    /// All times together.
    pub(crate) total: Duration,
}

impl Exposition {
    /// Begins the family `name`; its lines follow.
    pub(crate) fn family(&mut self, name: &str, kind: Kind, help: &str) {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        let _infallible = write!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    /// One value, with labels such as `operation="GetSecretValue"`.
    pub(crate) fn line(&mut self, name: &str, labels: &str, value: &dyn Display) {
        let _infallible = match labels {
            "" => writeln!(self.0, "{name} {value}"),
            labels => writeln!(self.0, "{name}{{{labels}}} {value}"),
        };
    }

    /// A family of one value.
    pub(crate) fn single(&mut self, name: &str, kind: Kind, help: &str, value: &dyn Display) {
        self.family(name, kind, help);
        self.line(name, "", value);
    }

    /// The lines of a histogram in seconds.
    pub(crate) fn histogram(&mut self, name: &str, labels: &str, times: &Times) {
        let comma = if labels.is_empty() { "" } else { "," };
        let mut below = 0;
        for (place, count) in times.counts.iter().enumerate() {
            below += count;
            let bound = times.bounds.get(place);
            let bound = bound.map_or("+Inf".to_owned(), |it| it.as_secs_f64().to_string());
            let labels = format!("{labels}{comma}le=\"{bound}\"");
            self.line(&format!("{name}_bucket"), &labels, &below);
        }
        self.line(&format!("{name}_sum"), labels, &times.total.as_secs_f64());
        self.line(&format!("{name}_count"), labels, &below);
    }

    /// What was written.
    pub(crate) fn into_text(self) -> String {
        self.0
    }
}
