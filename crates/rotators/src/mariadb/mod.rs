//! MariaDB: the sessions of [`crate::mysql`], and its own way with passwords.

mod methods;
#[cfg(feature = "mariadb")]
mod rotator;

pub(crate) use methods::{admit, change, change_own, create, methods, quoted, understands};
#[cfg(feature = "mariadb")]
pub(crate) use rotator::MariaDb;

use crate::Dialect;

pub(crate) static DIALECT: Dialect =
    Dialect { name: "MariaDB", engines: &["mariadb"], longest_name: 80, ..crate::mysql::DIALECT };
