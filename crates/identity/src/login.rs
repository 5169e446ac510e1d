//! Passwords of an account's users, and what the account asks of them.
//!
//! There is no console here that would let anybody in by a password: it is kept, checked against the account's
//! rules and changed, so that whoever manages users finds what AWS has.

use crate::password::Hash;
use base::{AccountId, Sensitive, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::time::Duration;
use store::path::Path;
use store::{KeyRange, Table, Txn};

/// That a user has a password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Login {
    /// When the user first got one.
    pub(crate) created: Timestamp,
    /// When it was last changed.
    pub(crate) changed: Timestamp,
    /// Whether it is good only for choosing another one.
    pub(crate) reset_required: bool,
    /// The password's hash.
    pub(crate) hash: Hash,
    /// Those of passwords before it, the last one first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) former: Vec<Hash>,
    /// How often in a row the user was wrong about it.
    #[serde(default)]
    wrong: u32,
    /// Until then nobody is asked again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<Timestamp>,
}

/// What an account asks of its users' passwords.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Rules {
    /// The fewest characters.
    pub(crate) shortest: u16,
    /// The kinds of characters of which one must be there.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) kinds: BTreeSet<Kind>,
    /// Whether every user may change its own password, whatever its policies say.
    pub(crate) users_change: bool,
    /// After how many days a password ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) days: Option<u16>,
    /// How many passwords can't be chosen again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) remembered: Option<u8>,
    /// Whether who has let it end can't choose another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) hard: Option<bool>,
}

store::json_record!(Login, 1);
store::json_record!(Rules, 1);

/// As many former passwords as rules can ask for.
pub(crate) const MOST_FORMER: usize = 24;

/// By account and the user's unique id.
const fn logins<'a>() -> Table<(&'a AccountId, &'a str), Login> {
    Table::new(|(account, id)| Path::new("a").with(account).with("login-profile").with(id).key())
}

const RULES: Table<AccountId, Rules> =
    Table::new(|account| Path::new("a").with(account).with("password-policy").key());

/// That the user `id` has a password, if it has one.
pub(crate) async fn find(
    txn: &mut Txn<'_>,
    account: &AccountId,
    id: &str,
) -> Result<Option<Login>, store::Error> {
    txn.find(&logins(), &(account, id)).await
}

/// All that have a password: unique ids, and the passwords.
pub(crate) async fn all(
    txn: &mut Txn<'_>,
    account: &AccountId,
) -> Result<Vec<(String, Login)>, store::Error> {
    let prefix = Path::new("a").with(account).with("login-profile").below();
    let page = txn.page::<Login>(KeyRange::prefix(&prefix), MOST, false).await?;
    let owner = |key: &str| key.strip_prefix(&prefix).unwrap_or_default().to_owned();
    Ok(page.rows.into_iter().map(|(key, it)| (owner(&key), it)).collect())
}

/// No account has more users.
const MOST: usize = 5000;

/// Writes the password of the user `id`.
pub(crate) fn save(
    txn: &mut Txn<'_>,
    (account, id): (&AccountId, &str),
    login: &Login,
) -> Result<(), store::Error> {
    txn.save(&logins(), &(account, id), login)
}

/// Removes the password of the user `id`.
pub(crate) fn remove(txn: &mut Txn<'_>, account: &AccountId, id: &str) {
    txn.remove(&logins(), &(account, id));
}

/// What `account` asks of passwords, if it asks anything of its own.
pub(crate) async fn rules(
    txn: &mut Txn<'_>,
    account: &AccountId,
) -> Result<Option<Rules>, store::Error> {
    txn.find(&RULES, account).await
}

/// Writes what `account` asks of passwords.
pub(crate) fn save_rules(
    txn: &mut Txn<'_>,
    account: &AccountId,
    rules: &Rules,
) -> Result<(), store::Error> {
    txn.save(&RULES, account, rules)
}

/// `account` asks nothing of its own any more.
pub(crate) fn remove_rules(txn: &mut Txn<'_>, account: &AccountId) {
    txn.remove(&RULES, account);
}

/// How often in a row one may be wrong without having to wait.
const FREE: u32 = 4;
const SHORTEST: Duration = Duration::from_secs(30);
const LONGEST: Duration = Duration::from_hours(1);

impl Login {
    /// That somebody has the password `hash` from `now` on.
    pub(crate) fn new(hash: Hash, reset_required: bool, now: Timestamp) -> Self {
        let (created, changed) = (now, now);
        let (former, wrong, until) = (Vec::new(), 0, None);
        Self { created, changed, reset_required, hash, former, wrong, until }
    }

