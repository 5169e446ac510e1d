//! Measurements: Prometheus's metrics, and whether requests should be sent here.

use super::Admin;
use super::answer::{AdminBody, Fault, Replied, ok, whole};
use crate::exposition::{CONTENT_TYPE, Exposition, Kind, Times};
use bytes::Bytes;
use http::{Response, StatusCode};
use rotation::Windows;
use serde_json::json;
use std::time::Duration;
use store::backends::embedded;
use trail::SyncTimes;

impl Admin {
    /// All counters, in Prometheus's text form.
    pub(super) async fn metrics(&self) -> Response<AdminBody> {
        let mut out = Exposition::default();
        let name = "strongroom_build_info";
        out.family(name, Kind::Gauge, "The version that runs.");
        out.line(name, concat!("version=\"", env!("CARGO_PKG_VERSION"), "\""), &1);
        let started = self.status.started.secs();
        out.single("strongroom_start_time_seconds", Kind::Gauge, "When it started.", &started);
        let ready = u8::from(self.unready().is_none());
        out.single("strongroom_ready", Kind::Gauge, "Whether `/ready` says yes.", &ready);
        self.front.metrics.render(&mut out);
        if let Some(embedded) = &self.embedded {
            render_store(&embedded.stats(), &mut out);
        }
        self.render_journal(&mut out);
        self.render_rotations(&mut out).await;
        whole(Bytes::from(out.into_text()), CONTENT_TYPE)
    }

    async fn render_rotations(&self, out: &mut Exposition) {
        let tally = self.grounds.tally();
        let name = "strongroom_rotations_total";
        out.family(name, Kind::Counter, "Attempts at rotations, by engine and by how they ended.");
        for ((engine, outcome), count) in tally.ended() {
            out.line(name, &format!("engine=\"{engine}\",outcome=\"{outcome}\""), &count);
        }
        let name = "strongroom_rotations_running";
        out.family(
            name,
            Kind::Gauge,
            "Attempts at rotations under way, by how far they have come.",
        );
        for (phase, count) in tally.running() {
            out.line(name, &format!("phase=\"{phase}\""), &count);
        }
        let help = "Rotations that are due and wait for their turn in memory.";
        out.single("strongroom_rotations_waiting", Kind::Gauge, help, &tally.waiting());
        let help =
            "Servers that are left alone as they don't answer, once for each account that does.";
        out.single("strongroom_rotation_servers_shut", Kind::Gauge, help, &tally.shut());
        let name = "strongroom_rotation_window_seconds";
        let help = "Changes of one user's password: the time in which the old one may not log in.";
        out.family(name, Kind::Histogram, help);
        let windows = tally.windows();
        let bounds = Windows::BOUNDS.iter().map(|it| Duration::from_millis(*it)).collect();
        let (counts, total) = (windows.counts.to_vec(), windows.total);
        out.histogram(name, "", &Times { bounds, counts, total });
        // What can't be read isn't told: the store's own measurements say why.
        if let Ok(late) = self.lateness().await {
            let help = "Time since the first rotation that hasn't begun or ended was due.";
            let name = "strongroom_rotation_overdue_seconds";
            out.single(name, Kind::Gauge, help, &late.as_secs_f64());
        }
    }

    /// 200 while requests should be sent here.
    pub(super) fn ready(&self) -> Replied {
        match self.unready() {
            None => Ok(ok(&json!({ "Status": "ready" }))),
            Some(fact) => {
                let hint = "the log of the server says more";
                Err(Fault::new(StatusCode::SERVICE_UNAVAILABLE, fact, hint))
            }
        }
    }

    /// Why no requests should be sent here.
    fn unready(&self) -> Option<&'static str> {
        let journal = self.journal.stats();
        match () {
            () if self.front.draining.has_begun() => Some("the server is stopping"),
            () if journal.stopped => Some("the audit journal has stopped: start the server again"),
            () if journal.failing => Some("the audit journal can't be written"),
            () => None,
        }
    }

    fn render_journal(&self, out: &mut Exposition) {
        let stats = self.journal.stats();
        #[rustfmt::skip]
        let values = [
            ("strongroom_journal_records_total", Kind::Counter, "Audit records taken over.", stats.records),
            ("strongroom_journal_bytes_total", Kind::Counter, "Bytes written to the journal.", stats.bytes),
            ("strongroom_journal_failures_total", Kind::Counter, "Records that could not be written.", stats.failures),
            ("strongroom_journal_lag_records", Kind::Gauge, "Audit records not on disk yet.", stats.unsynced_records),
            ("strongroom_outbox_rows", Kind::Gauge, "Rows waiting to leave the outbox.", stats.unsettled),
        ];
        for (name, kind, help, value) in values {
            out.single(name, kind, help, &value);
        }
        let name = "strongroom_journal_sync_duration_seconds";
        out.family(name, Kind::Histogram, "Syncs of the audit journal.");
        let bounds = SyncTimes::BOUNDS.iter().map(|it| Duration::from_micros(*it)).collect();
        let (counts, total) = (stats.syncs.counts.to_vec(), stats.syncs.total);
        out.histogram(name, "", &Times { bounds, counts, total });
    }
}

fn render_store(stats: &embedded::Stats, out: &mut Exposition) {
    #[rustfmt::skip]
    let values = [
        ("strongroom_commits_total", Kind::Counter, "Durable commits.", stats.commits),
        ("strongroom_commit_conflicts_total", Kind::Counter, "Commits that found their reads changed.", stats.conflicts),
        ("strongroom_commit_batches_total", Kind::Counter, "Durable writes, each for many commits.", stats.batches),
        ("strongroom_store_rows_written_total", Kind::Counter, "Rows written or removed.", stats.rows),
        ("strongroom_store_pending_rows", Kind::Gauge, "Rows not in the tree yet.", stats.pending_rows),
        ("strongroom_store_tree_bytes", Kind::Gauge, "Size of the tree's file.", stats.tree_bytes),
        ("strongroom_store_journal_used_bytes", Kind::Gauge, "Bytes of commits not in the tree yet.", stats.journal_used),
        ("strongroom_store_failing", Kind::Gauge, "Whether the last write failed.", u64::from(stats.last_error.is_some())),
    ];
    for (name, kind, help, value) in values {
        out.single(name, kind, help, &value);
    }
    for (name, help, histogram) in [
        ("strongroom_commit_sync_duration_seconds", "Durable writes.", &stats.sync),
        ("strongroom_store_move_duration_seconds", "Moves into the tree.", &stats.moves),
    ] {
        out.family(name, Kind::Histogram, help);
        out.histogram(name, "", &times(histogram));
    }
}

fn times(histogram: &embedded::Histogram) -> Times {
    let (bounds, mut counts): (Vec<_>, Vec<_>) = histogram.buckets.iter().copied().unzip();
    counts.push(histogram.count.saturating_sub(counts.iter().sum()));
    Times { bounds, counts, total: histogram.total }
}
