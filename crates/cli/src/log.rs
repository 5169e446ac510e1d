//! Where log events go: standard error, as JSON objects or lines of text.

use ::server::config::{LogFormat, LogLevel};
use std::io::IsTerminal;
use tracing::Level;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};

/// Starts logging, once per process.
pub(crate) fn start(format: LogFormat, level: LogLevel) {
    let ours = tracing_level(level);
    // Libraries know nothing of secrets, so at their talkative levels they might tell them.
    let wanted = filter_fn(move |event| {
        // It repeats a server's words, which may hold a statement, and warns of missing TLS, which is ours.
        if event.target().starts_with("tiberius") {
            return false;
        }
        let limit =
            if event.target().starts_with("strongroom") { ours } else { ours.min(Level::WARN) };
        *event.level() <= limit
    });
    let layer = fmt::layer().with_writer(std::io::stderr);
    let layer = match format {
        LogFormat::Json => layer.json().flatten_event(true).boxed(),
        LogFormat::Text => layer.with_ansi(std::io::stderr().is_terminal()).boxed(),
    };
    tracing_subscriber::registry().with(layer.with_filter(wanted)).init();
}

fn tracing_level(level: LogLevel) -> Level {
    match level {
        LogLevel::Error => Level::ERROR,
        LogLevel::Warn => Level::WARN,
        LogLevel::Info => Level::INFO,
        LogLevel::Debug => Level::DEBUG,
        LogLevel::Trace => Level::TRACE,
    }
}
