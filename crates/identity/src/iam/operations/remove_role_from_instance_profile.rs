//! RemoveRoleFromInstanceProfile: takes the role from an instance profile.

use crate::iam::{Error, SOURCE, names, profiles};
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Which profile, and which role.
    pub struct RemoveRoleFromInstanceProfile {
        instance_profile_name: Text,
        role_name: Text,
    }
}

impl Operation for RemoveRoleFromInstanceProfile {
    const NAME: &'static str = "RemoveRoleFromInstanceProfile";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:RemoveRoleFromInstanceProfile");
    const READ_ONLY: bool = false;
    type Output = ();
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::required(found, "instanceProfileName", self.instance_profile_name.as_ref(), 128);
        names::required(found, "roleName", self.role_name.as_ref(), 64);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<()>, Error> {
        let (permit, profile) =
            profiles::admit(call, txn, self, self.instance_profile_name.as_ref()).await?;
        let name = self.role_name.as_ref().map_or("", Text::as_str);
        if !profile.role.as_ref().is_some_and(|it| it.eq_ignore_ascii_case(name)) {
            return Err(Error::NotFound { what: "role".to_owned(), name: name.to_owned() });
        }
        profiles::set_role(txn, &call.caller.account, profile, None)?;
        Ok(Answer::new(permit, ()))
    }
}
