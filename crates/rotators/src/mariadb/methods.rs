//! By what an account of MariaDB logs in, and how it is told of passwords: as hashes, made here.

use crate::Failure;
use crate::marker::{hexadecimal, mark, other};
use crate::mysql::{Account, Link, secret};
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use zeroize::Zeroizing;

const BY_PASSWORD: &str = "mysql_native_password";

/// Ways in, of which each suffices: a plugin, and what it compares with.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Methods(Vec<(String, String)>);

impl Methods {
    /// Whether the account was made here, to be what `like` is.
    pub(crate) fn made_after(&self, like: &str) -> bool {
        let mark = marked(like);
        self.0.iter().any(|it| it.1.eq_ignore_ascii_case(&mark))
    }

    /// That it can be told of other passwords without losing another way in.
    pub(crate) fn only_passwords(&self, account: &Account) -> Result<(), Failure> {
        match self.0.iter().find(|it| it.0 != BY_PASSWORD && !it.0.is_empty()) {
            None => Ok(()),
            Some((plugin, _)) => {
                let told = format!("{account} logs in by `{plugin}`, which would be lost");
                Err(Failure::Refused(format!("{told}: only `{BY_PASSWORD}` is changed")))
            }
        }
    }

    /// Reads the answer of `SHOW CREATE USER`.
    fn parse(told: &str) -> Option<Self> {
        let words = words(told);
        let mut words = words.iter().map(String::as_str).skip_while(|it| *it != "IDENTIFIED");
        match (words.next(), words.next()) {
            // Without any password.
            (None, None) => return Some(Self(Vec::new())),
            (Some(_), Some("BY")) => {
                let (_password, hash) = (words.next()?, words.next()?);
                return Some(Self(vec![(BY_PASSWORD.to_owned(), bare(hash))]));
            }
            (Some(_), Some("VIA")) => {}
            _ => return None,
        }
        let mut methods = Vec::new();
        let mut plugin = words.next();
        while let Some(name) = plugin {
            let mut next = words.next();
            let mut compared = String::new();
            if next == Some("USING") {
                compared = bare(words.next()?);
                next = words.next();
            }
            methods.push((bare(name), compared));
            plugin = if next == Some("OR") { words.next() } else { None };
        }
        Some(Self(methods))
    }
}

/// The words of `text`; what is quoted is in one.
fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for c in text.chars() {
        match quote {
            Some(open) if open == c => quote = None,
            None if matches!(c, '\'' | '`' | '"') => quote = Some(c),
            _ => {}
        }
        match words.last_mut() {
            Some(word) if c != ' ' || quote.is_some() => word.push(c),
            _ => words.push(String::new()),
        }
    }
    words
}

fn bare(word: &str) -> String {
    word.trim_matches(['\'', '`']).to_owned()
}

/// Whether `told` can be read as an answer of `SHOW CREATE USER`.
pub(crate) fn understands(told: &str) -> bool {
    Methods::parse(told).is_some()
}

/// Asks by what `account` logs in.
pub(crate) async fn methods(link: &mut Link, account: &Account) -> Result<Methods, Failure> {
    if link.server.version < (10, 4, 0) {
        return Ok(Methods(Vec::new()));
    }
    let told: Vec<String> = link.ask(&format!("SHOW CREATE USER {account}"), ()).await?;
    let methods = told.first().and_then(|it| Methods::parse(it));
    methods.ok_or_else(|| Failure::Refused(format!("how {account} logs in can't be understood")))
}

/// What the server keeps of `password`: two rounds of SHA-1. Known to any reader of its tables, so it tells
/// nothing of a password that was drawn by chance.
fn hash(password: &str) -> Zeroizing<String> {
    let once = digest(&SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes());
    let twice = digest(&SHA1_FOR_LEGACY_USE_ONLY, once.as_ref());
    Zeroizing::new(format!("*{}", hexadecimal(twice.as_ref()).to_ascii_uppercase()))
}

/// `password` as it stands after `IDENTIFIED BY`.
pub(crate) fn quoted(password: &str) -> Zeroizing<String> {
    secret(&["PASSWORD '", &hash(password), "'"])
}

/// What stands beside the passwords of a user that was made after `like`.
fn marked(like: &str) -> String {
    format!("*{}", mark(like, 20).to_ascii_uppercase())
}

/// `IDENTIFIED …` by any of these.
fn identified(hashes: &[&str]) -> Zeroizing<String> {
    let ways: Vec<_> = hashes.iter().map(|it| format!("{BY_PASSWORD} USING '{it}'")).collect();
    Zeroizing::new(format!(" IDENTIFIED VIA {}", ways.join(" OR ")))
}

