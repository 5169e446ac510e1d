//! CreateVirtualMFADevice: makes a virtual device, and shows its seed for the only time.

use crate::iam::tags::{Tag, TagsGiven};
use crate::iam::{Error, SOURCE, documents, holder, keys, names, tags};
use crate::mfa;
use base::Sensitive;
use policy::engine::Values;
use serde::Serialize;
use service::{Action, Answer, Call, Operation, Target, input};
use store::Txn;
use wire::Violations;
use wire::json::blob;
use wire::members::Text;

input! {
    /// What the device is called, and its tags.
    pub struct CreateVirtualMFADevice {
        path: Text,
        #[serde(rename(deserialize = "VirtualMFADeviceName", serialize = "virtualMFADeviceName"))]
        name: Text,
        tags: TagsGiven,
    }
}

/// The new device.
#[derive(Debug, Serialize)]
pub struct Output {
    #[serde(rename = "VirtualMFADevice")]
    virtual_mfa_device: MadeDevice,
}

/// A device with its seed.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct MadeDevice {
    serial_number: String,
    #[serde(serialize_with = "blob")]
    base32_string_seed: Sensitive,
    #[serde(rename = "QRCodePNG", serialize_with = "blob")]
    qr_code_png: Sensitive,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<Tag>,
}

impl Operation for CreateVirtualMFADevice {
    const NAME: &'static str = "CreateVirtualMFADevice";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:CreateVirtualMFADevice");
    const READ_ONLY: bool = false;
    type Output = Output;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::path(found, "path", self.path.as_ref());
        names::required(found, "virtualMFADeviceName", self.name.as_ref(), 226);
        tags::constraints(found, self.tags.as_ref());
    }

    fn condition(&self, key: &str) -> Option<Values<'_>> {
        tags::condition(self.tags.as_ref(), key)
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let account = &call.caller.account;
        let name = self.name.as_ref().map_or("", Text::as_str);
        let serial = holder::arn(account, "mfa", self.path.as_ref(), name);
        let permit = call.admit(self, Target::of(account, Some(&serial)))?;
        tags::permit(call, self, (TAG, &serial), self.tags.as_ref())?;
        if serial.len() > mfa::LONGEST {
            return Err(Error::Invalid(TOO_LONG.to_owned()));
        }
        if mfa::is_taken(txn, account, &serial).await? {
            return Err(Error::Taken(TAKEN.to_owned()));
        }
        if mfa::all(txn, account).await?.len() >= mfa::MOST {
            return Err(documents::exceeded("VirtualMFADevicesPerAccount", mfa::MOST));
        }
        let scope = keys::scope(call);
        let (mut device, seed) = mfa::make(txn, &scope, (&serial, name)).await?;
        device.tags = tags::merged(&Vec::new(), self.tags.as_ref())?;
        mfa::save(txn, account, &device)?;
        let virtual_mfa_device = MadeDevice {
            serial_number: serial,
            base32_string_seed: seed.letters,
            qr_code_png: seed.picture,
            tags: tags::shown(&device.tags),
        };
        Ok(Answer::new(permit, Output { virtual_mfa_device }))
    }

    fn elements(output: &Output) -> Option<serde_json::Value> {
        let serial = &output.virtual_mfa_device.serial_number;
        Some(serde_json::json!({ "virtualMFADevice": { "serialNumber": serial } }))
    }
}

const TAKEN: &str = "MFADevice entity at the same path and name already exists.";
const TOO_LONG: &str = "The serial number of an MFA device can have 256 characters.";

const TAG: Action = Action("iam:TagMFADevice");
