//! Names and passwords in statements.

use super::DIALECT;
use crate::Failure;
use base::Sensitive;
use zeroize::Zeroizing;

/// The name that the database keeps for `user`: in capitals, unless it is quoted. What `DBMS_ASSERT.ENQUOTE_NAME`
/// does, but that no name may hold a quote, as none can. Source: PL/SQL packages reference, "DBMS_ASSERT".
pub(super) fn kept(user: &str) -> Result<String, Failure> {
    let invalid = |it: &str| Err(Failure::Invalid(format!("the user's name {it}")));
    let inner = user.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
    let name = inner.map_or_else(|| user.to_uppercase(), str::to_owned);
    match name.as_str() {
        "" => invalid("is empty"),
        _ if name.contains('\0') => invalid("holds a NUL"),
        _ if name.contains('"') => invalid("holds a quote"),
        _ if DIALECT.longest_name < name.len() => invalid("is longer than 128 bytes"),
        _ => Ok(name),
    }
}

/// A name that the database keeps, in a statement.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{name}\"")
}

/// A password in a statement; it is wiped.
pub(super) fn password(of: &Sensitive) -> Result<Zeroizing<String>, Failure> {
    let text = shown(of)?;
    Ok(secret(&["\"", text, "\""]))
}

/// A password as text.
pub(super) fn shown(password: &Sensitive) -> Result<&str, Failure> {
    let invalid = |it: &str| Err(Failure::Invalid(format!("the password {it}")));
    match str::from_utf8(password.expose()) {
        Err(_) => invalid("is not text"),
        Ok("") => invalid("is empty"),
        Ok(text) if text.contains(['\0', '"']) => {
            invalid("holds a quote or a NUL, which no password can")
        }
        Ok(text) if 1024 < text.len() => invalid("is longer than 1024 bytes"),
        Ok(text) => Ok(text),
    }
}

/// A statement that is wiped. The room is taken at once, so that nothing is copied to a larger one.
pub(super) fn secret(parts: &[&str]) -> Zeroizing<String> {
    Zeroizing::new(parts.concat())
}

/// `value` as a text.
pub(super) fn text(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kept_in_capitals_unless_quoted() {
        let long = "n".repeat(129);
        #[rustfmt::skip]
        let cases = [
            ("app", Some("APP")), ("\"app\"", Some("app")), ("o'brien; --", Some("O'BRIEN; --")), ("grüße", Some("GRÜSSE")),
            ("", None), ("\"\"", None), ("a\"b", None), ("\"a\"b\"", None), ("\"", None), ("a\0", None), (&long, None),
        ];
        for (user, expected) in cases {
            assert_eq!(kept(user).ok().as_deref(), expected, "{user:?}");
        }
        // What the engine appends to a quoted name makes none.
        assert!(kept("\"app\"_CLONE").is_err());
    }

    #[test]
    fn a_password_with_a_quote_is_never_said() {
        let given =
            |it: &str| password(&Sensitive::from(it.to_owned())).map(|it| it.to_string()).ok();
        assert_eq!(given("a'b; --\\"), Some("\"a'b; --\\\"".to_owned()));
        for wrong in ["", "a\"b", "a\0b"] {
            assert_eq!(given(wrong), None);
        }
    }
}
