//! What a secret of MariaDB is changed by.

use super::DIALECT;
use crate::mysql::Link;
use crate::{Credential, Dialect, Failure, Rotator, Session, Trust};
use async_trait::async_trait;

/// MariaDB. A server of MySQL behind it is treated as what it is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct MariaDb;

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
