//! One version of a secret: immutable but for the day it was last read.

use crate::secret::{Place, SecretId};
use crate::stages::VersionId;
use base::Timestamp;
use kms::Sealed;
use store::{KeyRange, Record, Table};

/// Whether a value is text or bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `SecretBinary`.
    Binary,
    /// `SecretString`.
    String,
}

/// A version's row.
#[derive(Clone, Debug)]
pub(crate) struct Version {
    pub(crate) id: VersionId,
    pub(crate) created: Timestamp,
    /// The day of its last read, at 00:00 UTC.
    pub(crate) accessed: Option<Timestamp>,
    pub(crate) kind: Kind,
    pub(crate) sealed: Sealed,
}

/// What a version's row says before the sealed value: to look through many versions without their
/// values, and without a further row for each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) id: VersionId,
    pub(crate) created: Timestamp,
    pub(crate) accessed: Option<Timestamp>,
    kind: Kind,
}

/// The versions of all secrets of a partition, by secret and id.
pub(crate) fn values<'a>() -> Table<(&'a Place, &'a SecretId, &'a VersionId), Version> {
    Table::new(|(place, secret, version)| key(place, secret, version))
}

/// The same rows, of which only the heads are read.
pub(crate) fn heads<'a>() -> Table<(&'a Place, &'a SecretId, &'a VersionId), Head> {
    Table::new(|(place, secret, version)| key(place, secret, version))
}

fn key(place: &Place, secret: &SecretId, version: &VersionId) -> String {
    place.path("value").with(secret.as_str()).with(version.as_str()).key()
}

/// The keys of all versions of `secret`.
pub(crate) fn versions_of(place: &Place, secret: &SecretId) -> KeyRange {
    KeyRange::prefix(&place.path("value").with(secret.as_str()).below())
}

impl Version {
    /// Whether a read at `now` would be the first of its day.
    pub(crate) fn unread(&self, now: Timestamp) -> bool {
        self.accessed.is_none_or(|day| day < now.day())
    }

    /// Notes a read at `now`.
    pub(crate) fn mark_read(&mut self, now: Timestamp) {
        self.accessed = self.accessed.max(Some(now.day()));
    }
}

/// What stands before the id.
const FIXED: usize = 8 + 8 + 1 + 2;
/// An id of 64 characters.
const LONGEST_ID: usize = 64 * 4;

impl Record for Version {
    const SCHEMA: u16 = 1;

    /// Created and last read (milliseconds, big-endian; never read is the smallest number), kind, the
    /// length of the id, the id, and the sealed value.
    fn encode(&self) -> Result<Vec<u8>, String> {
        let sealed = self.sealed.to_bytes();
        let id = self.id.as_str().as_bytes();
        let mut row = Vec::with_capacity(FIXED + id.len() + sealed.len());
        row.extend_from_slice(&self.created.millis().to_be_bytes());
        row.extend_from_slice(&self.accessed.map_or(i64::MIN, Timestamp::millis).to_be_bytes());
        row.push(match self.kind {
            Kind::Binary => b'b',
            Kind::String => b's',
        });
        let length = u16::try_from(id.len()).map_err(|_| "id too long".to_owned())?;
        row.extend_from_slice(&length.to_be_bytes());
        row.extend_from_slice(id);
        row.extend_from_slice(&sealed);
        Ok(row)
    }

    fn decode(schema: u16, bytes: &[u8]) -> Result<Self, String> {
        let (head, sealed) = split(schema, bytes)?;
        let Head { id, created, accessed, kind } = head;
        let sealed = Sealed::from_bytes(sealed).ok_or_else(|| "not a sealed value".to_owned())?;
        Ok(Self { id, created, accessed, kind, sealed })
    }
}

impl Record for Head {
    const SCHEMA: u16 = Version::SCHEMA;
    const HEAD: usize = 2 + FIXED + LONGEST_ID;

    fn encode(&self) -> Result<Vec<u8>, String> {
        Err("a head is written with its version".to_owned())
    }

    fn decode(schema: u16, bytes: &[u8]) -> Result<Self, String> {
        split(schema, bytes).map(|(head, _)| head)
    }
}

/// A row's head and what follows it.
fn split(schema: u16, bytes: &[u8]) -> Result<(Head, &[u8]), String> {
    if schema != Version::SCHEMA {
        return Err(format!("schema {schema} is newer than this program"));
    }
    let short = || "too short".to_owned();
    let (created, rest) = bytes.split_first_chunk().ok_or_else(short)?;
    let (accessed, rest) = rest.split_first_chunk().ok_or_else(short)?;
    let (kind, rest) = rest.split_first().ok_or_else(short)?;
    let (length, rest) = rest.split_first_chunk().ok_or_else(short)?;
    let length = usize::from(u16::from_be_bytes(*length));
    let (id, rest) = rest.split_at_checked(length).ok_or_else(short)?;
    let id = str::from_utf8(id).map_err(|_| "id is not UTF-8".to_owned())?;
    let accessed = i64::from_be_bytes(*accessed);
    let head = Head {
        id: VersionId(id.to_owned()),
        created: Timestamp::from_millis(i64::from_be_bytes(*created)),
        accessed: (accessed != i64::MIN).then(|| Timestamp::from_millis(accessed)),
        kind: match kind {
            b'b' => Kind::Binary,
            b's' => Kind::String,
            _ => return Err("unknown kind".to_owned()),
        },
    };
    Ok((head, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row of a version whose id is `id`; what follows the head is no sealed value.
    fn row(id: &str, accessed: i64, rest: &[u8]) -> Vec<u8> {
        let id = id.as_bytes();
        let length = u16::try_from(id.len()).expect("short").to_be_bytes();
        [&7_i64.to_be_bytes()[..], &accessed.to_be_bytes(), b"s", &length, id, rest].concat()
    }

    #[test]
    fn a_head_is_read_from_so_many_bytes_and_not_from_fewer() {
        let longest = "\u{10ffff}".repeat(64);
        for (id, accessed, shown) in
            [("one", i64::MIN, None), (longest.as_str(), 86_400_000, Some(86_400_000))]
        {
            let row = row(id, accessed, &[b'x'; 1000]);
            let cut = &row[..Head::HEAD - 2];
            let head = Head::decode(Version::SCHEMA, cut).expect("enough");
            assert_eq!((head.id.as_str(), head.created.millis()), (id, 7));
            assert_eq!(head.accessed.map(Timestamp::millis), shown);
            for length in 0..FIXED + id.len() {
                assert!(Head::decode(Version::SCHEMA, &row[..length]).is_err(), "{id} at {length}");
            }
            assert!(Head::decode(Version::SCHEMA + 1, &row).is_err());
            assert!(Version::decode(Version::SCHEMA, &row).is_err(), "a head makes no version");
        }
    }
}
