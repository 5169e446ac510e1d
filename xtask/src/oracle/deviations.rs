//! Where the simulator is known to differ from us: the list in `tests/oracle/deviations.json`.
//!
//! It says what differs, why we keep to ours, where that is written, and has a case that shows it.
//! How a case is recognised as one of them is in [`marks`](super::marks).

use super::marks::{Case, MARKS, Mark};
use super::{Judges, Verdicts};
use crate::run::root;
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::fs;

/// The list.
pub(super) struct Deviations(Vec<Deviation>);

struct Deviation {
    name: String,
    verdicts: Verdicts,
    /// A case of it.
    witness: Value,
    mark: &'static Mark,
}

impl Deviations {
    /// Reads the list; each entry must be recognised in its own case.
    pub(super) fn read() -> Result<Self> {
        let path = root().join("tests/oracle/deviations.json");
        let text = fs::read_to_string(path).context("can't read the list of deviations")?;
        let list: Vec<Value> = serde_json::from_str(&text).context("the list is no JSON list")?;
        if list.len() != MARKS.len() {
            bail!("{} deviations are listed, {} can be recognised", list.len(), MARKS.len());
        }
        list.iter().map(Deviation::read).collect::<Result<_>>().map(Self)
    }

    /// Makes sure that each still is one: a newer simulator may agree.
    pub(super) fn confirm(&self, judges: &mut Judges) -> Result<()> {
        for it in &self.0 {
            let verdicts = judges.ask_one(&it.witness)?;
            if verdicts != it.verdicts {
                bail!("the case of deviation `{}` is decided {verdicts:?} now", it.name);
            }
        }
        Ok(())
    }

    /// The deviation that `small` is a case of.
    pub(super) fn find(&self, small: &Value, verdicts: &Verdicts) -> Option<&str> {
        let shown =
            |it: &&Deviation| it.is_like(verdicts) && (it.mark.shows)(&Case { json: small });
        self.0.iter().find(shown).map(|it| it.name.as_str())
    }
}

impl Deviation {
    fn read(entry: &Value) -> Result<Self> {
        let text = |name: &str| {
            let found = entry[name].as_str().filter(|it| !it.is_empty());
            found.with_context(|| format!("a deviation lacks its `{name}`: {entry}"))
        };
        let (name, _, _) = (text("name")?, text("reason")?, text("source")?);
        let mark = MARKS.iter().find(|it| it.name == name);
        let mark = mark.with_context(|| format!("deviation `{name}` has no mark"))?;
        let verdicts = (text("ours")?.to_owned(), text("theirs")?.to_owned());
        let witness = entry["case"].clone();
        if !(mark.shows)(&Case { json: &witness }) {
            bail!("deviation `{name}` isn't recognised in its own case");
        }
        Ok(Self { name: name.to_owned(), verdicts, witness, mark })
    }

    /// Whether it shows itself in such verdicts.
    fn is_like(&self, (ours, theirs): &Verdicts) -> bool {
        let refused = theirs.starts_with("refused") || ours.starts_with("refused");
        !refused && (self.mark.either || ours == &self.verdicts.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_recognised_in_its_own_case_and_no_other_is() {
        let Deviations(list) = Deviations::read().expect("the list is whole");
        for it in &list {
            let like = |other: &&Deviation| (other.mark.shows)(&Case { json: &it.witness });
            let found: Vec<_> = list.iter().filter(like).map(|it| &it.name).collect();
            assert_eq!(found, [&it.name]);
        }
    }
}
