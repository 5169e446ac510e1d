//! Members that several operations take, and what is refused of them.

use crate::function::{Environment, Kept, Logging};
use crate::{Error, HOST};
use base::Arn;
use policy::engine::{Context, MapContext, Values};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use service::{Action, Call, Operation, Target};
use store::Txn;
use wire::Violations;
use wire::members::{Blob, Boolean, Integer, List, Structure, Text};

/// Where code comes from.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct SourceCode {
    #[serde(default)]
    pub(crate) zip_file: Option<Blob>,
    #[serde(default)]
    pub(crate) s3_bucket: Option<Text>,
    #[serde(default)]
    pub(crate) s3_key: Option<Text>,
    #[serde(default)]
    pub(crate) image_uri: Option<Text>,
    #[serde(default, rename = "SourceKMSKeyArn")]
    pub(crate) source_kms_key_arn: Option<Text>,
}

impl SourceCode {
    /// The package, if it comes with the request.
    pub(crate) fn package(&self) -> Result<Option<&Blob>, Error> {
        let in_s3 = self.s3_bucket.is_some() || self.s3_key.is_some();
        Self::refuse_elsewhere(in_s3, self.image_uri.is_some())?;
        if self.source_kms_key_arn.as_ref().is_some_and(|it| !it.as_str().is_empty()) {
            return Err(refused("SourceKMSKeyArn", "Leave it out."));
        }
        Ok(self.zip_file.as_ref())
    }

    /// Refuses code that is somewhere else.
    pub(crate) fn refuse_elsewhere(in_s3: bool, in_image: bool) -> Result<(), Error> {
        if in_s3 {
            return Err(refused("Code from S3", "Upload the package itself, as ZipFile."));
        }
        if in_image {
            return Err(refused("Code in an image", "Upload a package, as ZipFile."));
        }
        Ok(())
    }
}

/// `Mode` of `TracingConfig`, `Size` of `EphemeralStorage`, and so on.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all(deserialize = "PascalCase", serialize = "camelCase"))]
pub(crate) struct Tracing {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) mode: Option<Text>,
}

/// See [`Tracing`].
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all(deserialize = "PascalCase", serialize = "camelCase"))]
pub(crate) struct Storage {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) size: Option<Integer>,
}

/// See [`Tracing`].
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all(deserialize = "PascalCase", serialize = "camelCase"))]
pub(crate) struct LoggingConfig {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) log_format: Option<Text>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) application_log_level: Option<Text>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) system_log_level: Option<Text>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) log_group: Option<Text>,
}

/// What a function is set to, as far as a request says it.
pub(crate) struct Settings<'a> {
    pub(crate) runtime: Option<&'a Text>,
    pub(crate) handler: Option<&'a Text>,
    pub(crate) description: Option<&'a Text>,
    pub(crate) timeout: Option<Integer>,
    pub(crate) memory: Option<Integer>,
    pub(crate) storage: Option<&'a Structure<Storage>>,
    pub(crate) tracing: Option<&'a Structure<Tracing>>,
    pub(crate) logging: Option<&'a Structure<LoggingConfig>>,
    pub(crate) environment: Option<&'a Structure<Environment>>,
}

/// The [`Settings`] of an input that has a member for each.
macro_rules! settings {
    ($given:expr) => {
        $crate::given::Settings {
            runtime: $given.runtime.as_ref(),
            handler: $given.handler.as_ref(),
            description: $given.description.as_ref(),
            timeout: $given.timeout,
            memory: $given.memory_size,
            storage: $given.ephemeral_storage.as_ref(),
            tracing: $given.tracing_config.as_ref(),
            logging: $given.logging_config.as_ref(),
            environment: $given.environment.as_ref(),
        }
    };
}
pub(crate) use settings;

