//! The audit trail, read with the binary's own commands.

use crate::process::{done, text};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// All records of the journal in `data`, after its chain was found whole.
pub(crate) fn records(data: &Path) -> Vec<Value> {
    let data = text(data);
    let finding: Value =
        serde_json::from_str(&done(&["trail", "verify", "--json", "--data", data])).expect("JSON");
    assert_eq!(finding["Whole"], true, "{finding}");
    let told = done(&["trail", "tail", "--json", "--data", data]);
    told.lines().map(|it| serde_json::from_str(it).expect("JSON")).collect()
}

/// How many records there are of each call: request id and event.
pub(crate) fn count(records: &[Value]) -> BTreeMap<(&str, &str), usize> {
    let mut counted = BTreeMap::new();
    let mut ids = std::collections::BTreeSet::new();
    for record in records {
        let member = |name: &str| record[name].as_str().unwrap_or_default();
        assert!(ids.insert(member("eventID")), "twice: {record}");
        *counted.entry((member("requestID"), member("eventName"))).or_default() += 1;
    }
    counted
}
