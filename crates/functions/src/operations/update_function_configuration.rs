//! UpdateFunctionConfiguration: how a function runs from now on.

use super::SOURCE;
use crate::given::{self, Settings};
use crate::shown::{Configuration, configuration};
use crate::{Error, function, limits, lookup};
use base::Uuid;
use serde_json::Value;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::{Integer, Structure, Text};

input! {
    /// Whose, and what changes. The environment stands in no record.
    pub struct UpdateFunctionConfiguration {
        function_name: Text,
        role: Text,
        handler: Text,
        description: Text,
        timeout: Integer,
        memory_size: Integer,
        vpc_config: Value,
        #[serde(skip_serializing)]
        environment: function::Given,
        runtime: Text,
        dead_letter_config: Value,
        #[serde(rename(deserialize = "KMSKeyArn", serialize = "kMSKeyArn"))]
        kms_key_arn: Value,
        tracing_config: Structure<given::Tracing>,
        revision_id: Text,
        layers: Value,
        file_system_configs: Value,
        image_config: Value,
        ephemeral_storage: Structure<given::Storage>,
        snap_start: Value,
        logging_config: Structure<given::LoggingConfig>,
        capacity_provider_config: Value,
        durable_config: Value,
        runtime_config: Value,
        accelerator_config: Value,
    }
}

impl Operation for UpdateFunctionConfiguration {
    const NAME: &'static str = "UpdateFunctionConfiguration";
    const SOURCE: &'static str = SOURCE;
    const RECORDED: &'static str = "UpdateFunctionConfiguration20150331v2";
    const ACTION: Action = Action("lambda:UpdateFunctionConfiguration");
    const READ_ONLY: bool = false;
    type Output = Configuration;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        limits::function(found, self.function_name.as_ref());
        limits::role(found, self.role.as_ref());
        self.settings().constraints(found);
    }

    async fn run(
        &self,
        call: &Call<'_>,
        txn: &mut Txn<'_>,
    ) -> Result<Answer<Configuration>, Error> {
        let (permit, found) =
            lookup::admit(call, txn, self, (self.function_name.as_ref(), None)).await?;
        let passed = (self.role.as_ref(), found.arn.as_str());
        let role = given::role(call, txn, self, passed).await?;
        self.refuse_more()?;
        let former = found.unchanged(self.revision_id.as_ref())?;
        found.own(call)?;
        let mut changed = former.clone();
        if let Some(role) = role {
            changed.role = role;
        }
        self.settings().apply(call, txn, &mut changed).await?;
        changed.touch(call.now, Uuid::random(call.entropy));
        changed.save(txn, Some(&former))?;
        Ok(Answer::new(permit, configuration(call, txn, &changed, None).await?))
    }

    fn elements(output: &Configuration) -> Option<Value> {
        Some(output.told())
    }
}

impl UpdateFunctionConfiguration {
    fn settings(&self) -> Settings<'_> {
        given::settings!(self)
    }

    /// Refuses what isn't built.
    fn refuse_more(&self) -> Result<(), Error> {
        given::refuse_unbuilt!(self)?;
        given::runtime(self.runtime.as_ref())
    }
}
