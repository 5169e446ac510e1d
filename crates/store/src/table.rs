//! Typed tables.

use crate::Error;
use std::marker::PhantomData;

/// A value that can be stored.
///
/// Old schemas are read for ever and written anew as the current one.
pub trait Record: Sized {
    /// The schema that `encode` writes. Counted up when old readers would misread new values.
    const SCHEMA: u16;

    /// So many bytes of a row, its schema number included, are enough to decode it: no more are copied
    /// for a page.
    ///
    /// Less than all for types that read only how another one begins.
    const HEAD: usize = usize::MAX;

    /// The value as bytes, without its schema number.
    fn encode(&self) -> Result<Vec<u8>, String>;

    /// The value from bytes written under `schema`; the reason if it can't be read.
    fn decode(schema: u16, bytes: &[u8]) -> Result<Self, String>;
}

/// Makes a type that serde can read and write a [`Record`] in JSON.
///
/// `json_record!(Secret, 1);` says: schema 1, no older one exists.
#[macro_export]
macro_rules! json_record {
    ($type:ty, $schema:expr) => {
        impl $crate::Record for $type {
            const SCHEMA: u16 = $schema;

            fn encode(&self) -> Result<Vec<u8>, String> {
                $crate::to_json(self)
            }

            fn decode(schema: u16, bytes: &[u8]) -> Result<Self, String> {
                match schema {
                    1..=$schema => $crate::from_json(bytes),
                    _ => Err(format!("schema {schema} is newer than this program")),
                }
            }
        }
    };
}

#[doc(hidden)]
pub fn to_json<T: serde::Serialize>(value: &T) -> Result<Vec<u8>, String> {
    serde_json::to_vec(value).map_err(|error| error.to_string())
}

#[doc(hidden)]
pub fn from_json<'a, T: serde::Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, String> {
    // The error's text may quote the value: only its kind and place are told.
    serde_json::from_slice(bytes).map_err(|error| {
        format!("{:?} error at line {} column {}", error.classify(), error.line(), error.column())
    })
}

/// The rows whose keys `path` makes from a `K`, holding `V`s.
#[derive(Debug)]
pub struct Table<K: ?Sized, V> {
    path: fn(&K) -> String,
    value: PhantomData<fn() -> V>,
}

impl<K: ?Sized, V: Record> Table<K, V> {
    /// A table whose keys are made by `path`.
    pub const fn new(path: fn(&K) -> String) -> Self {
        Self { path, value: PhantomData }
    }

    /// The key of `key`'s row.
    pub fn key(&self, key: &K) -> String {
        (self.path)(key)
    }
}

/// The stored form of `value`: its schema number, big-endian, and its bytes.
pub(crate) fn encode<V: Record>(key: &str, value: &V) -> Result<Vec<u8>, Error> {
    let corrupt = |reason| Error::Corrupt { key: key.to_owned(), reason };
    let body = value.encode().map_err(corrupt)?;
    let mut row = Vec::with_capacity(2 + body.len());
    row.extend_from_slice(&V::SCHEMA.to_be_bytes());
    row.extend_from_slice(&body);
    Ok(row)
}

/// The value of a stored row.
pub(crate) fn decode<V: Record>(key: &str, row: &[u8]) -> Result<V, Error> {
    let corrupt = |reason| Error::Corrupt { key: key.to_owned(), reason };
    let (schema, body) = head(row, V::HEAD)
        .split_first_chunk()
        .ok_or_else(|| corrupt("no schema number".to_owned()))?;
    V::decode(u16::from_be_bytes(*schema), body).map_err(corrupt)
}

/// The first bytes of `row`, at most so many.
pub(crate) fn head(row: &[u8], most: usize) -> &[u8] {
    row.get(..most).unwrap_or(row)
}
