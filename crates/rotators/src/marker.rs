//! How a user that was made here is told from somebody else's, where a server keeps no remark on users.
//!
//! Such a user has, beside its passwords, a hash that is no hash of any password: a digest by another
//! function. Finding a password for it is as hard as inverting the server's hash, and whoever may write it
//! may set passwords anyway. It comes into being in the same statement as the user, and names the user that
//! the rights were copied from.

#[cfg(any(feature = "mysql", feature = "mariadb", feature = "redis"))]
use aws_lc_rs::digest::{SHA512, digest};

#[cfg(any(feature = "mysql", feature = "mariadb", feature = "redis"))]
/// The first `length` bytes of the mark of a user that was made to be what `like` is, in hexadecimal digits.
pub(crate) fn mark(like: &str, length: usize) -> String {
    let digest = digest(&SHA512, format!("strongroom: made after {like}").as_bytes());
    hexadecimal(digest.as_ref().get(..length).unwrap_or_default())
}

/// `bytes` as digits.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|it| [it >> 4, it & 15]);
    digits.filter_map(|it| DIGITS.get(usize::from(it))).map(|it| char::from(*it)).collect()
}

#[cfg(any(feature = "mysql", feature = "mariadb", feature = "redis"))]
/// The name that `user` alternates with.
#[cfg(any(feature = "mysql", feature = "mariadb", feature = "redis"))]
pub(crate) fn other(user: &str, suffix: &str) -> String {
    user.strip_suffix(suffix).map_or_else(|| format!("{user}{suffix}"), str::to_owned)
}

#[cfg(all(test, any(feature = "mysql", feature = "mariadb", feature = "redis")))]
mod tests {
    use super::*;

    #[test]
    fn marks_follow_from_names_and_must_not_change() {
        assert_eq!(mark("app", 20).len(), 40);
        assert_eq!(
            mark("app", 32),
            "9c8e9e47dd3633ae54e7c079a543c16c0eefb99be4edbdd3ae6c0b23182f309c"
        );
        assert_ne!(mark("app", 20), mark("apq", 20));
    }
}
