//! Functions: as they are kept, and as those who run them see them.
//!
//! ```text
//! s/{account}/{region}/function/{name}               a function
//! s/{account}/{region}/function-policy/{name}        who may invoke it
//! function-code/{sha256}/{account}/{region}/{name}   that a function has this package
//! ```

use crate::Error;
use base::{AccountId, Region, Sensitive, Timestamp, Uuid};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kms::{Binding, Kind, Scope, Sealed};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;
use store::path::Path;
use store::{Table, Txn};
use wire::Body;
use wire::members::{SecretText, Structure};

/// A function, for who runs it.
#[derive(Debug)]
pub struct Function {
    /// `arn:aws:lambda:eu-west-1:111122223333:function:app`.
    pub arn: String,
    /// The account it belongs to.
    pub account: AccountId,
    /// The Region it is in.
    pub region: Region,
    /// Its name.
    pub name: String,
    /// The role whose sessions its code gets.
    pub role: String,
    /// `python3.12`.
    pub runtime: String,
    /// What in the code is called: `app.handler`.
    pub handler: String,
    /// How long one invocation may take.
    pub timeout: Duration,
    /// Its memory, in MiB.
    pub memory: u32,
    /// Its scratch space, in MiB.
    pub scratch: u32,
    /// `x86_64` or `arm64`.
    pub architecture: String,
    /// Its package: the SHA-256 in lower-case hex, for [`crate::CodeStore::folder`].
    pub sha256: String,
    /// Changes with each update: a process of another revision is out of date.
    pub revision: String,
    /// Its environment variables, by name.
    pub environment: BTreeMap<String, Sensitive>,
}

/// A function as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// Another one with the same name has another id.
    pub(crate) id: String,
    pub(crate) arn: String,
    pub(crate) account: AccountId,
    pub(crate) region: Region,
    pub(crate) name: String,
    pub(crate) role: String,
    pub(crate) runtime: String,
    pub(crate) handler: String,
    pub(crate) description: String,
    /// In seconds.
    pub(crate) timeout: u32,
    /// In MiB.
    pub(crate) memory: u32,
    /// In MiB.
    pub(crate) scratch: u32,
    pub(crate) architecture: String,
    pub(crate) tracing: String,
    #[serde(default, skip_serializing_if = "Logging::is_default")]
    pub(crate) logging: Logging,
    pub(crate) code: Code,
    /// Sealed, in base64; none without variables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) environment: Option<String>,
    pub(crate) revision: String,
    pub(crate) modified: Timestamp,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) tags: BTreeMap<String, String>,
}

store::json_record!(Kept, 1);

/// A package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Code {
    /// In lower-case hex.
    pub(crate) sha256: String,
    pub(crate) bytes: u64,
}

/// How a function's log is to look.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Logging {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) format: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) application: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) system: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) group: Option<String>,
}

impl Logging {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// That a function has a package.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Has {}

store::json_record!(Has, 1);

/// Where a function is: account, Region, name.
pub(crate) type Place<'a> = (&'a AccountId, &'a Region, &'a str);

/// The functions.
pub(crate) const fn functions<'a>() -> Table<Place<'a>, Kept> {
    Table::new(|(account, region, name)| below(account, region).with(name).key())
}

/// The path of an account's functions in a Region.
pub(crate) fn below(account: &AccountId, region: &Region) -> Path {
    Path::new("s").with(account).with(region.as_str()).with("function")
}

const fn owners<'a>() -> Table<(&'a str, Place<'a>), Has> {
    Table::new(|(sha256, (account, region, name))| {
        let path = Path::new("function-code").with(sha256);
        path.with(account).with(region.as_str()).with(name).key()
    })
}

/// The prefix of the rows of functions that have the package `sha256`.
pub(crate) fn having(sha256: &str) -> String {
    Path::new("function-code").with(sha256).below()
}

