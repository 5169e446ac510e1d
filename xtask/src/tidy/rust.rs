//! Sizes, headers and words in Rust files.

use super::{File, Finding, Tree};

const FILE_LINES: usize = 500;
const OPERATION_LINES: usize = 200;
const FUNCTION_LINES: usize = 60;

/// Marks a file that is one long table.
const TABLE: &str = "//! Table:";

/// Files beyond the size that one reads in one go.
pub(super) fn file_size(tree: &Tree) -> Vec<Finding> {
    let long = |file: &File| {
        let operation = file.path.contains("/operations/") && !file.path.ends_with("/mod.rs");
        let limit = if operation { OPERATION_LINES } else { FILE_LINES };
        let lines = file.product().lines().count();
        let exempt = file.is_test() || file.text.contains(TABLE);
        (lines > limit && !exempt)
            .then(|| format!("{}:{lines}: {lines} lines without tests, over {limit}", file.path))
    };
    tree.rust().filter_map(long).collect()
}

/// Functions beyond one screen. Test functions may hold long tables.
pub(super) fn function_size(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust().filter(|it| !it.is_test()) {
        for (line, lines) in functions(file.product()) {
            if lines > FUNCTION_LINES {
                let path = &file.path;
                findings.push(format!("{path}:{line}: function of {lines} lines"));
            }
        }
    }
    findings
}

/// First line and number of lines of each function in formatted code, where a function ends at the
/// first brace that stands as deep as its `fn`.
fn functions(text: &str) -> Vec<(usize, usize)> {
    let mut open: Vec<(usize, usize)> = Vec::new();
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let depth = line.len() - line.trim_start().len();
        let code = line.trim_start();
        if let Some(&(begun, _)) = open.last().filter(|(_, at)| code == "}" && *at == depth) {
            open.pop();
            found.push((begun + 1, number - begun + 1));
        }
        if is_function(code) && !code.ends_with(['}', ';']) {
            open.push((number, depth));
        }
        if code.ends_with(';') && open.last().is_some_and(|(_, at)| *at == depth) {
            open.pop(); // a declaration over several lines, without a body
        }
    }
    found
}

fn is_function(code: &str) -> bool {
    let mut words = code.split_whitespace();
    words.find(|it| !matches!(*it, "async" | "const" | "unsafe") && !it.starts_with("pub"))
        == Some("fn")
}

/// Modules that don't open with what they are.
pub(super) fn module_header(tree: &Tree) -> Vec<Finding> {
    let bare = |file: &&File| {
        file.path.contains("/src/") && !file.is_test() && !file.text.starts_with("//! ")
    };
    tree.rust().filter(bare).map(|it| format!("{}:1: doesn't begin with `//!`", it.path)).collect()
}

/// Work that isn't done, and tests that don't run.
pub(super) fn forbidden(tree: &Tree) -> Vec<Finding> {
    // Taken apart, so that this file doesn't find itself.
    let words = [concat!("todo", "!("), concat!("unimplemented", "!("), concat!("#[", "ignore")];
    let mut findings = Vec::new();
    for file in tree.rust() {
        for (number, line) in file.text.lines().enumerate() {
            let code = line.trim_start();
            let found = words.iter().find(|it| code.contains(**it) && !code.starts_with("//"));
            findings.extend(found.map(|it| format!("{}:{}: `{it}`", file.path, number + 1)));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_measured_to_their_brace() {
        let text = "impl X {\n    pub(crate) async fn a(\n        b: u8,\n    ) {\n        c();\n    }\n\n    \
                    fn d(&self) -> u8;\n    fn e(\n        f: u8,\n    );\n}\n\nfn g() {\n}\n";
        assert_eq!(functions(text), [(2, 5), (14, 2)]);
    }

    #[test]
    fn sizes_count_without_tests() {
        let body = "fn a() {}\n".repeat(201);
        let tested =
            format!("//! x\n{}\n#[cfg(test)]\nmod tests {{\n{body}", "fn a() {}\n".repeat(150));
        let table = format!("//! x\n//! Table: y\n{body}");
        #[rustfmt::skip]
        let cases = [
            ("crates/x/src/operations/a.rs",       &body,   1),
            ("crates/x/src/operations/a.rs",       &table,  0),
            ("crates/x/src/operations/a.rs",       &tested, 0),
            ("crates/x/src/operations/a/tests.rs", &body,   0),
            ("crates/x/src/a.rs",                  &body,   0), // 500 there
        ];
        for (path, text, expected) in cases {
            assert_eq!(file_size(&Tree::of(&[(path, text)])).len(), expected, "{path}");
        }
    }

    #[test]
    fn long_functions_are_found() {
        let long = format!("//! x\nfn a() {{\n{}}}\n", "    b();\n".repeat(59));
        let fitting = format!("//! x\nfn a() {{\n{}}}\n", "    b();\n".repeat(58));
        assert_eq!(function_size(&Tree::of(&[("crates/x/src/a.rs", &long)])).len(), 1);
        assert_eq!(function_size(&Tree::of(&[("crates/x/src/a.rs", &fitting)])).len(), 0);
    }

    #[test]
    fn unfinished_work_is_found() {
        let text = format!("//! x\nfn a() {{\n    {}\n}}\n", concat!("todo", "!()"));
        assert_eq!(forbidden(&Tree::of(&[("crates/x/src/a.rs", &text)])).len(), 1);
    }
}