/// Changes the password of who is logged in: its first one, if it has two.
pub(crate) async fn change_own(link: &mut Link, to: &str) -> Result<(), Failure> {
    link.run_secret(&secret(&["SET PASSWORD = '", &hash(to), "'"])).await
}

/// Gives `account` the password `to`, and no other but `keep`.
pub(crate) async fn change(
    link: &mut Link,
    account: &Account,
    to: &str,
    keep: Option<&str>,
) -> Result<(), Failure> {
    if !link.server.overlaps() {
        let head = format!("SET PASSWORD FOR {account} = '");
        return link.run_secret(&secret(&[&head, &hash(to), "'"])).await;
    }
    let had = methods(link, account).await?;
    had.only_passwords(account)?;
    let (to, keep) = (hash(to), keep.map(hash));
    // The server doesn't remember whom it was made after, but compares with what would be.
    let mark = had.0.iter().map(|it| it.1.as_str()).find(|it| is_mark(account, it));
    let keep = keep.as_ref().map(|it| it.as_str());
    let all: Vec<_> = [Some(to.as_str()), keep, mark].into_iter().flatten().collect();
    link.run_secret(&secret(&[&format!("ALTER USER {account}"), &identified(&all)])).await
}

/// Whether `compared` is the mark of `account`: made after the one that it alternates with.
fn is_mark(account: &Account, compared: &str) -> bool {
    compared.eq_ignore_ascii_case(&marked(&other(&account.user, super::DIALECT.suffix)))
}

/// Makes `user`, marked as made after `like`, and not able to log in yet.
pub(crate) async fn create(
    link: &mut Link,
    user: &Account,
    like: &str,
    password: &str,
    conditions: &str,
) -> Result<(), Failure> {
    let ways = identified(&[&hash(password), &marked(like)]);
    let statement = secret(&[&format!("CREATE USER {user}"), &ways, conditions, " ACCOUNT LOCK"]);
    link.run_secret(&statement).await
}

/// Gives `user` the password and no other; it keeps, or gets, the mark of one made after `like`.
pub(crate) async fn admit(
    link: &mut Link,
    user: &Account,
    password: &str,
    like: Option<&str>,
) -> Result<(), Failure> {
    methods(link, user).await?.only_passwords(user)?;
    let (hash, mark) = (hash(password), like.map(marked));
    let ways: Vec<&str> = [Some(hash.as_str()), mark.as_deref()].into_iter().flatten().collect();
    let unlock = if like.is_some() { " ACCOUNT UNLOCK" } else { "" };
    let head = format!("ALTER USER {user}");
    link.run_secret(&secret(&[&head, &identified(&ways), unlock])).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_in_are_read() {
        let way = |plugin: &str, compared: &str| (plugin.to_owned(), compared.to_owned());
        #[rustfmt::skip]
        let cases = [
            ("CREATE USER `a`@`%`", vec![]),
            ("CREATE USER `IDENTIFIED VIA`@`%` IDENTIFIED BY PASSWORD '*AB' REQUIRE SSL", vec![way(BY_PASSWORD, "*AB")]),
            ("CREATE USER `a`@`%` IDENTIFIED VIA unix_socket ACCOUNT LOCK", vec![way("unix_socket", "")]),
            ("CREATE USER `a`@`%` IDENTIFIED VIA mysql_native_password USING '*AB' OR unix_socket OR pam USING 'a OR b' WITH MAX_USER_CONNECTIONS 5",
             vec![way(BY_PASSWORD, "*AB"), way("unix_socket", ""), way("pam", "a OR b")]),
        ];
        for (told, expected) in cases {
            assert_eq!(Methods::parse(told), Some(Methods(expected)), "{told}");
        }
        assert_eq!(Methods::parse("CREATE USER a IDENTIFIED WITH x"), None);
        assert_eq!(Methods::parse("CREATE USER a IDENTIFIED BY PASSWORD"), None);
    }

    #[test]
    fn a_hash_is_what_the_server_makes() {
        // SELECT PASSWORD('password')
        assert_eq!(hash("password").as_str(), "*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19");
    }

    #[test]
    fn who_was_made_here_is_told_by_a_mark() {
        let mark = marked("app");
        let it = Methods(vec![(BY_PASSWORD.to_owned(), mark)]);
        assert!(it.made_after("app"));
        assert!(!it.made_after("apq"));
    }
}
