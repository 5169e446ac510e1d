//! Simulation: what policies would decide about calls that nobody makes.
//!
//! Read [`Simulation`] first (what is asked, taken apart), then `evaluate.rs` (one action on each resource). The
//! judge is the policy engine alone; this only hands it what was given.
//!
//! Source: IAM API Reference, "SimulateCustomPolicy" and "SimulatePrincipalPolicy"; recorded answers for what a
//! source is called and where a statement begins.

mod context;
mod evaluate;
mod exclusions;
mod given;
mod principal;
mod shown;
mod source;
mod templates;

pub(crate) use evaluate::{Played, Simulation};
pub(crate) use given::{Given, policy_constraints};
pub(crate) use principal::{Entity, EntityName, admit};
pub(crate) use source::Source;

pub use context::ContextEntry;
pub use exclusions::{Excluded, Inline};
pub use given::Level;
pub use shown::{Evaluations, KeyNames};

use crate::iam::Error;
use crate::iam::page::Ask;
use policy::engine::Grammar;
use std::collections::{BTreeMap, BTreeSet};
use wire::Violations;
use wire::members::{List, Text};

/// The page `ask` of what comes of `simulation`.
pub(crate) fn page(simulation: &Simulation, ask: Ask<'_>) -> Result<Evaluations, Error> {
    let ask = ask.at_most(simulation.actions_at_once()?);
    let key = |(index, action)| (format!("{index:08}"), action);
    let actions: Vec<(String, &String)> =
        simulation.actions().iter().enumerate().map(key).collect();
    let (actions, marker) = ask.of_items(actions.iter().map(|(key, it)| (key.as_str(), *it)))?;
    let evaluation_results = actions.into_iter().map(|it| simulation.evaluate(it)).collect();
    Ok(Evaluations { evaluation_results, is_truncated: marker.is_some(), marker })
}

/// The keys that the policies of `list`, and those of `held`, have in conditions and variables: each once,
/// however often and in whatever case it is written.
pub(crate) fn key_names(list: Option<&List<Text>>, held: Vec<Source>) -> Result<KeyNames, Error> {
    let mut sources = held;
    for (index, text) in list.map_or(&[][..], List::as_slice).iter().enumerate() {
        let id = format!("PolicyInputList.{}", index + 1);
        sources.push(Source::read(id, text.as_str(), Grammar::Identity)?);
    }
    let mut names = BTreeMap::new();
    for key in sources.iter().flat_map(|it| it.policy.context_keys()) {
        names.entry(key.to_ascii_lowercase()).or_insert_with(|| key.to_owned());
    }
    let context_key_names: BTreeSet<String> = names.into_values().collect();
    Ok(KeyNames { context_key_names })
}

/// The model's constraints for policies to leave out.
pub(crate) fn exclusion_constraints(found: &mut Violations, excluded: Option<&List<Excluded>>) {
    exclusions::constraints(found, excluded);
}

/// The policies to leave out.
///
/// # Errors
///
/// `InvalidInput`: one of them is no identifier.
pub(crate) fn exclusions(excluded: Option<&List<Excluded>>) -> Result<&[Excluded], Error> {
    let excluded = excluded.map_or(&[][..], List::as_slice);
    exclusions::check(excluded)?;
    Ok(excluded)
}

/// What is asked can't be simulated: `text` says why.
fn invalid(text: impl Into<String>) -> Error {
    Error::Simulation(text.into())
}
