//! What must not be in any committed file.

use super::{File, Finding, Tree};
use crate::run::root;
use std::path::PathBuf;

/// Tests that wait by the clock instead of for what they wait for.
pub(super) fn sleeping(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &tree.files {
        let (first, text) = match file.path.rsplit_once('.').map(|it| it.1) {
            Some("rs") => file.tests(),
            Some("py" | "js" | "mjs" | "sh") if file.is_test() => (1, file.text.as_str()),
            _ => continue,
        };
        // Tests with a paused clock sleep in no time.
        let paused = text.contains("start_paused = true");
        let sleeps = |line: &str| {
            let code = line.trim_start();
            let waits = code.contains("sleep(") || code.contains("setTimeout(r");
            let virtually = paused && !code.contains("thread::");
            !code.starts_with("//") && ((waits && !virtually) || code.starts_with("sleep "))
        };
        for (number, line) in text.lines().enumerate().filter(|(_, line)| sleeps(line)) {
            let (path, number) = (&file.path, first + number);
            findings.push(format!("{path}:{number}: a test that sleeps: {}", line.trim()));
        }
    }
    findings
}

/// Paths of the machine it was written on, and hosts of package registries.
pub(super) fn machine(tree: &Tree) -> Vec<Finding> {
    let mut paths = vec![root()];
    paths.extend(std::env::var_os("HOME").map(PathBuf::from));
    let mut words: Vec<_> =
        paths.iter().map(|it| format!("{}/", it.display())).filter(|it| it.len() > 2).collect();
    words.extend(["\"resolved\":", "--index-url", "--find-links", "registry="].map(String::from));

    let mut findings = Vec::new();
    for file in tree.files.iter().filter(|it| !it.path.ends_with("xtask/src/tidy/text.rs")) {
        for (number, line) in file.text.lines().enumerate() {
            if let Some(word) = words.iter().find(|it| holds(line, it)) {
                findings.push(format!("{}:{}: `{word}`", file.path, number + 1));
            } else if foreign_source(file, line) {
                findings.push(format!("{}:{}: not from crates.io", file.path, number + 1));
            }
        }
    }
    findings
}

/// Whether `word` stands in `line`, and not as the middle of a longer path.
fn holds(line: &str, word: &str) -> bool {
    let within = |before: char| before.is_ascii_alphanumeric() || "._-".contains(before);
    line.match_indices(word).any(|(at, _)| {
        !line.get(..at).is_some_and(|it| it.ends_with(within)) || !word.starts_with('/')
    })
}

/// Whether a line of a `Cargo.lock` names another source than the public index.
fn foreign_source(file: &File, line: &str) -> bool {
    let public = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";
    file.path.ends_with("Cargo.lock") && line.starts_with("source = ") && line != public
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sleeping_tests_are_found() {
        let nap = concat!("time.slee", "p(1)");
        let rust = format!("//! x\nfn a() {{}}\n\n#[cfg(test)]\nmod tests {{\n    {nap};\n}}\n");
        let paused =
            format!("#[tokio::test(start_paused = true)]\nasync fn a() {{\n    {nap};\n}}\n");
        let product = format!("//! x\nfn a() {{\n    {nap};\n}}\n");
        #[rustfmt::skip]
        let cases = [
            ("tests/conformance/test_a.py", nap,             1),
            ("crates/x/src/a.rs",           rust.as_str(),    1),
            ("crates/x/src/a.rs",           product.as_str(), 0), // a worker's loop
            ("crates/x/tests/a.rs",         product.as_str(), 1),
            ("crates/x/tests/a.rs",         paused.as_str(),  0),
        ];
        for (path, text, expected) in cases {
            assert_eq!(sleeping(&Tree::of(&[(path, text)])).len(), expected, "{path}");
        }
    }

    #[test]
    fn machine_paths_and_registry_hosts_are_found() {
        let here = format!("see {}/x", root().display());
        #[rustfmt::skip]
        let cases = [
            ("README.md",         here.as_str(),                                                             1),
            ("README.md",         "crates/kms/src/root/file.rs",                                             0),
            ("a/package-lock.json", "\"resolved\": \"https://registry.example/x\"",                          1),
            ("a/Cargo.lock",      "source = \"registry+https://mirror.example/index\"",                      1),
            ("a/Cargo.lock",      "source = \"registry+https://github.com/rust-lang/crates.io-index\"",      0),
        ];
        for (path, text, expected) in cases {
            assert_eq!(machine(&Tree::of(&[(path, text)])).len(), expected, "{path}: {text}");
        }
    }
}
