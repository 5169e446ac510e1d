//! Sealed bytes as base64, as rows hold them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize as _, Deserializer, Serializer, de};
use std::borrow::Cow;

pub(crate) fn serialize<S: Serializer>(bytes: &[u8], out: S) -> Result<S::Ok, S::Error> {
    out.serialize_str(&STANDARD.encode(bytes))
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<u8>, D::Error> {
    let text = Cow::<'de, str>::deserialize(input)?;
    STANDARD.decode(&*text).map_err(|_| de::Error::custom("not base64"))
}
