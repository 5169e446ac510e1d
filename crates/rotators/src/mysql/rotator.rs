//! What a secret of MySQL is changed by.

use super::DIALECT;
use super::Link;
use crate::{Credential, Dialect, Failure, Rotator, Session, Trust};
use async_trait::async_trait;

/// MySQL. A server of MariaDB behind it is treated as what it is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct MySql;

#[async_trait]
impl Rotator for MySql {
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
