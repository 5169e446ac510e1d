//! UpdateFunctionCode: another package for a function.

use super::SOURCE;
use crate::given::{self, SourceCode, not_built};
use crate::shown::{Configuration, configuration};
use crate::{Error, arrived, limits, lookup};
use base::Uuid;
use serde_json::Value;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::{Blob, Boolean, List, Text};

input! {
    /// Whose code, and which. The code stands in no record.
    pub struct UpdateFunctionCode {
        function_name: Text,
        #[serde(skip_serializing)]
        zip_file: Blob,
        s3_bucket: Text,
        s3_key: Text,
        s3_object_version: Text,
        s3_object_storage_mode: Text,
        image_uri: Text,
        architectures: List<Text>,
        publish: Boolean,
        publish_to: Value,
        dry_run: Boolean,
        revision_id: Text,
        #[serde(rename(deserialize = "SourceKMSKeyArn", serialize = "sourceKMSKeyArn"))]
        source_kms_key_arn: Value,
    }
}

impl Operation for UpdateFunctionCode {
    const NAME: &'static str = "UpdateFunctionCode";
    const SOURCE: &'static str = SOURCE;
    const RECORDED: &'static str = "UpdateFunctionCode20150331v2";
    const ACTION: Action = Action("lambda:UpdateFunctionCode");
    const READ_ONLY: bool = false;
    type Output = Configuration;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        limits::function(found, self.function_name.as_ref());
        limits::architectures(found, self.architectures.as_ref());
    }

    async fn run(
        &self,
        call: &Call<'_>,
        txn: &mut Txn<'_>,
    ) -> Result<Answer<Configuration>, Error> {
        let (permit, found) =
            lookup::admit(call, txn, self, (self.function_name.as_ref(), None)).await?;
        given::not_switched("Publish", self.publish)?;
        not_built(&[
            ("PublishTo", self.publish_to.as_ref()),
            ("SourceKMSKeyArn", self.source_kms_key_arn.as_ref()),
        ])?;
        let former = found.unchanged(self.revision_id.as_ref())?;
        SourceCode::refuse_elsewhere(
            self.s3_bucket.is_some() || self.s3_key.is_some(),
            self.image_uri.is_some(),
        )?;
        let package = arrived::looked_at(call, self.zip_file.as_ref()).await?;
        let mut changed = former.clone();
        changed.code = package.0.clone();
        if let Some(architecture) = given::architecture(self.architectures.as_ref()) {
            changed.architecture = architecture;
        }
        if !self.dry_run.is_some_and(Boolean::get) {
            changed.touch(call.now, Uuid::random(call.entropy));
            arrived::kept(call, package).await?;
            changed.save(txn, Some(&former))?;
        }
        Ok(Answer::new(permit, configuration(call, txn, &changed, None).await?))
    }

    fn elements(output: &Configuration) -> Option<Value> {
        Some(output.told())
    }
}
