//! ResyncMFADevice: sets the clock of a user's device right, by two codes in a row.

use crate::iam::{Error, SOURCE, devices, holder};
use crate::mfa::Codes;
use crate::user::User;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::{SecretText, Text};

input! {
    /// Whose, which device, and what it shows.
    pub struct ResyncMFADevice {
        user_name: Text,
        serial_number: Text,
        #[serde(skip_serializing)]
        authentication_code1: SecretText,
        #[serde(skip_serializing)]
        authentication_code2: SecretText,
    }
}

impl Operation for ResyncMFADevice {
    const NAME: &'static str = "ResyncMFADevice";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:ResyncMFADevice");
    const READ_ONLY: bool = false;
    type Output = ();
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        let which = (self.user_name.as_ref(), self.serial_number.as_ref());
        devices::constraints(found, which, self.codes());
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<()>, Error> {
        let (permit, found) =
            holder::admit::<User, _>(call, txn, self, self.user_name.as_ref()).await?;
        let user = found.existing()?;
        let mut device = devices::load_of(call, txn, &user, self.serial_number.as_ref()).await?;
        let codes = Codes::Resync(devices::both(self.codes())?);
        devices::prove(call, txn, &mut device, codes).await?;
        Ok(Answer::new(permit, ()))
    }
}

impl ResyncMFADevice {
    fn codes(&self) -> devices::Shown<'_> {
        [self.authentication_code1.as_ref(), self.authentication_code2.as_ref()]
    }
}
