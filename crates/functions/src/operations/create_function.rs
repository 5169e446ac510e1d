//! CreateFunction: a function from a package.

use super::SOURCE;
use crate::function::{Kept, Logging};
use crate::given::{self, Settings, not_built};
use crate::shown::{Configuration, configuration};
use crate::tags::{self, Tags};
use crate::{Error, arrived, function, limits, lookup, native};
use base::Uuid;
use policy::engine::Values;
use serde_json::Value;
use service::{Action, Answer, Call, Operation, input};
use std::collections::BTreeMap;
use store::Txn;
use wire::Violations;
use wire::members::{Boolean, Integer, List, Structure, Text};

input! {
    /// Its name, its role, its package, and how it is to run. Code and environment stand in no record.
    pub struct CreateFunction {
        function_name: Text,
        runtime: Text,
        role: Text,
        handler: Text,
        #[serde(skip_serializing)]
        code: Structure<given::SourceCode>,
        description: Text,
        timeout: Integer,
        memory_size: Integer,
        publish: Boolean,
        publish_to: Value,
        vpc_config: Value,
        package_type: Text,
        dead_letter_config: Value,
        #[serde(skip_serializing)]
        environment: function::Given,
        #[serde(rename(deserialize = "KMSKeyArn", serialize = "kMSKeyArn"))]
        kms_key_arn: Value,
        tracing_config: Structure<given::Tracing>,
        tags: Tags,
        layers: Value,
        file_system_configs: Value,
        code_signing_config_arn: Value,
        image_config: Value,
        architectures: List<Text>,
        ephemeral_storage: Structure<given::Storage>,
        snap_start: Value,
        logging_config: Structure<given::LoggingConfig>,
        tenancy_config: Value,
        capacity_provider_config: Value,
        durable_config: Value,
        runtime_config: Value,
        accelerator_config: Value,
    }
}

impl Operation for CreateFunction {
    const NAME: &'static str = "CreateFunction";
    const SOURCE: &'static str = SOURCE;
    const RECORDED: &'static str = "CreateFunction20150331";
    const ACTION: Action = Action("lambda:CreateFunction");
    const READ_ONLY: bool = false;
    type Output = Configuration;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        limits::function(found, self.function_name.as_ref());
        found.required("role", self.role.as_ref());
        limits::role(found, self.role.as_ref());
        found.required("code", self.code.as_ref());
        limits::architectures(found, self.architectures.as_ref());
        found.one_of("packageType", self.package_type.as_ref(), &["Zip", "Image"]);
        tags::constraints(found, self.tags.as_ref());
        self.settings().constraints(found);
    }

    fn condition(&self, key: &str) -> Option<Values<'_>> {
        tags::condition(self.tags.as_ref(), key)
    }

    async fn run(
        &self,
        call: &Call<'_>,
        txn: &mut Txn<'_>,
    ) -> Result<Answer<Configuration>, Error> {
        let (permit, found) =
            lookup::admit(call, txn, self, (self.function_name.as_ref(), None)).await?;
        found.own(call)?;
        let passed = (self.role.as_ref(), found.arn.as_str());
        let role = given::role(call, txn, self, passed).await?.unwrap_or_default();
        self.refuse_more()?;
        let name = found.name.clone();
        if native::find(&name).is_some() {
            return Err(Error::Conflict(format!(
                "{name} is the name of a native rotation function of this server"
            )));
        }
        if arrived::machine(call)?.elsewhere.find(&found.arn).is_some() {
            return Err(Error::Conflict(format!(
                "{name} is the name of a function that is somewhere else, as this server's configuration says"
            )));
        }
        if found.existing().is_ok() {
            return Err(Error::Conflict(format!("Function already exist: {name}")));
        }
        let package = self.code.as_ref().map(|it| it.0.package()).transpose()?.flatten();
        let package = arrived::looked_at(call, package).await?;
        let mut made = Kept {
            id: Uuid::random(call.entropy).to_string(),
            arn: found.arn.clone(),
            account: found.account.clone(),
            region: found.region.clone(),
            name,
            role,
            runtime: String::new(),
            handler: String::new(),
            description: String::new(),
            timeout: 3,
            memory: 128,
            scratch: 512,
            architecture: given::architecture(self.architectures.as_ref())
                .unwrap_or_else(|| "x86_64".to_owned()),
            tracing: "PassThrough".to_owned(),
            logging: Logging::default(),
            code: package.0.clone(),
            environment: None,
            revision: String::new(),
            modified: call.now,
            tags: BTreeMap::new(),
        };
        made.touch(call.now, Uuid::random(call.entropy));
        tags::add(&mut made.tags, self.tags.as_ref())?;
        self.settings().apply(call, txn, &mut made).await?;
        arrived::kept(call, package).await?;
        made.save(txn, None)?;
        Ok(Answer::new(permit, configuration(call, txn, &made, None).await?))
    }

    fn elements(output: &Configuration) -> Option<Value> {
        Some(output.told())
    }
}

impl CreateFunction {
    fn settings(&self) -> Settings<'_> {
        given::settings!(self)
    }

    /// Refuses what isn't built, and what a package can't be without.
    fn refuse_more(&self) -> Result<(), Error> {
        given::only_zip(self.package_type.as_ref())?;
        given::not_switched("Publish", self.publish)?;
        given::refuse_unbuilt!(self)?;
        not_built(&[
            ("PublishTo", self.publish_to.as_ref()),
            ("CodeSigningConfigArn", self.code_signing_config_arn.as_ref()),
            ("TenancyConfig", self.tenancy_config.as_ref()),
        ])?;
        if let Some(source) = &self.code {
            source.0.package()?;
        }
        if self.runtime.is_none() || self.handler.is_none() {
            return Err(Error::Invalid(MANDATORY.to_owned()));
        }
        given::runtime(self.runtime.as_ref())
    }
}

const MANDATORY: &str =
    "Runtime and Handler are mandatory parameters for functions created with deployment packages.";
