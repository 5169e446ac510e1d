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
#[derive(Debug)]
pub(crate) struct Version {
    pub(crate) id: VersionId,
    pub(crate) created: Timestamp,
    /// The day of its last read, at 00:00 UTC.
    pub(crate) accessed: Option<Timestamp>,
    pub(crate) kind: Kind,
    pub(crate) sealed: Sealed,
}

/// The versions of all secrets of a partition, by secret and id.
pub(crate) fn values<'a>() -> Table<(&'a Place, &'a SecretId, &'a VersionId), Version> {
    Table::new(|(place, secret, version)| {
        place.path("value").with(secret.as_str()).with(version.as_str()).key()
    })
}

/// The keys of all versions of `secret`.
pub(crate) fn versions_of(place: &Place, secret: &SecretId) -> KeyRange {
    KeyRange::prefix(&place.path("value").with(secret.as_str()).below())
}

impl Version {
    /// Notes a read at `now`; tells whether it is the first of its day.
    pub(crate) fn mark_read(&mut self, now: Timestamp) -> bool {
        let first = self.accessed.is_none_or(|day| day < now.day());
        if first {
            self.accessed = Some(now.day());
        }
        first
    }
}

const HEAD: usize = 8 + 8 + 1 + 2;

impl Record for Version {
    const SCHEMA: u16 = 1;

    /// Created and last read (milliseconds, big-endian; never read is the smallest number), kind, the
    /// length of the id, the id, and the sealed value.
    fn encode(&self) -> Result<Vec<u8>, String> {
        let sealed = self.sealed.to_bytes();
        let id = self.id.as_str().as_bytes();
        let mut row = Vec::with_capacity(HEAD + id.len() + sealed.len());
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
        if schema != Self::SCHEMA {
            return Err(format!("schema {schema} is newer than this program"));
        }
        let short = || "too short".to_owned();
        let (created, rest) = bytes.split_first_chunk().ok_or_else(short)?;
        let (accessed, rest) = rest.split_first_chunk().ok_or_else(short)?;
        let (kind, rest) = rest.split_first().ok_or_else(short)?;
        let (length, rest) = rest.split_first_chunk().ok_or_else(short)?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (id, sealed) = rest.split_at_checked(length).ok_or_else(short)?;
        let id = str::from_utf8(id).map_err(|_| "id is not UTF-8".to_owned())?;
        let accessed = i64::from_be_bytes(*accessed);
        Ok(Self {
            id: VersionId(id.to_owned()),
            created: Timestamp::from_millis(i64::from_be_bytes(*created)),
            accessed: (accessed != i64::MIN).then(|| Timestamp::from_millis(accessed)),
            kind: match kind {
                b'b' => Kind::Binary,
                b's' => Kind::String,
                _ => return Err("unknown kind".to_owned()),
            },
            sealed: Sealed::from_bytes(sealed).ok_or_else(|| "not a sealed value".to_owned())?,
        })
    }
}
