//! Names and texts in statements.

use super::DIALECT;
use crate::Failure;
use zeroize::Zeroizing;

/// `value` as a text; it is wiped, as it may be a password.
pub(super) fn text(value: &str) -> Zeroizing<String> {
    // Large enough that nothing is copied to a larger one.
    let mut out = String::with_capacity(2 * value.len() + 3);
    out.push_str("N'");
    for c in value.chars() {
        if c == '\'' {
            out.push('\'');
        }
        out.push(c);
    }
    out.push('\'');
    Zeroizing::new(out)
}

/// `name` as a name: what `QUOTENAME` gives, without its limit.
pub(super) fn name(name: &str) -> String {
    format!("[{}]", name.replace(']', "]]"))
}

/// Whether a server would leave a part of `value` out: a backslash continues a text on the next line.
/// Source: Transact-SQL reference, "Backslash (Line Continuation)".
pub(super) fn is_continued(value: &str) -> bool {
    value.contains("\\\n") || value.contains("\\\r")
}

/// A statement that is wiped. The room is taken at once, so that nothing is copied to a larger one.
pub(super) fn secret(parts: &[&str]) -> Zeroizing<String> {
    Zeroizing::new(parts.concat())
}

/// `user`, if a server could have it.
pub(super) fn usable(user: &str) -> Result<(), Failure> {
    let invalid = |it: &str| Err(Failure::Invalid(format!("the user's name {it}")));
    match user {
        "" => invalid("is empty"),
        _ if user.contains('\0') => invalid("holds a NUL"),
        _ if is_continued(user) => invalid("has a backslash before a line's end"),
        // Names that differ in nothing else are one to the server.
        _ if user.ends_with(' ') => invalid("ends in a blank"),
        _ if DIALECT.longest_name < user.encode_utf16().count() => {
            invalid("has more than 128 characters")
        }
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
            ("",              "N''",               "[]"),
            ("it's",          "N'it''s'",          "[it's]"),
            ("'; DROP --",    "N'''; DROP --'",    "['; DROP --]"),
            ("a]b[c\"",       "N'a]b[c\"'",        "[a]]b[c\"]"),
            ("ü\n%_\\",       "N'ü\n%_\\'",        "[ü\n%_\\]"),
        ];
        for (given, as_text, as_name) in cases {
            assert_eq!((text(given).as_str(), name(given).as_str()), (as_text, as_name));
        }
    }

    #[test]
    fn names_have_bounds() {
        let (fits, long) = ("𝒏".repeat(64), "n".repeat(129));
        for (user, is) in [
            ("", false),
            ("a\0", false),
            ("a ", false),
            (" a", true),
            ("a\\\nb", false),
            ("DOMAIN\\a", true),
            (&fits, true),
            (&long, false),
        ] {
            assert_eq!(usable(user).is_ok(), is, "{user:?}");
        }
    }
}
