//! What belongs to an API operation besides its row: a file, a line in the README, a client's case.

use super::{Finding, Tree};

const TABLE: &str = "crates/secrets/src/operations/mod.rs";
const CASES: &str = "tests/conformance/operations.py";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let rows = rows(tree.text(TABLE).unwrap_or_default());
    if rows.is_empty() {
        return vec![format!("{TABLE}:1: no operation rows found")];
    }
    rows.iter().flat_map(|name| missing(tree, name)).collect()
}

/// The names in the operation table: the last part of each `Row::of::<module::Name>()`, and of each
/// `Row::query::<module::Name>(…)`.
pub(crate) fn rows(table: &str) -> Vec<String> {
    let inside = table.split("Row::").skip(1).filter_map(|it| it.split_once("::<"));
    let inside = inside.filter_map(|(_, after)| after.split('>').next());
    let names = inside.filter_map(|it| it.rsplit("::").next());
    names.map(|it| it.trim().trim_end_matches(',').to_owned()).collect()
}

fn missing(tree: &Tree, name: &str) -> Vec<Finding> {
    let file = format!("crates/secrets/src/operations/{}.rs", snake(name));
    let readme = tree.text("README.md").unwrap_or_default();
    let shown = readme.lines().any(|line| {
        line.starts_with('|')
            && (line.contains(&format!("`{name}`")) || line.contains(&format!("| {name} ")))
    });
    let cases = tree.text(CASES).unwrap_or_default();
    let told = [
        (tree.text(&file).is_none(), format!("has no file {file}")),
        (!shown, "has no row in the table of README.md".to_owned()),
        (!cases.contains(&format!("\"{name}\"")), format!("has no case in {CASES}")),
    ];
    let told = told.into_iter().filter(|(missing, _)| *missing);
    told.map(|(_, what)| format!("{TABLE}:1: operation {name} {what}")).collect()
}

/// `get_secret_value` for `GetSecretValue`, `get_mfa_device` for `GetMFADevice`.
pub(crate) fn snake(name: &str) -> String {
    let mut out = String::new();
    let mut letters = name.chars().peekable();
    let mut before = None;
    while let Some(letter) = letters.next() {
        let ends_a_word = before.is_some_and(|it: char| !it.is_ascii_uppercase());
        let begins_one = letters.peek().is_some_and(char::is_ascii_lowercase);
        if letter.is_ascii_uppercase() && before.is_some() && (ends_a_word || begins_one) {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
        before = Some(letter);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_called_by_words() {
        for (name, file) in [
            ("GetSecretValue", "get_secret_value"),
            ("GetMFADevice", "get_mfa_device"),
            (
                "RemoveClientIDFromOpenIDConnectProvider",
                "remove_client_id_from_open_id_connect_provider",
            ),
        ] {
            assert_eq!(snake(name), file);
        }
        let table = "Row::query::<a_b::AB>(&S),\n    Row::query::<\n        c::CD,\n    >(&S),";
        assert_eq!(rows(table), ["AB", "CD"]);
    }

    #[test]
    fn an_operation_needs_file_row_and_case() {
        let table = (TABLE, "Row::of::<get_secret_value::GetSecretValue>(),");
        let file = ("crates/secrets/src/operations/get_secret_value.rs", "//! x");
        let readme = ("README.md", "| `GetSecretValue` | built |");
        let cases = (CASES, "    \"GetSecretValue\": {},");
        assert_eq!(check(&Tree::of(&[table, file, readme, cases])), Vec::<String>::new());
        assert_eq!(check(&Tree::of(&[table, readme, cases])).len(), 1);
        assert_eq!(check(&Tree::of(&[table])).len(), 3);
        assert_eq!(check(&Tree::of(&[])).len(), 1);
    }
}
