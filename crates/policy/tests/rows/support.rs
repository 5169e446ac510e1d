//! A request with its policies, written down in a line.

#![expect(clippy::expect_used, clippy::panic, reason = "a test that can't be set up fails")]

use base::AccountId;
use strongroom_policy::Reason;
use strongroom_policy::engine::{
    Attached, Caller, CallerKind, Context, Decision, Door, Explanation, Grammar, MapContext, Pins,
    Policies, Policy, Request, Values, decide, explain, explain_open,
};

pub(crate) const A: &str = "111122223333";
pub(crate) const B: &str = "444455556666";
pub(crate) const SECRET: &str =
    "arn:aws:secretsmanager:us-east-1:111122223333:secret:app/db-a1b2c3";
pub(crate) const KEY: &str =
    "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
pub(crate) const ROLE: &str = "arn:aws:iam::111122223333:role/team/app";

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Whom {
    /// A user of A or B.
    User(&'static str, &'static str),
    /// A session of the role `app` of A or B.
    Session(&'static str, &'static str),
    Root(&'static str),
    /// A session that alice of A began with GetFederationToken.
    Federated,
    Service(&'static str),
    Web(&'static str),
}

pub(crate) const ALICE: Whom = Whom::User(A, "alice");
pub(crate) const BOB: Whom = Whom::User(A, "bob");
pub(crate) const CAROL: Whom = Whom::User(B, "carol");
pub(crate) const S1: Whom = Whom::Session(A, "s1");

impl Whom {
    fn account(self) -> AccountId {
        let (Self::User(account, _) | Self::Session(account, _) | Self::Root(account)) = self
        else {
            return A.parse().expect("valid");
        };
        account.parse().expect("valid")
    }

    pub(crate) fn arn(self) -> String {
        match self {
            Self::User(account, name) => format!("arn:aws:iam::{account}:user/{name}"),
            Self::Session(account, name) => {
                format!("arn:aws:sts::{account}:assumed-role/app/{name}")
            }
            Self::Root(account) => format!("arn:aws:iam::{account}:root"),
            Self::Federated => format!("arn:aws:sts::{A}:federated-user/fred"),
            Self::Service(name) | Self::Web(name) => name.into(),
        }
    }

    /// The unique id of the user or role.
    pub(crate) fn id(self) -> String {
        match self {
            Self::User(account, name) => format!("AIDA{}{account}", name.to_uppercase()),
            Self::Session(account, _) => format!("AROAAPP{account}"),
            _ => String::new(),
        }
    }

    fn role(self) -> String {
        format!("arn:aws:iam::{}:role/team/app", self.account())
    }
}

/// A request and all policies that speak about it.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) caller: Whom,
    pub(crate) action: String,
    pub(crate) resource: Option<String>,
    owner: AccountId,
    pub(crate) context: MapContext,
    identity: Vec<Policy>,
    boundary: Option<Policy>,
    session: Option<Vec<Policy>>,
    resource_policies: Vec<Policy>,
    levels: Vec<Vec<Policy>>,
    resource_control: Vec<Policy>,
    endpoint: Option<Policy>,
    door: Door,
}

/// A policy of one statement or several, in the edition of 2012.
pub(crate) fn text(statements: &str) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#)
}

pub(crate) fn compile(statements: &str, grammar: Grammar) -> Policy {
    let policy = Policy::compile(&text(statements), grammar);
    policy.unwrap_or_else(|it| panic!("{it} ({}): {statements}", it.detail()))
}

/// `caller` reads the secret of A.
pub(crate) fn gsv(caller: Whom) -> Ask {
    ask(caller, "secretsmanager:GetSecretValue", SECRET)
}

/// `caller` decrypts with the key of A.
pub(crate) fn decrypt(caller: Whom) -> Ask {
    ask(caller, "kms:Decrypt", KEY).door(Door::Key { grant: false })
}

/// `caller` assumes the role of A.
pub(crate) fn assume(caller: Whom) -> Ask {
    ask(caller, "sts:AssumeRole", ROLE).door(Door::Trust)
}

pub(crate) fn ask(caller: Whom, action: &str, resource: &str) -> Ask {
    Ask {
        caller,
        action: action.into(),
        resource: Some(resource.into()),
        owner: A.parse().expect("valid"),
        context: MapContext::new(),
        identity: vec![],
        boundary: None,
        session: None,
        resource_policies: vec![],
        levels: vec![],
        resource_control: vec![],
        endpoint: None,
        door: Door::Resource,
    }
}

impl Ask {
    pub(crate) fn identity(mut self, statements: &str) -> Self {
        self.identity.push(compile(statements, Grammar::Identity));
        self
    }

    pub(crate) fn identity_of(mut self, policy: Policy) -> Self {
        self.identity.push(policy);
        self
    }

    /// A further session policy, if the session has some already.
    pub(crate) fn session_beside(self, statements: &str) -> Self {
        if self.session.is_some() { self.session(statements) } else { self }
    }

    pub(crate) fn boundary(mut self, statements: &str) -> Self {
        self.boundary = Some(compile(statements, Grammar::Boundary));
        self
    }

    pub(crate) fn session(mut self, statements: &str) -> Self {
        let session = self.session.get_or_insert_default();
        session.push(compile(statements, Grammar::Session));
        self
    }

    /// The resource's policy, of the kind that the door has.
    pub(crate) fn resource(mut self, statements: &str) -> Self {
        let grammar = match self.door {
            Door::Key { .. } => Grammar::Key,
            Door::Resource => Grammar::Resource,
            Door::Trust => Grammar::Trust,
        };
        self.resource_policies.push(compile(statements, grammar));
        self
    }

    pub(crate) fn pinned(mut self, statements: &str, pins: &Pins) -> Self {
        let policy = Policy::compile_pinned(&text(statements), Grammar::Resource, pins);
        self.resource_policies.push(policy.expect("valid"));
        self
    }

    /// One more level of service control policies.
    pub(crate) fn level(mut self, statements: &[&str]) -> Self {
        let policies = statements.iter().map(|it| compile(it, Grammar::ServiceControl));
        self.levels.push(policies.collect());
        self
    }

    pub(crate) fn resource_control(mut self, statements: &str) -> Self {
        self.resource_control.push(compile(statements, Grammar::ResourceControl));
        self
    }

    pub(crate) fn endpoint(mut self, statements: &str) -> Self {
        self.endpoint = Some(compile(statements, Grammar::Endpoint));
        self
    }

    pub(crate) fn door(mut self, door: Door) -> Self {
        self.door = door;
        self
    }

    pub(crate) fn granted(self) -> Self {
        self.door(Door::Key { grant: true })
    }

    pub(crate) fn with(mut self, key: &str, value: &str) -> Self {
        self.context = self.context.with(key, value);
        self
    }

    pub(crate) fn with_many(mut self, key: &str, values: &[&str]) -> Self {
        self.context = self.context.with_many(key, values.iter().copied());
        self
    }

    pub(crate) fn action(mut self, action: &str) -> Self {
        self.action = action.into();
        self
    }

    pub(crate) fn on(mut self, resource: &str) -> Self {
        self.resource = Some(resource.into());
        self
    }

    /// An action of the caller's account that has no resource.
    pub(crate) fn on_nothing(mut self) -> Self {
        self.resource = None;
        self.owner = self.caller.account();
        self
    }

    /// `None` is yes.
    pub(crate) fn refusal(&self) -> Option<Reason> {
        self.put(|request, policies| decide(request, policies).reason())
    }

    /// Decides, and hands the decision to `look`.
    pub(crate) fn decision<T>(&self, look: impl FnOnce(Decision<'_>) -> T) -> T {
        self.put(|request, policies| look(decide(request, policies)))
    }

    /// Explains, and hands the explanation to `look`.
    pub(crate) fn explain<T>(&self, look: impl FnOnce(&Explanation<'_>) -> T) -> T {
        self.put(|request, policies| look(&explain(request, policies)))
    }

    /// Explains, with the keys that don't follow from the caller open, and hands the explanation to `look`.
    pub(crate) fn explain_open<T>(&self, look: impl FnOnce(&Explanation<'_>) -> T) -> T {
        self.put(|request, policies| {
            let request = Request { context: &Open, ..*request };
            look(&explain_open(&request, policies))
        })
    }

    fn put<T>(&self, look: impl FnOnce(&Request<'_>, &Policies<'_>) -> T) -> T {
        let (account, arn) = (self.caller.account(), self.caller.arn());
        let (id, role) = (self.caller.id(), self.caller.role());
        let (user, user_id) = (ALICE.arn(), ALICE.id());
        let kind = match self.caller {
            Whom::User(..) => CallerKind::User { id: &id },
            Whom::Session(..) => CallerKind::RoleSession { role_arn: &role, role_id: &id },
            Whom::Root(_) => CallerKind::Root,
            Whom::Federated => CallerKind::FederatedUser { user: Some((&user, &user_id)) },
            Whom::Service(name) => CallerKind::Service { name },
            Whom::Web(provider) => CallerKind::WebIdentity { provider },
        };
        let request = Request {
            caller: Caller { account: &account, arn: &arn, kind },
            action: &self.action,
            resource: self.resource.as_deref(),
            resource_account: &self.owner,
            context: &self.context,
        };
        let levels: Vec<_> = self.levels.iter().map(|it| attach("level", it)).collect();
        let levels: Vec<_> = levels.iter().map(Vec::as_slice).collect();
        let session = self.session.as_ref().map(|it| attach("session", it));
        let policies = Policies {
            service_control: &levels,
            resource_control: &attach("resource control", &self.resource_control),
            endpoint: self.endpoint.as_ref().map(|policy| Attached { id: "endpoint", policy }),
            resource: &attach("resource", &self.resource_policies),
            identity: &attach("identity", &self.identity),
            boundary: self.boundary.as_ref().map(|policy| Attached { id: "boundary", policy }),
            session: session.as_deref(),
            door: self.door,
        };
        look(&request, &policies)
    }
}

/// Nothing is known, and everything may be.
struct Open;

impl Context for Open {
    fn find(&self, _key: &str) -> Option<Values<'_>> {
        None
    }

    fn is_open(&self, key: &str) -> bool {
        !["aws:username", "aws:principalarn"].contains(&key)
    }
}

fn attach<'a>(id: &'a str, policies: &'a [Policy]) -> Vec<Attached<'a>> {
    policies.iter().map(|policy| Attached { id, policy }).collect()
}
