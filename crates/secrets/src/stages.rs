//! Staging labels: which version of a secret is current, previous, pending.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// A version's id: the `ClientRequestToken` of the call that made it, 32 to 64 characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VersionId(pub String);

impl VersionId {
    /// The id as it stands on the wire.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A staging label: 1 to 256 characters, case-sensitive.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Label(Cow<'static, str>);

impl Label {
    /// `AWSCURRENT`: the version that is read unless another is asked for.
    pub const CURRENT: Self = Self(Cow::Borrowed("AWSCURRENT"));
    /// `AWSPREVIOUS`: the version that was current before.
    pub const PREVIOUS: Self = Self(Cow::Borrowed("AWSPREVIOUS"));
    /// `AWSPENDING`: the version that a rotation is making.
    pub const PENDING: Self = Self(Cow::Borrowed("AWSPENDING"));

    /// The label `text`.
    pub fn new(text: &str) -> Self {
        Self(Cow::Owned(text.to_owned()))
    }

    /// The label as it stands on the wire.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Which version of one secret carries which staging label.
///
/// A label is a key here, so it can't sit on two versions. The methods keep two more rules:
///
/// - once set, `AWSCURRENT` never goes away, it only moves;
/// - when `AWSCURRENT` moves, `AWSPREVIOUS` moves to the version it left.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Stages {
    holder: BTreeMap<Label, VersionId>,
}

/// `AWSCURRENT` can only move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CurrentStays;

impl Stages {
    /// Makes `version` current. The version that was current becomes previous.
    pub fn promote(&mut self, version: &VersionId) {
        if self.holder(&Label::CURRENT) == Some(version) {
            return;
        }
        match self.holder.insert(Label::CURRENT, version.clone()) {
            Some(former) => drop(self.holder.insert(Label::PREVIOUS, former)),
            None if self.holder(&Label::PREVIOUS) == Some(version) => {
                self.holder.remove(&Label::PREVIOUS);
            }
            None => (),
        }
    }

    /// Puts `label` on `version`, wherever it was before.
    pub fn attach(&mut self, label: Label, version: &VersionId) {
        if label == Label::CURRENT {
            self.promote(version);
        } else {
            self.holder.insert(label, version.clone());
        }
    }

    /// Puts each of `labels` on `version`; `AWSCURRENT` last, so that it decides about `AWSPREVIOUS`.
    pub fn attach_all(&mut self, labels: impl IntoIterator<Item = Label>, version: &VersionId) {
        let (current, others): (Vec<_>, Vec<_>) =
            labels.into_iter().partition(|it| *it == Label::CURRENT);
        others.into_iter().chain(current).for_each(|it| self.attach(it, version));
    }

    /// Takes `label` off the version that carries it.
    pub fn detach(&mut self, label: &Label) -> Result<(), CurrentStays> {
        if *label == Label::CURRENT {
            return Err(CurrentStays);
        }
        self.holder.remove(label);
        Ok(())
    }

    /// The version that carries `label`.
    pub fn holder(&self, label: &Label) -> Option<&VersionId> {
        self.holder.get(label)
    }

    /// The labels on `version`, in alphabetical order.
    pub fn of(&self, version: &VersionId) -> Vec<&Label> {
        self.holder.iter().filter(|(_, it)| *it == version).map(|(label, _)| label).collect()
    }

    /// Every labelled version with its labels.
    pub fn by_version(&self) -> BTreeMap<&VersionId, Vec<&Label>> {
        let mut versions = BTreeMap::<_, Vec<_>>::new();
        for (label, version) in &self.holder {
            versions.entry(version).or_default().push(label);
        }
        versions
    }

    /// How many labels are attached, over all versions.
    pub fn count(&self) -> usize {
        self.holder.len()
    }

    /// Whether no version carries a label.
    pub fn is_empty(&self) -> bool {
        self.holder.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v(name: &str) -> VersionId {
        VersionId(name.to_owned())
    }

    fn shown(stages: &Stages) -> String {
        let pairs: Vec<_> =
            stages.holder.iter().map(|(l, v)| format!("{}:{}", l.as_str(), v.as_str())).collect();
        pairs.join(" ")
    }

    /// The transition table of the service: what each event does to the labels.
    #[test]
    fn labels_move_as_documented() {
        let mut stages = Stages::default();
        stages.promote(&v("1"));
        assert_eq!(shown(&stages), "AWSCURRENT:1");
        stages.attach(Label::new("X"), &v("1"));
        stages.promote(&v("2"));
        assert_eq!(shown(&stages), "AWSCURRENT:2 AWSPREVIOUS:1 X:1");
        stages.attach(Label::PENDING, &v("3"));
        assert_eq!(shown(&stages), "AWSCURRENT:2 AWSPENDING:3 AWSPREVIOUS:1 X:1");
        stages.promote(&v("3"));
        assert_eq!(shown(&stages), "AWSCURRENT:3 AWSPENDING:3 AWSPREVIOUS:2 X:1");
        stages.promote(&v("2"));
        assert_eq!(shown(&stages), "AWSCURRENT:2 AWSPENDING:3 AWSPREVIOUS:3 X:1");
        stages.promote(&v("2"));
        assert_eq!(shown(&stages), "AWSCURRENT:2 AWSPENDING:3 AWSPREVIOUS:3 X:1");
        stages.detach(&Label::PENDING).expect("not current");
        assert_eq!(stages.detach(&Label::CURRENT), Err(CurrentStays));
        assert_eq!(stages.of(&v("1")), [&Label::new("X")]);
        stages.attach_all([Label::CURRENT, Label::PREVIOUS], &v("4"));
        assert_eq!(shown(&stages), "AWSCURRENT:4 AWSPREVIOUS:2 X:1");
    }

    #[test]
    fn a_first_version_loses_previous_when_promoted() {
        let mut stages = Stages::default();
        stages.attach_all([Label::CURRENT, Label::PREVIOUS], &v("1"));
        assert_eq!(shown(&stages), "AWSCURRENT:1");
    }
}

#[cfg(test)]
mod properties {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Four versions are enough: each rule speaks of at most three.
        #[test]
        fn current_stays_and_is_not_previous_after_a_promotion(
            steps in prop::collection::vec((prop::option::of(label()), "version-[0-3]"), 1..40),
        ) {
            let mut stages = Stages::default();
            for (label, version) in steps {
                let version = VersionId(version);
                let was_set = stages.holder(&Label::CURRENT).is_some();
                match label {
                    Some(label) => drop(stages.detach(&label)),
                    None => stages.promote(&version),
                }
                let current = stages.holder(&Label::CURRENT);
                prop_assert!(current.is_some() || !was_set);
                prop_assert!(current.is_none() || current != stages.holder(&Label::PREVIOUS));
            }
        }
    }

    fn label() -> impl Strategy<Value = Label> {
        prop::sample::select(vec![Label::CURRENT, Label::PREVIOUS, Label::PENDING])
    }
}
