//! Who may import whom.

use super::{Finding, Tree};
use std::collections::BTreeMap;

/// Each crate's floor. A crate imports only from lower ones.
const FLOORS: &[(&str, u8)] = &[
    ("base", 0),
    ("envelope", 1),
    ("oidc", 1),
    ("policy", 1),
    ("schedule", 1),
    ("sigv4", 1),
    ("wire", 1),
    ("store", 2),
    ("service", 3),
    ("anywhere", 4),
    ("cloudtrail", 4),
    ("functions", 4),
    ("identity", 4),
    ("kms", 4),
    ("secrets", 4),
    ("trail", 4),
    ("peers", 5),
    ("rotation", 5),
    ("rotators", 5),
    ("runtime", 5),
    ("agent", 6),
    ("cli", 6),
    ("server", 6),
];

/// Arrows between crates of one floor that are meant.
const SIDEWAYS: &[(&str, &str)] = &[
    ("anywhere", "identity"),
    ("cli", "agent"),
    ("cli", "server"),
    ("cloudtrail", "trail"),
    ("functions", "identity"),
    ("functions", "kms"),
    ("identity", "kms"),
    ("rotation", "rotators"),
    ("secrets", "functions"),
    ("secrets", "kms"),
];

/// A client on the floor of the doors: it stays small, and knows only what the wire is made of.
const CLIENT: (&str, u8) = ("agent", 1);

/// Imported by tests only; may itself know everything.
const TESTKIT: &str = "testkit";

/// What the lowest floors must do without: they never wait.
const WAITING: &[&str] = &["async-trait", "hyper", "tokio"];

/// Errors without a type are for doors only.
const UNTYPED: &str = "anyhow";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let floors: BTreeMap<_, _> = FLOORS.iter().copied().collect();
    let mut findings = Vec::new();
    for file in &tree.files {
        let name = file.path.strip_prefix("crates/").and_then(|it| it.strip_suffix("/Cargo.toml"));
        let Some(name) = name.filter(|it| *it != TESTKIT) else { continue };
        let Some(&floor) = floors.get(name) else {
            findings.push(format!("{}:1: crate `{name}` stands on no floor", file.path));
            continue;
        };
        let Ok(manifest) = file.text.parse::<toml::Table>() else {
            findings.push(format!("{}:1: not a manifest", file.path));
            continue;
        };
        let tables = ["dependencies", "build-dependencies"].map(|it| manifest.get(it));
        for dependency in tables.into_iter().flatten().filter_map(toml::Value::as_table).flatten() {
            let reason = refused((name, floor), dependency.0, &floors);
            findings.extend(reason.map(|it| format!("{}:1: {it}", file.path)));
        }
    }
    findings
}

/// Why the crate `name` on `floor` must not import `dependency`.
fn refused(
    (name, floor): (&str, u8),
    dependency: &str,
    floors: &BTreeMap<&str, u8>,
) -> Option<String> {
    if dependency == TESTKIT {
        return Some(format!("`{name}` imports `{TESTKIT}` outside tests"));
    }
    if floor <= 1 && WAITING.contains(&dependency) {
        return Some(format!("`{name}` on floor {floor} imports `{dependency}`: it must not wait"));
    }
    if floor < 6 && dependency == UNTYPED {
        return Some(format!("`{name}` imports `{UNTYPED}`: its errors need a type"));
    }
    let below = *floors.get(dependency)?;
    if name == CLIENT.0 && CLIENT.1 < below {
        return Some(format!("`{name}` is a client and imports `{dependency}` on floor {below}"));
    }
    if below < floor || SIDEWAYS.contains(&(name, dependency)) {
        return None;
    }
    Some(format!("`{name}` on floor {floor} imports `{dependency}` on floor {below}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrows_point_down() {
        #[rustfmt::skip]
        let cases = [
            // crate     manifest                                         findings
            ("secrets",  "[dependencies]\nkms.workspace = true",              0),
            ("kms",      "[dependencies]\nsecrets.workspace = true",          1), // sideways, not meant
            ("store",    "[dependencies]\nservice.workspace = true",          1), // upward
            ("store",    "[dependencies]\nbase.workspace = true",             0),
            ("store",    "[dev-dependencies]\ntestkit.workspace = true",      0),
            ("store",    "[dependencies]\ntestkit.workspace = true",          1),
            ("wire",     "[dependencies]\ntokio = \"1\"",                     1),
            ("trail",    "[dependencies]\nanyhow = \"1\"",                    1),
            ("cli",      "[dependencies]\nanyhow = \"1\"\nserver = \"1\"",    0),
            ("agent",    "[dependencies]\nsigv4.workspace = true",            0),
            ("agent",    "[dependencies]\nservice.workspace = true",          1), // a client
            ("attic",    "",                                                  1), // on no floor
        ];
        for (name, manifest, expected) in cases {
            let tree = Tree::of(&[(&format!("crates/{name}/Cargo.toml"), manifest)]);
            assert_eq!(check(&tree).len(), expected, "{name}: {manifest}");
        }
    }
}
