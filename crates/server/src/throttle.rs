//! Token buckets: how many requests a second an account and a user may make.
//!
//! A bucket holds one second's worth and refills steadily, so a set of buckets that was left alone
//! for a second is as good as new: memory stays bounded by forgetting those, and nothing is lost.
//!
//! What is turned away leaves an audit record like every other call, so that has a pace too: beyond
//! [`REFUSALS`] a second of one principal, each answer is held until its turn, at most for
//! [`LONGEST_HOLD`]. A client can't ask more before it is answered, unless it opens more connections,
//! which have limits of their own. Being forgotten too early only makes a hold shorter.

use crate::config::{Rates, ThrottleConfig};
use base::{AccountId, Region, Timestamp};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Operations that share a rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    Batch,
    Caller,
    Create,
    Delete,
    Describe,
    Get,
    List,
    Password,
    Policy,
    Restore,
    Rotate,
    Tag,
    Update,
    Versions,
}

/// Who asks: the account, the Region signed for, and the unique id of the principal.
#[derive(Clone, Copy)]
pub(crate) struct Asker<'a> {
    pub(crate) account: &'a AccountId,
    pub(crate) region: &'a Region,
    pub(crate) principal: &'a str,
    /// Whether it comes with a token, and has nothing in the account as long as no role trusts it.
    pub(crate) stranger: bool,
}

/// All buckets of this process.
pub(crate) struct Throttle {
    account: Rates,
    principal: Rates,
    shards: [Mutex<Buckets>; SHARDS],
}

#[derive(Default)]
struct Buckets(BTreeMap<String, Set>);

/// The buckets of one account and Region, or of one principal.
#[derive(Clone, Copy)]
struct Set {
    /// Thousandths of a request that were taken and haven't grown back, by group; refusals are last.
    taken: [u64; PLACES],
    /// When each was last brought up to date, in milliseconds.
    at: [i64; PLACES],
}

/// Requests of strangers to one account, and of one of them, each second.
const STRANGERS: [u32; 2] = [50, 10];
/// Denials of one principal whose reason is kept, each second: it is longer than all else in a record.
const EXPLAINED: u32 = 20;
/// Refusals of one principal that are answered at once, each second.
const REFUSALS: u32 = 100;
/// An answer is held so long at most: well within what clients wait for.
const LONGEST_HOLD: Duration = Duration::from_secs(10);
const GROUPS: usize = 14;
/// A place for each group, for refusals, and for explained denials.
const PLACES: usize = GROUPS + 2;
/// Thousandths of refusals that are taken before one is held.
const FULL: u64 = 1000 * (REFUSALS as u64 - 1);
const SHARDS: usize = 16;
const SETS_PER_SHARD: usize = 1024;

impl Throttle {
    /// Buckets that are all full; `None` if throttling is off.
    pub(crate) fn new(config: &ThrottleConfig) -> Option<Self> {
        config.enabled.then(|| Self {
            account: config.account.clone(),
            principal: config.principal.clone(),
            shards: std::array::from_fn(|_| Mutex::default()),
        })
    }

    /// Takes one request out of the two buckets that `asker` has for `group`. `false`, and nothing
    /// taken, if one of them has none left.
    pub(crate) fn admit(&self, asker: Asker<'_>, group: Group, now: Timestamp) -> bool {
        let Some(mut buckets) = self.buckets_of(asker) else {
            return true;
        };
        let own = format!("p/{}", asker.principal);
        // Strangers leave the account what is its own.
        let keys = if asker.stranger {
            let [all, one] = STRANGERS;
            [(format!("w/{}", asker.account), all), (own, one)]
        } else {
            let all = format!("a/{}/{}", asker.account, asker.region);
            [(all, group.rate(&self.account)), (own, group.rate(&self.principal))]
        };
        let place = group as usize;
        let fits = keys.iter().all(|(key, rate)| {
            buckets.taken_at(key, *rate, place, now) + 1000 <= u64::from(*rate) * 1000
        });
        if fits {
            for (key, rate) in keys {
                buckets.take(key, rate, place, now);
            }
        }
        fits
    }

    /// Whether it is to be kept why `asker` is denied, if it is.
    pub(crate) fn explains(&self, asker: Asker<'_>, now: Timestamp) -> bool {
        let key = format!("p/{}", asker.principal);
        self.buckets_of(asker).is_none_or(|it| {
            it.taken_at(&key, EXPLAINED, GROUPS + 1, now) + 1000 <= u64::from(EXPLAINED) * 1000
        })
    }

    /// Notes that it was kept why `asker` was denied.
    pub(crate) fn explained(&self, asker: Asker<'_>, now: Timestamp) {
        if let Some(mut buckets) = self.buckets_of(asker) {
            buckets.take(format!("p/{}", asker.principal), EXPLAINED, GROUPS + 1, now);
        }
    }

