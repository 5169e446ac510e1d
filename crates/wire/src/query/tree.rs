//! Parameters as the tree that the dots in their names make.

use super::Parameters;
use std::collections::BTreeMap;

/// A parameter's value, the parameters below it, or both.
#[derive(Debug, Default)]
pub(super) struct Node<'a> {
    pub(super) value: Option<&'a str>,
    pub(super) below: BTreeMap<&'a str, Node<'a>>,
}

/// Names are taken apart at so many dots at most; no operation has deeper structures.
const DEPTH: usize = 12;

impl<'a> Node<'a> {
    /// The tree of `parameters`. A repeated name keeps its first value.
    pub(super) fn of(parameters: &'a Parameters<'_>) -> Self {
        let mut root = Self::default();
        for (name, value) in parameters.iter() {
            let mut node = &mut root;
            for part in name.splitn(DEPTH, '.') {
                node = node.below.entry(part).or_default();
            }
            node.value.get_or_insert(value);
        }
        root
    }

    /// What is numbered below `X.member` or `X.entry`, in the order of its numbers; `None` where
    /// something else stands.
    pub(super) fn numbered(&self, name: &str) -> Option<Vec<&Node<'a>>> {
        if self.below.is_empty() {
            // Clients write an empty list as a parameter without value.
            return self.value.is_none_or(str::is_empty).then(Vec::new);
        }
        let below = &self.below.get(name).filter(|_| self.below.len() == 1)?.below;
        let pairs = below.iter().map(|(text, node)| Some((number(text)?, node)));
        let mut numbered = pairs.collect::<Option<Vec<_>>>()?;
        numbered.sort_by_key(|it| it.0);
        Some(numbered.into_iter().map(|it| it.1).collect())
    }
}

/// `text` as a number without sign.
fn number(text: &str) -> Option<u32> {
    text.bytes().all(|it| it.is_ascii_digit()).then(|| text.parse().ok())?
}
