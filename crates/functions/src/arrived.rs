//! A package as it arrives: looked at, and kept.

use crate::function::Code;
use crate::package::{self, Unfit};
use crate::{Error, Machine, limits};
use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use service::{Call, Slow};
use std::fmt::Write;
use wire::members::Blob;

/// The package that was uploaded, if it is one.
pub(crate) async fn looked_at(
    call: &Call<'_>,
    given: Option<&Blob>,
) -> Result<(Code, Bytes), Error> {
    let missing = || Error::Invalid("Please provide a source for function code.".to_owned());
    let package = Bytes::copy_from_slice(given.ok_or_else(missing)?.value().expose());
    if limits::PACKAGE < package.len() {
        let text = "Package size must be smaller than 52428800 bytes";
        return Err(Error::Invalid(text.to_owned()));
    }
    let of_it = package.clone();
    let work = move || package::inspect(&of_it).map(|()| digest(&SHA256, &of_it));
    let ended = || Error::Storage(std::io::Error::other("the process ends"));
    let slow = Slow::of(&call.caller.account).ok_or(Error::Busy)?;
    let looked = slow.run(work).await.ok_or_else(ended)?;
    let hash = looked.map_err(|unfit| match unfit {
        Unfit::Io(error) => Error::Storage(error),
        unfit => Error::Invalid(unfit.to_string()),
    })?;
    let mut sha256 = String::with_capacity(64);
    for byte in hash.as_ref() {
        let _infallible = write!(sha256, "{byte:02x}");
    }
    Ok((Code { sha256, bytes: u64::try_from(package.len()).unwrap_or(u64::MAX) }, package))
}

/// Keeps it: when this returns, it is on disk.
pub(crate) async fn kept(call: &Call<'_>, (code, package): (Code, Bytes)) -> Result<Code, Error> {
    let machine = machine(call)?;
    machine.code.keep(&code.sha256, package).await.map_err(Error::Storage)?;
    Ok(code)
}

/// What the server has handed in.
pub(crate) fn machine<'a>(call: &Call<'a>) -> Result<&'a Machine, Error> {
    let missing = || Error::Storage(std::io::Error::other("no machine was handed in"));
    call.port::<Machine>().ok_or_else(missing)
}