    /// For how long to hold the answer that turns a request of `asker` away.
    pub(crate) fn hold(&self, asker: Asker<'_>, now: Timestamp) -> Duration {
        let Some(mut buckets) = self.buckets_of(asker) else {
            return Duration::ZERO;
        };
        let key = format!("p/{}", asker.principal);
        let owed = buckets.taken_at(&key, REFUSALS, GROUPS, now).saturating_sub(FULL);
        // In thousandths at a rate of so many a second: the quotient is milliseconds.
        let hold = Duration::from_millis(owed / u64::from(REFUSALS));
        if LONGEST_HOLD <= hold {
            return LONGEST_HOLD;
        }
        buckets.take(key, REFUSALS, GROUPS, now);
        hold
    }

    fn buckets_of(&self, asker: Asker<'_>) -> Option<MutexGuard<'_, Buckets>> {
        let shard = usize::try_from(asker.account.number() % SHARDS as u64).unwrap_or_default();
        let shard = self.shards.get(shard)?;
        Some(shard.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Buckets {
    fn taken_at(&self, key: &str, rate: u32, place: usize, now: Timestamp) -> u64 {
        self.0.get(key).map_or(0, |it| it.taken_at(place, rate, now))
    }

    fn take(&mut self, key: String, rate: u32, place: usize, now: Timestamp) {
        if SETS_PER_SHARD <= self.0.len() && !self.0.contains_key(&key) {
            self.make_room(now);
        }
        let fresh = Set { taken: [0; PLACES], at: [0; PLACES] };
        let set = self.0.entry(key).or_insert(fresh);
        let taken = set.taken_at(place, rate, now) + 1000;
        if let (Some(to), Some(at)) = (set.taken.get_mut(place), set.at.get_mut(place)) {
            (*to, *at) = (taken, now.millis());
        }
    }

    /// Forgets sets that have grown back, or where none has, the one left alone longest.
    fn make_room(&mut self, now: Timestamp) {
        self.0.retain(|_, set| now.millis().saturating_sub(set.touched()) < 1000);
        if SETS_PER_SHARD <= self.0.len() {
            let eldest = self.0.iter().min_by_key(|it| it.1.touched()).map(|it| it.0.clone());
            eldest.and_then(|it| self.0.remove(&it));
        }
    }
}

impl Set {
    fn taken_at(&self, place: usize, rate: u32, now: Timestamp) -> u64 {
        let (taken, at) = (self.taken.get(place), self.at.get(place));
        let elapsed = now.millis().saturating_sub(at.copied().unwrap_or_default());
        // A rate of r a second is r thousandths a millisecond.
        let grown = u64::try_from(elapsed).unwrap_or_default().saturating_mul(u64::from(rate));
        taken.copied().unwrap_or_default().saturating_sub(grown)
    }

    fn touched(&self) -> i64 {
        self.at.iter().copied().max().unwrap_or_default()
    }
}

impl Group {
    /// The group of the operation called `name`. Unknown ones count with the scarce.
    pub(crate) fn of(name: &str) -> Self {
        match name {
            "BatchGetSecretValue" => Self::Batch,
            "CancelRotateSecret" | "RotateSecret" => Self::Rotate,
            "CreateSecret" => Self::Create,
            "DeleteResourcePolicy"
            | "GetResourcePolicy"
            | "ListResourcePolicies"
            | "PutResourcePolicy"
            | "ValidateResourcePolicy" => Self::Policy,
            "DeleteSecret" => Self::Delete,
            "DescribeSecret" => Self::Describe,
            "GetCallerIdentity" => Self::Caller,
            "GetRandomPassword" => Self::Password,
            "GetSecretValue" => Self::Get,
            "ListSecretVersionIds" => Self::Versions,
            "ListSecrets" => Self::List,
            "RestoreSecret" => Self::Restore,
            "TagResource" | "UntagResource" => Self::Tag,
            _ => Self::Update,
        }
    }

    fn rate(self, rates: &Rates) -> u32 {
        match self {
            Self::Batch => rates.batch,
            Self::Caller => rates.caller,
            Self::Create => rates.create,
            Self::Delete => rates.delete,
            Self::Describe => rates.describe,
            Self::Get => rates.get,
            Self::List => rates.list,
            Self::Password => rates.password,
            Self::Policy => rates.policy,
            Self::Restore => rates.restore,
            Self::Rotate => rates.rotate,
            Self::Tag => rates.tag,
            Self::Update => rates.update,
            Self::Versions => rates.versions,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn throttle(account: u32, principal: u32) -> Throttle {
        let rates = |list| Rates { list, ..Rates::default() };
        let (account, principal) = (rates(account), rates(principal));
        Throttle::new(&ThrottleConfig { enabled: true, account, principal }).expect("enabled")
    }

    fn admitted(throttle: &Throttle, (region, principal): (&str, &str), now: Timestamp) -> usize {
        let (account, region) = ("111122223333".parse(), region.parse());
        let asker = Asker {
            account: &account.expect("valid"),
            region: &region.expect("valid"),
            principal,
            stranger: false,
        };
        (0..1000).take_while(|_| throttle.admit(asker, Group::List, now)).count()
    }

    #[test]
    fn a_seconds_worth_at_once_then_steadily() {
        let throttle = throttle(10, 1000);
        let start = Timestamp::from_secs(1_000_000);
        let who = ("us-east-1", "AIDA");
        for (after, expected) in [(0, 10), (0, 0), (99, 0), (100, 1), (350, 2), (5000, 10)] {
            let now = start.plus(Duration::from_millis(after));
            assert_eq!(admitted(&throttle, who, now), expected, "after {after} ms");
        }
        let back = start.minus(Duration::from_secs(9));
        assert_eq!(admitted(&throttle, who, back), 0, "a clock that goes back gives nothing");
    }

    #[test]
    fn regions_are_apart_and_principals_are_not() {
        let throttle = throttle(10, 15);
        let now = Timestamp::from_secs(1_000_000);
        assert_eq!(admitted(&throttle, ("us-east-1", "AIDA1"), now), 10);
        assert_eq!(admitted(&throttle, ("us-east-1", "AIDA2"), now), 0, "the account's are gone");
        assert_eq!(admitted(&throttle, ("us-west-2", "AIDA1"), now), 5, "the user's are gone");
        assert_eq!(admitted(&throttle, ("us-west-2", "AIDA2"), now), 5);
    }

    #[test]
    fn strangers_leave_an_account_what_is_its_own() {
        let throttle = throttle(1000, 1000);
        let now = Timestamp::from_secs(1_000_000);
        let account = "111122223333".parse().expect("valid");
        let region = "us-east-1".parse().expect("valid");
        let ask = |principal| {
            let asker = Asker { account: &account, region: &region, principal, stranger: true };
            (0..1000).take_while(|_| throttle.admit(asker, Group::List, now)).count()
        };
        let [all, one] = STRANGERS.map(|it| it as usize);
        assert_eq!(ask("sub0"), one);
        let others =
            (1..20).map(|it| ask(["a", "b", "c", "d", "e", "f", "g"][it % 7])).sum::<usize>();
        assert_eq!(others, all - one);
        assert_eq!(admitted(&throttle, ("us-east-1", "AIDA"), now), 1000);
    }

    #[test]
    fn only_some_denials_are_explained() {
        let throttle = throttle(10, 10);
        let now = Timestamp::from_secs(1_000_000);
        let account = "111122223333".parse().expect("valid");
        let region = "us-east-1".parse().expect("valid");
        let asker =
            |principal| Asker { account: &account, region: &region, principal, stranger: false };
        let explained = |principal, now| {
            let kept = throttle.explains(asker(principal), now);
            if kept {
                throttle.explained(asker(principal), now);
            }
            kept
        };
        assert_eq!((0..100).filter(|_| explained("AIDA1", now)).count(), EXPLAINED as usize);
        assert!(explained("AIDA2", now));
        assert!(explained("AIDA1", now.plus(Duration::from_millis(50))));
    }

    #[test]
    fn refused_requests_take_nothing() {
        let throttle = throttle(10, 0);
        let now = Timestamp::from_secs(1_000_000);
        assert_eq!(admitted(&throttle, ("us-east-1", "AIDA"), now), 0);
        let shard = throttle.shards.iter().map(|it| it.lock().expect("whole").0.len());
        assert_eq!(shard.sum::<usize>(), 0);
    }

    #[test]
    fn refusals_have_a_pace() {
        let throttle = throttle(10, 10);
        let now = Timestamp::from_secs(1_000_000);
        let (account, region) = ("111122223333".parse(), "us-east-1".parse());
        let (account, region) = (account.expect("valid"), region.expect("valid"));
        let hold = |principal, now| {
            throttle
                .hold(Asker { account: &account, region: &region, principal, stranger: false }, now)
                .as_millis()
        };
        let at_once = (0..1000).take_while(|_| hold("AIDA1", now) == 0).count();
        assert_eq!(at_once, 100, "a second's worth");
        assert_eq!(hold("AIDA1", now), 20, "then one each 10 ms");
        assert_eq!(hold("AIDA1", now), 30);
        assert_eq!(hold("AIDA2", now), 0, "others are not held");
        let longest = (0..10_000).map(|_| hold("AIDA1", now)).max();
        assert_eq!(longest, Some(10_000));
        assert_eq!(hold("AIDA1", now.plus(Duration::from_secs(5))), 5000, "it grows back");
        assert_eq!(hold("AIDA1", now.plus(Duration::from_mins(1))), 0);
        assert_eq!(admitted(&throttle, ("us-east-1", "AIDA1"), now), 10, "calls are not refusals");
    }

    #[test]
    fn memory_is_bounded() {
        let throttle = throttle(1, 10_000);
        let region = |it: usize| format!("r{}-1", letters(it));
        for it in 0..SETS_PER_SHARD + 100 {
            let now = Timestamp::from_millis(1_000_000 + i64::try_from(it / 10).expect("small"));
            admitted(&throttle, (&region(it), "AIDA"), now);
        }
        let sizes = throttle.shards.iter().map(|it| it.lock().expect("whole").0.len());
        assert!(sizes.max() <= Some(SETS_PER_SHARD));
    }

    fn letters(mut number: usize) -> String {
        let mut out = String::new();
        while number > 0 {
            out.push(char::from(b'a' + u8::try_from(number % 26).expect("small")));
            number /= 26;
        }
        out
    }
}
