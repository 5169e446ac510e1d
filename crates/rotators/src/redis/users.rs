//! What the server keeps of its users: a line of rules each, as `ACL LIST` prints it.

use super::link::Link;
use crate::Failure;
use crate::marker::{hexadecimal, mark};
use aws_lc_rs::digest::{SHA256, digest};
use redis::Value;

/// A user's rules, in the server's order.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rules(Vec<String>);

impl Rules {
    /// Those of `user`; `None` if there is none.
    pub(super) async fn find(link: &mut Link, user: &str) -> Result<Option<Self>, Failure> {
        let Value::Array(lines) = link.ask(&["ACL", "LIST"]).await? else {
            return Err(Failure::Refused("the server's users can't be understood".to_owned()));
        };
        Ok(lines.iter().filter_map(text).find_map(|it| Self::parse(it, user)))
    }

    /// Reads `line` if it is about `user`. No name and no rule has a blank.
    fn parse(line: &str, user: &str) -> Option<Self> {
        let rest = line.strip_prefix("user ")?.strip_prefix(user)?.strip_prefix(' ')?;
        Some(Self(rest.split_ascii_whitespace().map(str::to_owned).collect()))
    }

    /// What the user may do: everything but with what it logs in, and whether it may.
    pub(super) fn rights(&self) -> impl Iterator<Item = &str> {
        let login = |it: &&str| matches!(*it, "on" | "off" | "nopass") || it.starts_with('#');
        self.0.iter().map(String::as_str).filter(move |it| !login(it))
    }

    /// Whether a password with this hash is one of the user's.
    pub(super) fn has(&self, hash: &str) -> bool {
        self.0.iter().any(|it| it.strip_prefix('#') == Some(hash))
    }

    /// Whether the user was made here, to be what `like` is.
    pub(super) fn made_after(&self, like: &str) -> bool {
        self.has(&mark(like, 32))
    }
}

/// What the server keeps of `password`. Known to any reader of its rules, so it tells nothing of a password that
/// was drawn by chance.
pub(super) fn hash(password: &[u8]) -> String {
    hexadecimal(digest(&SHA256, password).as_ref())
}

/// A text among the server's answers.
pub(super) fn text(value: &Value) -> Option<&str> {
    match value {
        Value::BulkString(bytes) => str::from_utf8(bytes).ok(),
        Value::SimpleString(text) | Value::VerbatimString { text, .. } => Some(text),
        _ => None,
    }
}

/// `user`, if a server could have it.
pub(super) fn usable(user: &str, longest: usize) -> Result<(), Failure> {
    let invalid = |it: &str| Err(Failure::Invalid(format!("the user's name {it}")));
    match user {
        "" => invalid("is empty"),
        _ if longest < user.len() => invalid(&format!("has more than {longest} bytes")),
        // As the server sees blanks: not those of Unicode.
        _ if user.bytes().any(|it| it == 0 || it == 0x0b || it.is_ascii_whitespace()) => {
            invalid("holds a blank or a NUL")
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_of_one_user() {
        let line =
            "user app on sanitize-payload #ab #cd ~k* %R~r resetchannels &c -@all +get (~y +set)";
        let it = Rules::parse(line, "app").expect("rules");
        let rights: Vec<_> = it.rights().collect();
        let expected = [
            "sanitize-payload",
            "~k*",
            "%R~r",
            "resetchannels",
            "&c",
            "-@all",
            "+get",
            "(~y",
            "+set)",
        ];
        assert_eq!(rights, expected);
        assert!(it.has("ab") && it.has("cd") && !it.has("ef") && !it.has(""));
        for other in ["ap", "app ", "app2", ""] {
            assert_eq!(Rules::parse(line, other), None, "{other}");
        }
    }

    #[test]
    fn who_was_made_here_has_a_mark() {
        let line = format!("user app_clone on #{} +@all", mark("app", 32));
        let it = Rules::parse(&line, "app_clone").expect("rules");
        assert!(it.made_after("app") && !it.made_after("apq"));
    }

    #[test]
    fn a_hash_is_what_the_server_makes() {
        let expected = "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8";
        assert_eq!(hash(b"password"), expected);
    }

    #[test]
    fn names_have_bounds() {
        for (user, fits) in [
            ("", false),
            ("a b", false),
            ("a\tb", false),
            ("a\0", false),
            ("äö", true),
            ("abcdef", false),
        ] {
            assert_eq!(usable(user, 5).is_ok(), fits, "{user:?}");
        }
    }
}
