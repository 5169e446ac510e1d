//! Keeping a message short.

use super::{Considered, Message};

const POLICIES: usize = 40;
const STATEMENTS: usize = 24;
const TEXT: usize = 1024;
const KEYS: usize = 64;
const VALUES: usize = 10;
/// The longest value, name or ARN, in bytes as JSON writes them.
const LONGEST: usize = 384;

impl Message {
    /// Cuts every list and every text to a length that a reader can use.
    pub(super) fn cap(&mut self) {
        let left = &mut self.left_out;
        left.policies += cap(&mut self.policies, POLICIES);
        left.statements += cap(&mut self.statements, STATEMENTS);
        left.conditions += cap(&mut self.conditions, KEYS);
        for (key, values) in &mut self.conditions {
            shorten(key);
            left.values += cap(values, VALUES);
            values.iter_mut().for_each(shorten);
        }
        for statement in &mut self.statements {
            if TEXT < statement.text.len() {
                statement.text.clear();
                left.texts += 1;
            }
            for condition in &mut statement.conditions {
                shorten(&mut condition.key);
                left.values += cap(&mut condition.expected, VALUES);
                condition.expected.iter_mut().for_each(shorten);
            }
        }
        self.resource.iter_mut().for_each(shorten);
        shorten(&mut self.principal.arn);
        shorten(&mut self.principal.named);
    }

    /// The message in at most `limit` bytes: what helps least goes first.
    pub(super) fn fit(&mut self, limit: usize) -> Vec<u8> {
        self.cap();
        loop {
            let bytes = serde_json::to_vec(self).unwrap_or_default();
            let mut over = bytes.len().saturating_sub(limit);
            if over == 0 {
                return bytes;
            }
            // All that is too much at once: writing it down is what takes time.
            while over > 0 {
                match self.drop_one() {
                    Some(saved) => over = over.saturating_sub(saved),
                    None => return serde_json::to_vec(self).unwrap_or_default(),
                }
            }
        }
    }

    /// Leaves one thing out and says how many bytes that saves, or fewer; `None` if there is nothing left
    /// that could be.
    fn drop_one(&mut self) -> Option<usize> {
        let left = &mut self.left_out;
        let mut texts = self.statements.iter_mut().skip(1).rev();
        let text = texts.find(|it| !it.text.is_empty() && !it.applies()).map(|it| &mut it.text);
        if let Some(text) = text {
            left.texts += 1;
            return Some(std::mem::take(text).len());
        }
        if 1 < self.statements.len() {
            left.statements += 1;
            return self.statements.pop().map(|it| it.least());
        }
        if 1 < self.policies.len() {
            left.policies += 1;
            return self.policies.pop().map(|it| it.name.len());
        }
        if let Some((key, values)) = self.conditions.pop() {
            left.conditions += 1;
            return Some(key.len() + length(&values));
        }
        if let Some(statement) = self.statements.pop() {
            left.statements += 1;
            return Some(statement.least());
        }
        self.policies.pop().map(|it| it.name.len())
    }
}

impl Considered {
    /// The fewest bytes that it takes.
    fn least(&self) -> usize {
        let conditions = self.conditions.iter();
        self.text.len() + conditions.map(|it| it.key.len() + length(&it.expected)).sum::<usize>()
    }
}

fn length(values: &[String]) -> usize {
    values.iter().map(|it| it.len() + 3).sum()
}

fn cap<T>(list: &mut Vec<T>, most: usize) -> usize {
    let over = list.len().saturating_sub(most);
    list.truncate(most);
    over
}

/// Cuts `text` so that JSON needs no more than [`LONGEST`] bytes for it.
fn shorten(text: &mut String) {
    let mut room = LONGEST;
    let cut = text.char_indices().find(|(_, it)| {
        let size = match it {
            '"' | '\\' => 2,
            it if it.is_control() => 6,
            it => it.len_utf8(),
        };
        let full = room < size;
        room = room.saturating_sub(size);
        full
    });
    if let Some((at, _)) = cut {
        text.truncate(at);
        text.push('…');
    }
}
