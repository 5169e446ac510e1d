//! The KMS API: who may do what, what keys do, and what the wire says.

#[cfg(test)]
mod aliases;
#[cfg(test)]
mod audit;
#[cfg(test)]
mod authorization;
#[cfg(test)]
mod crypto;
#[cfg(test)]
mod desk;
#[cfg(test)]
mod grants;
#[cfg(test)]
mod import;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod lifecycle;
