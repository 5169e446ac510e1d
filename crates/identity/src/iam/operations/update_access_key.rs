//! UpdateAccessKey: makes an access key active or inactive, from the next request on.

use crate::access_key;
use crate::access_key::Status;
use crate::iam::{Error, SOURCE, keys, names};
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Which key, and what it becomes.
    pub struct UpdateAccessKey {
        user_name: Text,
        access_key_id: Text,
        status: Text,
    }
}

impl Operation for UpdateAccessKey {
    const NAME: &'static str = "UpdateAccessKey";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:UpdateAccessKey");
    const READ_ONLY: bool = false;
    type Output = ();
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::optional(found, "userName", self.user_name.as_ref(), 128);
        keys::constraints(found, self.access_key_id.as_ref());
        found.required("status", self.status.as_ref());
        found.one_of("status", self.status.as_ref(), &["Active", "Inactive", "Expired"]);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<()>, Error> {
        let (permit, user) = keys::admit_owner(call, txn, self, self.user_name.as_ref()).await?;
        let key = keys::load(txn, &user, self.access_key_id.as_ref()).await?;
        let status = match self.status.as_ref().map(Text::as_str) {
            Some("Active") => Status::Active,
            Some("Inactive") => Status::Inactive,
            _ => return Err(Error::Input("An access key can't be made to expire.")),
        };
        access_key::set_status(txn, &key.id, status).await?;
        Ok(Answer::new(permit, ()))
    }
}
