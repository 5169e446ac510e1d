//! The crate from outside: official vectors, AWS's error table, and random requests.

// `cfg(test)` tells the lints that helpers are test code, too.
#[cfg(test)]
mod certificates;
#[cfg(test)]
mod message;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod rejections;
#[cfg(test)]
mod vectors;