    /// Whether so many wrong ones came that no other is looked at for a while.
    pub(crate) fn is_barred(&self, now: Timestamp) -> bool {
        self.until.is_some_and(|it| now < it)
    }

    /// Notes that somebody was wrong about it.
    pub(crate) fn was_wrong(&mut self, now: Timestamp) {
        self.wrong = self.wrong.saturating_add(1);
        if let Some(times) = self.wrong.checked_sub(FREE + 1) {
            let wait = SHORTEST.saturating_mul(1 << times.min(10)).min(LONGEST);
            self.until = Some(now.plus(wait));
        }
    }

    /// The password `hash` in the place of this one.
    pub(crate) fn changed(self, hash: Hash, now: Timestamp) -> Self {
        let mut former = self.former;
        former.insert(0, self.hash);
        former.truncate(MOST_FORMER);
        Self { hash, former, changed: now, wrong: 0, until: None, ..self }
    }
}

impl Rules {
    /// Whether `password` may be chosen, as far as its characters go.
    pub(crate) fn allow(&self, password: &Sensitive) -> bool {
        usize::from(self.shortest) <= count(password) && self.kinds.is_subset(&Kind::of(password))
    }

    /// When a password that was changed then ends, if it does.
    pub(crate) fn end(&self, changed: Timestamp) -> Option<Timestamp> {
        self.days.map(|it| changed.plus(Duration::from_hours(24 * u64::from(it))))
    }
}

/// Whether `password` may be chosen where an account asks nothing of its own: eight characters, three kinds.
///
/// Source: IAM User Guide, "Set an account password policy for IAM users": the default policy.
pub(crate) fn allowed_by_default(password: &Sensitive) -> bool {
    8 <= count(password) && 3 <= Kind::of(password).len()
}

/// A kind of characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Kind {
    Lowercase,
    Number,
    Symbol,
    Uppercase,
}

impl Kind {
    /// Those in `password`.
    fn of(password: &Sensitive) -> BTreeSet<Self> {
        let kind = |it: &u8| match it {
            b'a'..=b'z' => Some(Self::Lowercase),
            b'0'..=b'9' => Some(Self::Number),
            b'A'..=b'Z' => Some(Self::Uppercase),
            it if SYMBOLS.contains(it) => Some(Self::Symbol),
            _ => None,
        };
        password.expose().iter().filter_map(kind).collect()
    }
}

/// Source: IAM API Reference, "UpdateAccountPasswordPolicy".
const SYMBOLS: &[u8] = b"!@#$%^&*()_+-=[]{}|'";

/// How many characters there are; a character of UTF-8 begins with a byte of another form than the rest.
fn count(password: &Sensitive) -> usize {
    password.expose().iter().filter(|it| **it & 0xc0 != 0x80).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Sensitive {
        Sensitive::from(text.to_owned())
    }

    #[test]
    fn what_the_default_asks() {
        for (text, allowed) in [
            ("Abcdefg1", true),
            ("abcdef1!", true),
            ("Abcdef1", false),
            ("abcdefg1", false),
            ("abcdefgh", false),
            ("Abcdefgé", false),
            ("", false),
        ] {
            assert_eq!(allowed_by_default(&password(text)), allowed, "{text}");
        }
    }

    #[test]
    fn each_rule_refuses_what_lacks_it() {
        let none = Rules {
            shortest: 6,
            kinds: BTreeSet::new(),
            users_change: false,
            days: None,
            remembered: None,
            hard: None,
        };
        for (rules, bad, good) in [
            (none.clone(), "12345", "123456"),
            (Rules { shortest: 12, ..none.clone() }, "éééééé", "éééééééééééé"),
            (
                Rules { kinds: BTreeSet::from([Kind::Symbol]), ..none.clone() },
                "aA1.,;:?",
                "aA1.,;:]",
            ),
            (Rules { kinds: BTreeSet::from([Kind::Number]), ..none.clone() }, "abcdef", "abcde0"),
            (
                Rules { kinds: BTreeSet::from([Kind::Uppercase]), ..none.clone() },
                "abcdefÉ",
                "abcdeF",
            ),
            (
                Rules { kinds: BTreeSet::from([Kind::Lowercase]), ..none.clone() },
                "ABCDEFé",
                "ABCDEf",
            ),
        ] {
            assert!(!rules.allow(&password(bad)), "{rules:?} {bad}");
            assert!(rules.allow(&password(good)), "{rules:?} {good}");
        }
    }
}
