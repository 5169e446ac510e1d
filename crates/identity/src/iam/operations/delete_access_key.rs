//! DeleteAccessKey: removes an access key, from the next request on.

use crate::iam::{Error, SOURCE, keys, names};
use crate::{access_key, last_use};
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Which key.
    pub struct DeleteAccessKey {
        user_name: Text,
        access_key_id: Text,
    }
}

impl Operation for DeleteAccessKey {
    const NAME: &'static str = "DeleteAccessKey";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:DeleteAccessKey");
    const READ_ONLY: bool = false;
    type Output = ();
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::optional(found, "userName", self.user_name.as_ref(), 128);
        keys::constraints(found, self.access_key_id.as_ref());
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<()>, Error> {
        let (permit, user) = keys::admit_owner(call, txn, self, self.user_name.as_ref()).await?;
        let key = keys::load(txn, &user, self.access_key_id.as_ref()).await?;
        access_key::remove(txn, &key.id);
        last_use::forget(txn, &key.account, &key.id);
        Ok(Answer::new(permit, ()))
    }
}
