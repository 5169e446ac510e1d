//! The rules that no compiler checks. Each is a function from the [`Tree`] to what breaks it.
//!
//! [`floors`]: who may import whom. [`rust`]: sizes, headers, forbidden words. [`text`]: what must not
//! be in any committed file. [`operations`]: what belongs to an API operation.

mod floors;
pub(crate) mod operations;
mod rust;
mod text;

use crate::run::{output, program, root, say};
use anyhow::{Result, bail};
use std::fs;

/// The repository's text files, as they would be committed.
#[derive(Debug, Default)]
struct Tree {
    files: Vec<File>,
}

/// One text file.
#[derive(Debug)]
struct File {
    /// From the root, with `/` between folders.
    path: String,
    text: String,
}

/// One place that breaks a rule, as `path:line: what is wrong`.
type Finding = String;

type Rule = fn(&Tree) -> Vec<Finding>;

const RULES: &[(&str, Rule)] = &[
    ("floors", floors::check),
    ("file size", rust::file_size),
    ("function size", rust::function_size),
    ("module header", rust::module_header),
    ("unfinished or ignored", rust::forbidden),
    ("waiting by the clock in tests", text::sleeping),
    ("paths and hosts", text::machine),
    ("operations", operations::check),
];

/// Checks all rules; an error if one is broken.
pub(crate) fn run() -> Result<()> {
    let tree = Tree::read()?;
    let mut broken = 0;
    for (name, rule) in RULES {
        let findings = rule(&tree);
        broken += findings.len();
        for finding in &findings {
            say(&format!("{finding} ({name})"));
        }
    }
    if broken > 0 {
        bail!("{broken} findings");
    }
    say(&format!("tidy: {} files, {} rules, nothing to say", tree.files.len(), RULES.len()));
    Ok(())
}

impl Tree {
    /// What git has or would take.
    fn read() -> Result<Self> {
        let line = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"];
        let listed = output(&mut program(&line))?;
        let files = listed.split_terminator('\0').filter_map(|path| {
            // Not text, or removed from the work tree: no rule speaks of it.
            let text = fs::read_to_string(root().join(path)).ok()?;
            Some(File { path: path.to_owned(), text })
        });
        Ok(Self { files: files.collect() })
    }

    #[cfg(test)]
    fn of(files: &[(&str, &str)]) -> Self {
        let file = |&(path, text): &(&str, &str)| File { path: path.into(), text: text.into() };
        Self { files: files.iter().map(file).collect() }
    }

    fn text(&self, path: &str) -> Option<&str> {
        self.files.iter().find(|it| it.path == path).map(|it| it.text.as_str())
    }

    /// The Rust files of the product and of this program.
    fn rust(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|it| it.path.split('.').next_back() == Some("rs"))
    }
}

impl File {
    /// Whether all of it is test code.
    fn is_test(&self) -> bool {
        self.path.split('/').any(|part| part == "tests" || part == "tests.rs" || part == "suite.rs")
    }

    /// The text without the test module at its end.
    fn product(&self) -> &str {
        let end = self.text.find("\n#[cfg(test)]\nmod ").unwrap_or(self.text.len());
        self.text.get(..end).unwrap_or_default()
    }

    /// The test module at its end, or all of a test file, with the number of its first line.
    fn tests(&self) -> (usize, &str) {
        if self.is_test() {
            return (1, &self.text);
        }
        let product = self.product();
        (product.lines().count() + 1, self.text.get(product.len()..).unwrap_or_default())
    }
}
