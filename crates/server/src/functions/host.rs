//! Functions as processes of this machine, with the credentials of their roles.

use async_trait::async_trait;
use base::{AccountId, Clock, Entropy, Region, Sensitive, Uuid};
use bytes::Bytes;
use envelope::Keyring;
use functions::{CodeStore, Elsewhere, Function, InvokeError, Invoked, Invoker, Tools};
use identity::sts::service_role;
use policy::engine::{Context, MapContext};
use rotation::Hidden;
use runtime::{CredentialSource, Credentials, Host, Program, Runtime};
use secrets::rotation::work::Assignment;
use service::{Errand, Event, Ports, Trail, Turns, chain};
use std::sync::Arc;
use std::time::Duration;
use store::Backend;

/// Runs functions.
pub(crate) struct FunctionHost {
    pub(crate) state: Arc<State>,
    pub(crate) code: Arc<dyn CodeStore>,
    pub(crate) host: Host,
    pub(crate) elsewhere: Elsewhere,
}

/// Where functions and roles are.
pub(crate) struct State {
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) trail: Arc<dyn Trail>,
    pub(crate) turns: Arc<Turns>,
    pub(crate) keyring: Arc<Keyring>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) clock: Arc<dyn Clock>,
}

/// Gives processes the credentials of their functions' roles.
pub(crate) struct RoleCredentials(pub(crate) Arc<State>);

/// What a step of a rotation must not print.
struct Made<'a>(&'a dyn Hidden);

/// Takes what functions print to this server's log.
pub(crate) struct Logged;

/// How long a process's credentials last.
const LIFETIME: Duration = Duration::from_hours(1);
const LAMBDA: &str = "lambda.amazonaws.com";

impl FunctionHost {
    /// What the operations of Lambda have of this machine.
    pub(crate) fn machine(self: &Arc<Self>) -> functions::Machine {
        functions::Machine {
            code: Arc::clone(&self.code),
            invoker: Some(Arc::clone(self) as _),
            elsewhere: self.elsewhere.clone(),
        }
    }

    /// Has the function of `of` take one step of a rotation.
    pub(super) async fn step(
        &self,
        of: &Assignment,
        event: Vec<u8>,
        hidden: &dyn Hidden,
    ) -> Result<(), String> {
        let mut txn = store::begin(&*self.state.backend);
        let found = functions::find(&mut txn, self.state.tools(), &of.function).await;
        let found = found.map_err(|error| chain(&error))?;
        let function = found.ok_or_else(|| "the function doesn't exist any more".to_owned())?;
        let done = self
            .run(&function, event.into(), Some(&Made(hidden)))
            .await
            .map_err(|it| it.to_string())?;
        match done.function_error {
            None => Ok(()),
            Some(_) => Err(String::from_utf8_lossy(&done.payload).into_owned()),
        }
    }

    async fn run(
        &self,
        function: &Function,
        payload: Bytes,
        hidden: Option<&dyn runtime::Hidden>,
    ) -> Result<runtime::Outcome, InvokeError> {
        let failed = |text: String| InvokeError::Failed(text);
        let code = self.code.folder(&function.sha256).await;
        let code =
            code.map_err(|error| failed(format!("the function's code can't be read: {error}")))?;
        let runtime = Runtime::parse(&function.runtime);
        let runtime =
            runtime.ok_or_else(|| failed(format!("nothing here runs {}", function.runtime)))?;
        let text = |it: &Sensitive| String::from_utf8_lossy(it.expose()).into_owned();
        let environment = function.environment.iter().map(|(name, it)| (name.clone(), text(it)));
        let program = Program {
            arn: function.arn.clone(),
            name: function.name.clone(),
            runtime,
            handler: function.handler.clone(),
            code,
            environment: environment.collect(),
            memory_mb: function.memory,
            timeout: function.timeout,
            ephemeral_mb: function.scratch,
            revision: function.revision.clone(),
        };
        let done = self.host.invoke_hiding(&program, payload, hidden).await;
        done.map_err(|error| match error {
            runtime::Error::Busy => InvokeError::Busy,
            error => failed(error.to_string()),
        })
    }
}

#[async_trait]
impl Invoker for FunctionHost {
    async fn invoke(
        &self,
        function: &Function,
        payload: Bytes,
        tail: bool,
    ) -> Result<Invoked, InvokeError> {
        let done = self.run(function, payload, None).await?;
        let log = tail.then(|| done.log_tail.into());
        Ok(Invoked { payload: done.payload, error: done.function_error, log })
    }

    async fn queue(&self, _: &Function, _: Bytes) -> Result<(), InvokeError> {
        Err(InvokeError::Unsupported("InvocationType Event"))
    }
}

#[async_trait]
impl runtime::Hidden for Made<'_> {
    async fn texts(&self) -> Option<Vec<Sensitive>> {
        self.0.texts().await
    }
}

#[async_trait]
impl CredentialSource for RoleCredentials {
    async fn credentials(&self, program: &Program) -> Result<Credentials, String> {
        let state = &*self.0;
        let mut txn = store::begin(&*state.backend);
        let found = functions::find(&mut txn, state.tools(), &program.arn).await;
        let function = found.map_err(|error| chain(&error))?;
        let function = function.ok_or_else(|| "the function doesn't exist any more".to_owned())?;
        let scope = state.scope((&function.account, &function.region));
        let keys = MapContext::new()
            .with("aws:sourceaccount", function.account.as_str())
            .with("aws:sourcearn", &function.arn);
        let who = (LAMBDA, &keys as &(dyn Context + Sync));
        let role = (function.role.as_str(), function.name.as_str());
        let begun = service_role::begin(&mut txn, &scope, who, role, LIFETIME).await;
        let given = begun.map_err(|error| chain(&error))?;
        let given =
            given.ok_or_else(|| "the role doesn't trust lambda.amazonaws.com".to_owned())?;
        let errand = Errand::new(&function.account, &function.region, LAMBDA);
        let call =
            errand.call((scope.now, Uuid::random(scope.entropy)), (scope.entropy, &state.keyring));
        let event = Event::Service {
            source: "sts.amazonaws.com",
            name: "AssumeRole",
            details: serde_json::json!({
                "roleArn": function.role, "roleSessionName": function.name, "functionArn": function.arn,
            }),
            request_id: call.request_id.to_string(),
            error: None,
        };
        let committed = Errand::commit(&call, txn, &[event], state.ports()).await;
        if !committed.map_err(|error| chain(&error))? {
            return Err("the role has just changed".to_owned());
        }
        Ok(Credentials {
            access_key_id: given.access_key_id,
            secret_access_key: given.secret,
            session_token: given.token,
            expires: given.expiration,
        })
    }
}

impl runtime::LogSink for Logged {
    fn line(&self, function_arn: &str, line: &str) {
        tracing::info!(target: "strongroom::function", function = function_arn, "{line}");
    }
}

impl State {
    fn tools(&self) -> Tools<'_> {
        Tools { keyring: &self.keyring, entropy: &*self.entropy, now: self.clock.now() }
    }

    /// What key operations of `place` bring along.
    pub(crate) fn scope<'a>(&'a self, place: (&'a AccountId, &'a Region)) -> kms::Scope<'a> {
        let (account, region) = place;
        let (keyring, entropy) = (&*self.keyring, &*self.entropy);
        kms::Scope { keyring, entropy, now: self.clock.now(), account, region }
    }

    fn ports(&self) -> Ports<'_> {
        Ports { backend: &*self.backend, trail: &*self.trail, turns: &self.turns }
    }
}