impl Kept {
    pub(crate) fn place(&self) -> Place<'_> {
        (&self.account, &self.region, &self.name)
    }

    /// Saves what `former` has become, if there was one before.
    pub(crate) fn save(
        &self,
        txn: &mut Txn<'_>,
        former: Option<&Self>,
    ) -> Result<(), store::Error> {
        if former.is_none_or(|it| it.code.sha256 != self.code.sha256) {
            if let Some(former) = former {
                txn.remove(&owners(), &(&former.code.sha256, former.place()));
            }
            txn.save(&owners(), &(&self.code.sha256, self.place()), &Has {})?;
        }
        txn.save(&functions(), &self.place(), self)
    }

    pub(crate) fn remove(&self, txn: &mut Txn<'_>) {
        txn.remove(&owners(), &(&self.code.sha256, self.place()));
        txn.remove(&functions(), &self.place());
    }

    /// Notes that it was changed.
    pub(crate) fn touch(&mut self, now: Timestamp, revision: Uuid) {
        self.modified = now;
        self.revision = revision.to_string();
    }

    fn binding(&self) -> Binding<'_> {
        Binding { secret_arn: &self.arn, version_id: &self.id, kind: Kind::String }
    }

    /// Seals `variables` as its environment, under the key that this service has in the account.
    pub(crate) async fn seal(
        &mut self,
        txn: &mut Txn<'_>,
        scope: &Scope<'_>,
        variables: &Body,
    ) -> Result<(), Error> {
        let key = kms::managed_key(txn, scope, MANAGED).await?;
        let value = Sensitive::from(variables.as_slice());
        let sealed = kms::seal(txn, scope, &key, &self.binding(), &value).await?;
        self.environment = Some(STANDARD.encode(sealed.to_bytes()));
        Ok(())
    }

    /// Its environment variables.
    pub(crate) async fn open(
        &self,
        txn: &mut Txn<'_>,
        scope: &Scope<'_>,
    ) -> Result<BTreeMap<String, Sensitive>, Error> {
        let Some(kept) = &self.environment else { return Ok(BTreeMap::new()) };
        let damaged = || {
            let reason = "the environment variables can't be read".to_owned();
            Error::Store(store::Error::Corrupt { key: self.arn.clone(), reason })
        };
        let bytes = STANDARD.decode(kept).ok();
        let sealed = bytes.as_deref().and_then(Sealed::from_bytes).ok_or_else(damaged)?;
        let opened = kms::open(txn, scope, &sealed, &self.binding()).await?;
        let read: Result<BTreeMap<String, SecretText>, _> = serde_json::from_slice(opened.expose());
        let variables = read.map_err(|_| damaged())?.into_iter();
        Ok(variables.map(|(name, it)| (name, Sensitive::from(it.value().expose()))).collect())
    }

    /// For who runs it.
    pub(crate) async fn opened(
        &self,
        txn: &mut Txn<'_>,
        scope: &Scope<'_>,
    ) -> Result<Function, Error> {
        Ok(Function {
            environment: self.open(txn, scope).await?,
            arn: self.arn.clone(),
            account: self.account.clone(),
            region: self.region.clone(),
            name: self.name.clone(),
            role: self.role.clone(),
            runtime: self.runtime.clone(),
            handler: self.handler.clone(),
            timeout: Duration::from_secs(self.timeout.into()),
            memory: self.memory,
            scratch: self.scratch,
            architecture: self.architecture.clone(),
            sha256: self.code.sha256.clone(),
            revision: self.revision.clone(),
        })
    }
}

/// Variables as they come in a request: texts that must not leak, by name.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Environment {
    #[serde(default)]
    variables: Option<BTreeMap<String, SecretText>>,
}

/// An environment in a request.
pub(crate) type Given = Structure<Environment>;

impl Environment {
    /// The names and values, as one JSON object; nothing if there are none.
    pub(crate) fn checked(&self) -> Result<Option<Body>, Error> {
        let variables = self.variables.iter().flatten();
        let reserved: Vec<_> =
            variables.clone().map(|it| it.0.as_str()).filter(|it| is_reserved(it)).collect();
        if !reserved.is_empty() {
            return Err(Error::Invalid(format!("{CANT}{RESERVED}{}", reserved.join(", "))));
        }
        if variables.clone().any(|(name, _)| !is_variable(name)) {
            return Err(Error::Invalid(format!("{CANT}{MISNAMED}")));
        }
        let mut out = Body::with_capacity(ROOM);
        let mut separator = b"{";
        for (name, value) in variables {
            let text = str::from_utf8(value.value().expose()).unwrap_or_default();
            let _infallible = out.write_all(separator);
            let _infallible = serde_json::to_writer(&mut out, name);
            let _infallible = out.write_all(b":");
            let _infallible = serde_json::to_writer(&mut out, text);
            separator = b",";
        }
        if out.is_empty() {
            return Ok(None);
        }
        let _infallible = out.write_all(b"}");
        // AWS measures the same text.
        if out.len() > crate::limits::ENVIRONMENT {
            return Err(Error::Invalid(format!("{CANT}{TOO_LONG}")));
        }
        Ok(Some(out))
    }
}

fn is_variable(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|it| it.is_ascii_alphabetic())
        && name.len() > 1
        && bytes.all(|it| it.is_ascii_alphanumeric() || it == b'_')
}

fn is_reserved(name: &str) -> bool {
    RESERVED_NAMES.contains(&name)
}

/// Source: Lambda Developer Guide, "Defined runtime environment variables".
const RESERVED_NAMES: &[&str] = &[
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SECRET_KEY",
    "AWS_SESSION_TOKEN",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
];
const CANT: &str = "Lambda was unable to configure your environment variables because the environment variables you have provided ";
const RESERVED: &str = "contains reserved keys that are currently not supported for modification. \
    Reserved keys used in this request: ";
const MISNAMED: &str = "contains names that are no names of variables.";
const TOO_LONG: &str = "exceeded the 4KB limit.";
const ROOM: usize = 8192;

/// The AWS managed key of Lambda in each account and Region.
const MANAGED: &str = "aws/lambda";
