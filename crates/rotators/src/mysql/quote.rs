//! Names and texts in statements.
//!
//! Each session here has the SQL mode `NO_BACKSLASH_ESCAPES` and nothing else, so a text has one rule.

use crate::Failure;
use std::fmt;
use zeroize::Zeroizing;

/// `value` as a text; it is wiped, as it may be a password.
pub(crate) fn text(value: &str) -> Zeroizing<String> {
    // Large enough that nothing is copied to a larger one.
    let mut out = String::with_capacity(2 * value.len() + 2);
    out.push('\'');
    for c in value.chars() {
        if c == '\'' {
            out.push('\'');
        }
        out.push(c);
    }
    out.push('\'');
    Zeroizing::new(out)
}

/// `name` as a name.
pub(crate) fn name(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A user of some hosts, as statements name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) user: String,
    pub(crate) host: String,
}

impl Account {
    /// Reads the answer of `CURRENT_USER()`: a user's name may hold an `@`, a host's may not.
    pub(crate) fn parse(told: &str) -> Option<Self> {
        let (user, host) = told.rsplit_once('@')?;
        Some(Self { user: user.to_owned(), host: host.to_owned() })
    }
}

impl fmt::Display for Account {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}@{}", name(&self.user), name(&self.host))
    }
}

/// `user`, if a server could have it.
pub(crate) fn usable(user: &str, longest: usize) -> Result<(), Failure> {
    let invalid = |it: &str| Err(Failure::Invalid(format!("the user's name {it}")));
    match user.chars().count() {
        0 => invalid("is empty"),
        _ if user.contains('\0') => invalid("holds a NUL"),
        // Servers keep it until they are started again.
        _ if user.ends_with(' ') => invalid("ends in a blank, which no server keeps"),
        count if longest < count => invalid(&format!("has more than {longest} characters")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_own_quote_is_doubled() {
        #[rustfmt::skip]
        let cases = [
            ("",            "''",               "``"),
            ("it's",        "'it''s'",          "`it's`"),
            (r"\' OR 1 -- ", r"'\'' OR 1 -- '", r"`\' OR 1 -- `"),
            ("a`b\"c",      "'a`b\"c'",         "`a``b\"c`"),
            ("ü\n%_",       "'ü\n%_'",          "`ü\n%_`"),
        ];
        for (given, as_text, as_name) in cases {
            assert_eq!((text(given).as_str(), name(given).as_str()), (as_text, as_name));
        }
    }

    #[test]
    fn an_account_is_read_and_printed() {
        let it = Account::parse("a@b`@10.%").expect("an account");
        assert_eq!((it.user.as_str(), it.host.as_str()), ("a@b`", "10.%"));
        assert_eq!(it.to_string(), "`a@b```@`10.%`");
        assert_eq!(Account::parse("nobody"), None);
    }

    #[test]
    fn names_have_bounds() {
        for (user, fits) in
            [("", false), ("a\0", false), ("äöü", true), ("abcd", false), ("a ", false)]
        {
            assert_eq!(usable(user, 3).is_ok(), fits, "{user}");
        }
    }
}
