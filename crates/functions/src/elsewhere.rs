//! Functions that are somewhere else, by how their ARNs begin.

use crate::names::Reference;
use base::{AccountId, Region};
use std::collections::BTreeSet;
use std::sync::Arc;

/// How the ARNs of functions begin that this server doesn't have, and who may have them invoked. What begins so
/// is never looked for here.
#[derive(Clone, Debug, Default)]
pub struct Elsewhere(Arc<[Prefix]>);

/// One such beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prefix {
    /// `arn:aws:lambda:eu-west-1:111122223333:function:` and perhaps the first letters of a name.
    text: String,
    account: AccountId,
    region: Region,
    /// Whose secrets may be rotated by it.
    users: BTreeSet<AccountId>,
}

impl Prefix {
    /// The ARNs that begin with `text`, for secrets of `users`, or, without any, of the account that it names.
    /// `None` if it doesn't name one account in one Region.
    pub fn new(text: &str, users: Option<BTreeSet<AccountId>>) -> Option<Self> {
        let whole = format!("{text}{}", if text.ends_with(':') { "x" } else { "" });
        let Reference { account, region, qualifier: None, .. } = Reference::parse(&whole)? else {
            return None;
        };
        let (account, region) = (account?, region?.parse().ok()?);
        let users = users.unwrap_or_else(|| BTreeSet::from([account.clone()]));
        let named = text.contains(":function:");
        named.then(|| Self { text: text.to_owned(), account, region, users })
    }

    /// The account that all of them belong to.
    pub fn account(&self) -> &AccountId {
        &self.account
    }

    /// The Region that all of them are in.
    pub fn region(&self) -> &Region {
        &self.region
    }

    /// How they begin.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// How their names begin.
    pub(crate) fn name(&self) -> &str {
        self.text.rsplit(':').next().unwrap_or_default()
    }

    /// Whether secrets of `account` may be rotated by them.
    pub(crate) fn serves(&self, account: &AccountId) -> bool {
        self.users.contains(account)
    }
}

impl Elsewhere {
    /// All of them, in any order.
    pub fn new(prefixes: impl IntoIterator<Item = Prefix>) -> Self {
        Self(prefixes.into_iter().collect())
    }

    /// Each of them, in the order that they were given in.
    pub fn prefixes(&self) -> &[Prefix] {
        &self.0
    }

    /// Where in that order the longest is that the whole ARN `arn` begins with.
    pub fn find(&self, arn: &str) -> Option<usize> {
        let begins = |it: &(usize, &Prefix)| arn.starts_with(&it.1.text);
        let longest = self.0.iter().enumerate().filter(begins).max_by_key(|it| it.1.text.len())?;
        Reference::parse(arn).map(|_| longest.0)
    }

    /// The longest that `arn` begins with.
    pub(crate) fn prefix(&self, arn: &str) -> Option<&Prefix> {
        self.find(arn).and_then(|it| self.0.get(it))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = "arn:aws:lambda:eu-west-1:111122223333:function:";

    #[test]
    fn a_prefix_names_one_account_in_one_region() {
        for (text, name) in [
            (WHOLE.to_owned(), Some("")),
            (format!("{WHOLE}rotate-"), Some("rotate-")),
            (format!("{WHOLE}rotate:7"), None),
            (WHOLE.replace("111122223333", ""), None),
            (WHOLE.replace("eu-west-1", "*"), None),
            (WHOLE.replace("function:", ""), None),
            ("arn:aws:lambda:eu-west-1:111122223333:".to_owned(), None),
            ("rotate".to_owned(), None),
            (String::new(), None),
        ] {
            let found = Prefix::new(&text, None);
            assert_eq!(found.as_ref().map(Prefix::name), name, "{text}");
        }
    }

    #[test]
    fn the_longest_prefix_wins_and_only_arns_have_one() {
        let prefix = |it: &str| Prefix::new(&format!("{WHOLE}{it}"), None).expect("a prefix");
        let elsewhere = Elsewhere::new(["", "rotate-eu", "rotate-"].map(prefix));
        for (arn, found) in [
            (format!("{WHOLE}app"), Some(0)),
            (format!("{WHOLE}rotate-app"), Some(2)),
            (format!("{WHOLE}rotate-eu:live"), Some(1)),
            (format!("{WHOLE}rotate-eu:live:more"), None),
            (format!("{WHOLE}app/../x"), None),
            (WHOLE.replace("eu-west-1", "eu-west-2") + "app", None),
            (WHOLE.replace("3333", "3334") + "app", None),
        ] {
            assert_eq!(elsewhere.find(&arn), found, "{arn}");
        }
        assert_eq!(Elsewhere::default().find(&format!("{WHOLE}app")), None);
    }
}
