//! ListCrls: the revocation lists of the caller's account in this Region.

use super::SOURCE;
use crate::kept::{self, Page};
use crate::rows::Crl;
use crate::{Error, limits};
use service::{Action, Answer, Call, Operation, rest_input};
use store::Txn;
use wire::Violations;
use wire::members::{Integer, Text};

rest_input! {
    /// How many, and from where.
    pub struct ListCrls {
        next_token: Text,
        page_size: Integer,
    }
}

impl Operation for ListCrls {
    const NAME: &'static str = "ListCrls";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("rolesanywhere:ListCrls");
    const READ_ONLY: bool = true;
    type Output = Page<Crl>;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        limits::page(found, self.next_token.as_ref());
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Page<Crl>>, Error> {
        let permit = call.admit(self, call.own_account())?;
        let page = kept::page(call, txn, (self.page_size, self.next_token.as_ref())).await?;
        Ok(Answer::new(permit, page))
    }
}
