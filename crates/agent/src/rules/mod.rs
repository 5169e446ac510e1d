//! Which workload a caller is: the most specific rule that fits, or none.
//!
//! INVARIANT: of two rules that can fit one caller, one asks for all that the other does and more.
//! [`Rules::load`] refuses all else, so that the rules which fit a caller stand in one line and the
//! choice never depends on their order in the file.

use crate::config::{Config, ConfigError, Kind, WorkloadConfig};
use crate::files::{self, Readers};
use crate::glob::Glob;
use base::Sensitive;
use std::collections::BTreeSet;
use std::path::Path;

/// What is known of who asks. What isn't known fits no rule that asks for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) uid: Option<u32>,
    pub(crate) gid: Option<u32>,
    pub(crate) cgroup: Option<String>,
    /// For the log only.
    pub(crate) pid: Option<u32>,
}

/// What a caller shows besides being who it is.
#[derive(Debug)]
pub(crate) enum Proof<'a> {
    Nothing,
    Token(&'a Sensitive),
    /// `NAMESPACE/NAME`, as the token claims; the server checks the token.
    ServiceAccount(&'a str),
}

/// One workload and what it asks of a caller.
#[derive(Debug)]
pub(crate) struct Rule {
    kinds: BTreeSet<Kind>,
    uid: Option<u32>,
    gid: Option<u32>,
    cgroup: Option<Glob>,
    token: Option<Sensitive>,
    service_account: Option<String>,
    pub(crate) workload: WorkloadConfig,
}

/// All of them.
#[derive(Debug)]
pub(crate) struct Rules(Vec<Rule>);

impl Rules {
    /// The rules of `config`, with the tokens that it names files for.
    pub(crate) fn load(config: &Config) -> Result<Self, ConfigError> {
        let rules: Vec<_> =
            config.workload.iter().enumerate().map(Rule::load).collect::<Result<_, _>>()?;
        for (place, first) in rules.iter().enumerate() {
            for (offset, second) in rules.iter().skip(place + 1).enumerate() {
                if first.meets(second) && first.is_within(second) == second.is_within(first) {
                    let (first, second) = (place + 1, place + offset + 2);
                    return Err(ConfigError::Ambiguous { first, second });
                }
            }
        }
        Ok(Self(rules))
    }

    /// All rules in the order of the file.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.0.iter()
    }

    /// The place of the most specific rule that fits.
    pub(crate) fn find(&self, kind: Kind, caller: &Caller, proof: &Proof<'_>) -> Option<usize> {
        // Every rule is looked at, and every token compared: how long that takes tells nothing.
        let fitting = self.0.iter().enumerate().filter(|it| it.1.fits(kind, caller, proof));
        fitting.reduce(|one, two| if two.1.is_within(one.1) { two } else { one }).map(|it| it.0)
    }

    /// Whether some rule asks for what only the process itself tells, not its socket.
    pub(crate) fn ask_for_processes(&self) -> bool {
        self.0.iter().any(|it| it.gid.is_some() || it.cgroup.is_some())
    }
}

impl Rule {
    fn load((place, workload): (usize, &WorkloadConfig)) -> Result<Self, ConfigError> {
        let wrong = |reason| ConfigError::Workload { number: place + 1, reason };
        let token = workload.token_file.as_deref().map(token).transpose()?;
        if token.as_ref().is_some_and(|it| !is_token(it)) {
            return Err(wrong(
                "its token must be 16 to 4096 visible ASCII characters without a line break, which \
                 SDKs refuse",
            ));
        }
        Ok(Self {
            kinds: workload.kinds(),
            uid: workload.uid,
            gid: workload.gid,
            cgroup: workload.cgroup.as_deref().and_then(Glob::parse),
            token,
            service_account: workload.service_account.clone(),
            workload: workload.clone(),
        })
    }

    /// The role's name, without its path.
    pub(crate) fn role_name(&self) -> &str {
        self.workload.role_arn.rsplit('/').next().unwrap_or_default()
    }

    fn fits(&self, kind: Kind, caller: &Caller, proof: &Proof<'_>) -> bool {
        let proven = match (proof, &self.token, &self.service_account) {
            (Proof::Nothing, None, None) => true,
            (Proof::Token(shown), Some(token), _) => shown.same_as(token),
            (Proof::ServiceAccount(shown), _, Some(account)) => shown == account,
            _ => false,
        };
        let cgroup = caller.cgroup.as_deref();
        proven
            & self.kinds.contains(&kind)
            & self.uid.is_none_or(|it| caller.uid == Some(it))
            & self.gid.is_none_or(|it| caller.gid == Some(it))
            & self.cgroup.as_ref().is_none_or(|it| cgroup.is_some_and(|path| it.fits(path)))
    }

    /// Whether some caller could fit both.
    fn meets(&self, other: &Self) -> bool {
        fn agree<T>(one: Option<&T>, two: Option<&T>, both: impl Fn(&T, &T) -> bool) -> bool {
            one.zip(two).is_none_or(|(one, two)| both(one, two))
        }
        let same_proof = match (&self.token, &other.token) {
            (Some(one), Some(two)) => one.same_as(two),
            (None, None) => self.service_account == other.service_account,
            _ => false,
        };
        same_proof
            && !self.kinds.is_disjoint(&other.kinds)
            && agree(self.uid.as_ref(), other.uid.as_ref(), u32::eq)
            && agree(self.gid.as_ref(), other.gid.as_ref(), u32::eq)
            && agree(self.cgroup.as_ref(), other.cgroup.as_ref(), Glob::meets)
    }

    /// Whether it asks for everything that `other` asks for, of two that [`Rule::meets`] holds for.
    fn is_within(&self, other: &Self) -> bool {
        let cgroup = match (&self.cgroup, &other.cgroup) {
            (Some(mine), Some(its)) => its.covers(mine),
            (None, Some(_)) => false,
            (_, None) => true,
        };
        cgroup
            && (other.uid.is_none() || self.uid.is_some())
            && (other.gid.is_none() || self.gid.is_some())
    }
}

fn token(path: &Path) -> Result<Sensitive, ConfigError> {
    files::read(path, Readers::Group)
        .map_err(|error| ConfigError::Unreadable { path: path.to_owned(), error })
}

fn is_token(token: &Sensitive) -> bool {
    (16..=4096).contains(&token.len()) && token.expose().iter().all(u8::is_ascii_graphic)
}

#[cfg(test)]
mod tests;
