//! AddRoleToInstanceProfile: gives an instance profile its role.

use crate::entities::Role;
use crate::iam::holder::{self, Holder};
use crate::iam::{Error, SOURCE, documents, names, profiles};
use policy::engine::Values;
use service::{Action, Answer, Call, Operation, Target, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Which profile, and which role.
    pub struct AddRoleToInstanceProfile {
        instance_profile_name: Text,
        role_name: Text,
    }
}

impl Operation for AddRoleToInstanceProfile {
    const NAME: &'static str = "AddRoleToInstanceProfile";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:AddRoleToInstanceProfile");
    const READ_ONLY: bool = false;
    type Output = ();
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::required(found, "instanceProfileName", self.instance_profile_name.as_ref(), 128);
        names::required(found, "roleName", self.role_name.as_ref(), 64);
    }

    fn condition(&self, key: &str) -> Option<Values<'_>> {
        (key == "iam:passedtoservice").then(|| Values::one("ec2.amazonaws.com"))
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<()>, Error> {
        let (permit, profile) =
            profiles::admit(call, txn, self, self.instance_profile_name.as_ref()).await?;
        let account = &call.caller.account;
        let name = self.role_name.as_ref().map_or("", Text::as_str);
        let role = Role::find(txn, account, name).await?;
        let unfound = format!("arn:aws:iam::{account}:role/{name}");
        let arn = role.as_ref().map_or(unfound.as_str(), |it| &it.arn);
        // Whoever uses the profile becomes the role.
        call.permit(self, PASS_ROLE, Target::of(account, Some(arn)))?;
        let role = holder::found(name, role).own()?;
        if profile.role.is_some() {
            return Err(documents::exceeded("InstanceSessionsPerInstanceProfile", 1));
        }
        profiles::set_role(txn, account, profile, Some(&role.name))?;
        Ok(Answer::new(permit, ()))
    }
}

const PASS_ROLE: Action = Action("iam:PassRole");
