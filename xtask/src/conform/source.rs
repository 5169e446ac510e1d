//! What our structs have, read from formatted source: a member a line, attributes above it.

use anyhow::{Context, Result};
use std::fs;
use std::path::Path;

/// The files of a crate.
#[derive(Debug)]
pub(super) struct Sources(Vec<(String, String)>);

/// A member of a struct.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Field {
    /// Its name on the wire.
    pub(super) name: String,
    /// Its type as written.
    pub(super) kind: String,
}

impl Sources {
    /// Every file below `folder`.
    pub(super) fn read(folder: &Path) -> Result<Self> {
        let mut files = Vec::new();
        let mut folders = vec![folder.to_path_buf()];
        while let Some(here) = folders.pop() {
            let shown = here.display().to_string();
            for entry in fs::read_dir(&here).with_context(|| format!("can't list `{shown}`"))? {
                let path = entry?.path();
                if path.is_dir() {
                    folders.push(path);
                } else if let Ok(text) = fs::read_to_string(&path) {
                    let name = path.strip_prefix(folder).unwrap_or(&path).display().to_string();
                    files.push((name, text));
                }
            }
        }
        files.sort();
        Ok(Self(files))
    }

    #[cfg(test)]
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        Self(files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect())
    }

    /// The text of one file.
    pub(super) fn text(&self, file: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| name == file).map(|(_, text)| text.as_str())
    }

    /// The name of the operation's output type.
    pub(super) fn output_type(&self, file: &str) -> Option<&str> {
        let (_, after) = self.text(file)?.split_once("type Output = ")?;
        after.split(';').next()
    }

    /// The members of the struct `name`, from `file` or else from the first file that has one. A type that
    /// borrows what it writes may have them in a struct of that name followed by `Members`.
    pub(super) fn fields(&self, file: &str, name: &str) -> Option<Vec<Field>> {
        if name == "()" {
            return Some(Vec::new());
        }
        let borrowed = format!("{name}Members<'a>");
        let own = |text| fields(text, &borrowed).or_else(|| fields(text, name));
        let own = self.text(file).and_then(own);
        own.or_else(|| self.0.iter().find_map(|(_, text)| fields(text, name)))
    }
}

fn fields(text: &str, name: &str) -> Option<Vec<Field>> {
    let empty = [format!("struct {name} {{}}"), format!("struct {name};")];
    let head = format!("struct {name} {{");
    let mut lines = text.lines().skip_while(|line| !line.trim_end().ends_with(&head)).skip(1);
    if empty.iter().any(|it| text.contains(it)) {
        return Some(Vec::new());
    }
    if !text.lines().any(|line| line.trim_end().ends_with(&head)) {
        return None;
    }
    let mut fields = Vec::new();
    let mut renamed = None;
    loop {
        let line = lines.next()?.trim();
        if line == "}" {
            return Some(fields);
        }
        renamed = rename(line).or(renamed);
        let Some((member, kind)) = member(line) else { continue };
        let name = renamed.take().unwrap_or_else(|| pascal(member));
        fields.push(Field { name, kind: kind.to_owned() });
    }
}

/// The name in a serde attribute that renames.
fn rename(line: &str) -> Option<String> {
    let (_, after) = line.strip_prefix("#[serde(")?.split_once("rename")?;
    after.split('"').nth(1).map(str::to_owned)
}

/// Name and type of a line that declares a member.
fn member(line: &str) -> Option<(&str, &str)> {
    let (name, kind) = line.split_once(": ")?;
    let name = name.rsplit(' ').next()?.trim_start_matches("r#");
    let is_name =
        name.bytes().all(|it| it.is_ascii_lowercase() || it == b'_' || it.is_ascii_digit());
    (is_name && !line.starts_with(['#', '/'])).then(|| (name, kind.trim_end_matches(',')))
}

/// `SecretId` for `secret_id`, as serde does it.
fn pascal(name: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        let first = letters.next().map(|it| it.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    };
    name.split('_').map(word).collect()
}

impl Field {
    /// Whether its type is one for members of the model's kind `kind`.
    pub(super) fn takes(&self, kind: &str) -> bool {
        let option = self.kind.strip_prefix("Option<").and_then(|it| it.strip_suffix('>'));
        match option.unwrap_or(&self.kind) {
            "Text" | "SecretText" => kind == "string",
            "Blob" => kind == "blob",
            "Integer" => kind == "integer" || kind == "long",
            "Boolean" => kind == "boolean",
            "Instant" => kind == "timestamp",
            _ => matches!(kind, "list" | "structure" | "map"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_read_as_serde_names_them() {
        let text = "#[derive(Debug)]\npub struct A {\n    /// The: one.\n    pub(crate) secret_id: Text,\n    \
                    #[serde(rename = \"ARN\")]\n    #[serde(default)]\n    arn: Option<String>,\n    \
                    #[serde(rename(deserialize = \"XY\"))]\n    xy: Text,\n    r#type: List<Text>,\n}\n\
                    pub struct B {}\n";
        let found = fields(text, "A").unwrap();
        let shown: Vec<_> = found.iter().map(|it| format!("{}: {}", it.name, it.kind)).collect();
        assert_eq!(
            shown,
            ["SecretId: Text", "ARN: Option<String>", "XY: Text", "Type: List<Text>"]
        );
        assert_eq!(fields(text, "B"), Some(Vec::new()));
        assert_eq!(fields(text, "C"), None);
    }
}
