//! DeleteGroup: removes a group that has no users and no policies.

use crate::entities;
use crate::entities::Group;
use crate::iam::{Error, SOURCE, holder, members, names};
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Which group.
    pub struct DeleteGroup {
        group_name: Text,
    }
}

impl Operation for DeleteGroup {
    const NAME: &'static str = "DeleteGroup";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:DeleteGroup");
    const READ_ONLY: bool = false;
    type Output = ();
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::required(found, "groupName", self.group_name.as_ref(), 128);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<()>, Error> {
        let (permit, found) =
            holder::admit::<Group, _>(call, txn, self, self.group_name.as_ref()).await?;
        let group = found.existing()?;
        let account = &call.caller.account;
        holder::holds_nothing(&*group)?;
        if members::any(txn, account, &group.name).await? {
            return Err(Error::Hangs(holder::REFERENCED));
        }
        txn.remove(&entities::groups(), &(account, &group.name));
        entities::changed(txn, account, call.entropy)?;
        Ok(Answer::new(permit, ()))
    }
}