/// Refuses what isn't built of an input that has a member for each.
macro_rules! refuse_unbuilt {
    ($given:expr) => {{
        $crate::given::no_snapshots($given.snap_start.as_ref()).and($crate::given::not_built(&[
            ("VpcConfig", $given.vpc_config.as_ref()),
            ("DeadLetterConfig", $given.dead_letter_config.as_ref()),
            ("KMSKeyArn", $given.kms_key_arn.as_ref()),
            ("Layers", $given.layers.as_ref()),
            ("FileSystemConfigs", $given.file_system_configs.as_ref()),
            ("ImageConfig", $given.image_config.as_ref()),
            ("CapacityProviderConfig", $given.capacity_provider_config.as_ref()),
            ("DurableConfig", $given.durable_config.as_ref()),
            ("RuntimeConfig", $given.runtime_config.as_ref()),
            ("AcceleratorConfig", $given.accelerator_config.as_ref()),
        ]))
    }};
}
pub(crate) use refuse_unbuilt;

impl Settings<'_> {
    /// The model's constraints.
    pub(crate) fn constraints(&self, found: &mut Violations) {
        let texts = (self.handler, self.description);
        crate::limits::settings(found, texts, (self.timeout, self.memory));
        if let Some(Structure(storage)) = self.storage {
            found.required("ephemeralStorage.size", storage.size.as_ref());
            found.range("ephemeralStorage.size", storage.size, 512..=10_240);
        }
        if let Some(Structure(tracing)) = self.tracing {
            let mode = tracing.mode.as_ref();
            found.one_of("tracingConfig.mode", mode, &["Active", "PassThrough"]);
        }
        if let Some(Structure(logging)) = self.logging {
            let format = logging.log_format.as_ref();
            found.one_of("loggingConfig.logFormat", format, &["JSON", "Text"]);
            found.length("loggingConfig.logGroup", logging.log_group.as_ref(), 1..=512);
        }
    }

    /// Sets `kept` to it, and seals the environment, if one is given.
    pub(crate) async fn apply(
        &self,
        call: &Call<'_>,
        txn: &mut Txn<'_>,
        kept: &mut Kept,
    ) -> Result<(), Error> {
        let texts = [
            (self.runtime, &mut kept.runtime),
            (self.handler, &mut kept.handler),
            (self.description, &mut kept.description),
            (self.tracing.and_then(|it| it.0.mode.as_ref()), &mut kept.tracing),
        ];
        for (given, here) in texts {
            if let Some(given) = given {
                given.as_str().clone_into(here);
            }
        }
        let numbers = [
            (self.timeout, &mut kept.timeout),
            (self.memory, &mut kept.memory),
            (self.storage.and_then(|it| it.0.size), &mut kept.scratch),
        ];
        for (given, here) in numbers {
            if let Some(given) = given.and_then(|it| u32::try_from(it.get()).ok()) {
                *here = given;
            }
        }
        if let Some(Structure(logging)) = self.logging {
            kept.logging = logging.kept();
        }
        if let Some(Structure(environment)) = self.environment {
            kept.environment = None;
            if let Some(variables) = environment.checked()? {
                kept.seal(txn, &scope(call), &variables).await?;
            }
        }
        Ok(())
    }
}

impl LoggingConfig {
    fn kept(&self) -> Logging {
        let text = |it: &Option<Text>| it.as_ref().map(|it| it.as_str().to_owned());
        Logging {
            format: text(&self.log_format),
            application: text(&self.application_log_level),
            system: text(&self.system_log_level),
            group: text(&self.log_group),
        }
    }
}

/// What key operations of `call` bring along.
pub(crate) fn scope<'a>(call: &'a Call<'_>) -> kms::Scope<'a> {
    kms::Scope {
        keyring: call.keyring,
        entropy: call.entropy,
        now: call.now,
        account: &call.caller.account,
        region: call.region,
    }
}

/// Refuses runtimes that no package can be for.
pub(crate) fn runtime(given: Option<&Text>) -> Result<(), Error> {
    let Some(given) = given.map(Text::as_str) else { return Ok(()) };
    if RUNTIMES.contains(&given) {
        return Ok(());
    }
    Err(Error::Invalid(format!(
        "Value {given} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [{}] or \
         be a valid ARN",
        RUNTIMES.join(", "),
    )))
}

