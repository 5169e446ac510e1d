//! ListInstanceProfiles: the instance profiles of the account.

use crate::iam::page::Ask;
use crate::iam::profiles::{self, Profile};
use crate::iam::shown::ProfilePage;
use crate::iam::{Error, SOURCE, names, page};
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::{Integer, Text};

input! {
    /// Below which path, and from where.
    pub struct ListInstanceProfiles {
        path_prefix: Text,
        marker: Text,
        max_items: Integer,
    }
}

impl Operation for ListInstanceProfiles {
    const NAME: &'static str = "ListInstanceProfiles";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:ListInstanceProfiles");
    const READ_ONLY: bool = true;
    type Output = ProfilePage;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::prefix(found, self.path_prefix.as_ref());
        page::constraints(found, self.marker.as_ref(), self.max_items);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<ProfilePage>, Error> {
        let permit = call.admit(self, call.own_account())?;
        let account = &call.caller.account;
        let ask = Ask::of(Self::NAME, self.marker.as_ref(), self.max_items);
        let under = self.path_prefix.as_ref().map_or("/", Text::as_str);
        let wants = |it: &Profile| it.path.starts_with(under);
        let (found, marker) = ask.of_rows(txn, &profiles::prefix(account), wants).await?;
        let shown = profiles::shown(txn, account, found).await?;
        Ok(Answer::new(permit, ProfilePage::of(shown, marker)))
    }
}
