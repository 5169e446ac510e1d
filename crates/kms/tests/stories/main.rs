//! Keys and values over a whole store, with faults.

#[cfg(test)]
mod partition_keys;
#[cfg(test)]
#[cfg(feature = "pkcs11")]
mod pkcs11;
#[cfg(test)]
mod recovery;
#[cfg(test)]
mod root_file;
#[cfg(test)]
mod root_key;
#[cfg(test)]
mod rotation;
#[cfg(test)]
mod support;
#[cfg(test)]
mod values;