/// The first architecture.
pub(crate) fn architecture(given: Option<&List<Text>>) -> Option<String> {
    given?.as_slice().first().map(|it| it.as_str().to_owned())
}

/// Refuses what would be promised and not be done. Something empty asks for nothing.
pub(crate) fn not_built(given: &[(&str, Option<&Value>)]) -> Result<(), Error> {
    let asked = given.iter().find(|(_, it)| it.is_some_and(|it| !is_empty(it)));
    asked.map_or(Ok(()), |(what, _)| Err(refused(what, "Leave it out.")))
}

/// The same for a switch: switched off is what it is.
pub(crate) fn not_switched(what: &str, given: Option<Boolean>) -> Result<(), Error> {
    let asked = given.is_some_and(Boolean::get);
    if asked { Err(refused(what, "Leave it out.")) } else { Ok(()) }
}

/// Refuses packages of another type.
pub(crate) fn only_zip(given: Option<&Text>) -> Result<(), Error> {
    match given.map(Text::as_str) {
        None | Some("Zip") => Ok(()),
        Some(_) => Err(refused("A PackageType other than Zip", "Leave it out.")),
    }
}

/// Refuses snapshots. `None` is what it is.
pub(crate) fn no_snapshots(given: Option<&Value>) -> Result<(), Error> {
    let none = given.is_some_and(|it| it.get("ApplyOn") == Some(&Value::from("None")));
    if none { Ok(()) } else { not_built(&[("SnapStart", given)]) }
}

fn is_empty(given: &Value) -> bool {
    match given {
        Value::Null => true,
        Value::Bool(it) => !it,
        Value::Number(_) => false,
        Value::String(it) => it.is_empty(),
        Value::Array(it) => it.is_empty(),
        Value::Object(it) => it.values().all(is_empty),
    }
}

fn refused(what: &str, instead: &str) -> Error {
    Error::Invalid(format!("{what} is not supported by this server. {instead}"))
}

/// The role, which the caller may hand to the service, and which lets the service assume it.
pub(crate) async fn role<O: Operation>(
    call: &Call<'_>,
    txn: &mut Txn<'_>,
    operation: &O,
    (given, function_arn): (Option<&Text>, &str),
) -> Result<Option<String>, Error> {
    let Some(arn) = given.map(Text::as_str) else { return Ok(None) };
    let keys = Passed { function_arn };
    let target = Target { keys: &keys, ..Target::of(&call.caller.account, Some(arn)) };
    call.permit(operation, Action("iam:PassRole"), target)?;
    let account = &call.caller.account;
    if Arn::parse(arn).ok().and_then(|it| it.account()).is_some_and(|it| it != *account) {
        return Err(Error::Denied("Cross-account pass role is not allowed.".to_owned()));
    }
    let keys = MapContext::new()
        .with("aws:sourceaccount", account.as_str())
        .with("aws:sourcearn", function_arn);
    if identity::sts::service_role::is_trusted(txn, (account, arn), HOST, &keys).await? {
        return Ok(Some(arn.to_owned()));
    }
    let text = "The role defined for the function cannot be assumed by Lambda.";
    Err(Error::Invalid(text.to_owned()))
}

/// To whom a role is handed, and for what.
struct Passed<'a> {
    function_arn: &'a str,
}

impl Context for Passed<'_> {
    fn find(&self, key: &str) -> Option<Values<'_>> {
        match key {
            "iam:associatedresourcearn" => Some(Values::one(self.function_arn)),
            "iam:passedtoservice" => Some(Values::one(HOST)),
            _ => None,
        }
    }
}

/// The runtimes of the model that a package can be for. Which of them the host has is the runtime's to say.
const RUNTIMES: &[&str] = &[
    "nodejs18.x",
    "nodejs20.x",
    "nodejs22.x",
    "nodejs24.x",
    "provided",
    "provided.al2",
    "provided.al2023",
    "python3.8",
    "python3.9",
    "python3.10",
    "python3.11",
    "python3.12",
    "python3.13",
    "python3.14",
];
