//! ListProfiles: the profiles of the caller's account in this Region.

use super::SOURCE;
use crate::kept::{self, Page};
use crate::rows::Profile;
use crate::{Error, limits};
use service::{Action, Answer, Call, Operation, rest_input};
use store::Txn;
use wire::Violations;
use wire::members::{Integer, Text};

rest_input! {
    /// How many, and from where.
    pub struct ListProfiles {
        next_token: Text,
        page_size: Integer,
    }
}

impl Operation for ListProfiles {
    const NAME: &'static str = "ListProfiles";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("rolesanywhere:ListProfiles");
    const READ_ONLY: bool = true;
    type Output = Page<Profile>;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        limits::page(found, self.next_token.as_ref());
    }

    async fn run(
        &self,
        call: &Call<'_>,
        txn: &mut Txn<'_>,
    ) -> Result<Answer<Page<Profile>>, Error> {
        let permit = call.admit(self, call.own_account())?;
        let page = kept::page(call, txn, (self.page_size, self.next_token.as_ref())).await?;
        Ok(Answer::new(permit, page))
    }
}
