//! MariaDB: the sessions of [`crate::mysql`], and its own way with passwords.

mod methods;

pub(crate) use methods::{admit, change, change_own, create, methods, quoted};

use crate::mysql::Link;
use crate::{Credential, Dialect, Failure, Rotator, Session, Trust};
use async_trait::async_trait;

/// MariaDB. A server of MySQL behind it is treated as what it is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct MariaDb;

pub(crate) static DIALECT: Dialect =
    Dialect { name: "MariaDB", engines: &["mariadb"], longest_name: 80, ..crate::mysql::DIALECT };

#[async_trait]
impl Rotator for MariaDb {
    fn dialect(&self) -> &'static Dialect {
        &DIALECT
    }

    async fn connect(
        &self,
        login: &Credential,
        trust: &Trust,
    ) -> Result<Box<dyn Session>, Failure> {
        Ok(Box::new(Link::open(login, trust, &DIALECT).await?))
    }
}
