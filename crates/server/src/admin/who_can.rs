//! Who could do something to a resource, page by page: from what is stored, and not by any request.

use super::Admin;
use super::answer::{Fault, Replied, ok};
use crate::start::DEFAULT_REGION;
use base::{AccountId, Arn, Region};
use http::StatusCode;
use identity::who_can::{self, Assumable, Question, Unknown};
use kms::Manager;
use kms::exposure::Exposed as Key;
use policy::Principal;
use policy::engine::{Attached, Door};
use secrets::exposure::Exposed as Held;
use secrets::secret::Place;
use serde_json::json;
use store::Txn;
use wire::query::Parameters;

/// What is asked.
struct Asked {
    action: String,
    resource: String,
    place: Place,
    /// Whether all that is asked is asked in the Region of `place`.
    in_region: bool,
    after: Option<String>,
}

/// What a resource is.
enum Target {
    /// A secret, and the key that the action needs besides: that of its lock.
    Held(Box<Held>, Option<Key>),
    Key(Key),
    Role(Box<Assumable>),
    /// Anything else, or nothing: its account, if it has one.
    Other(Option<AccountId>),
}

const FORM: &str = "ask as in `strongroom who-can secretsmanager:GetSecretValue NAME`";

impl Admin {
    /// A page of those who could.
    pub(super) async fn who_can(&self, query: &str) -> Replied {
        // Nothing is written, so nothing is committed: all of a page is of one instant.
        let mut txn = store::begin(&*self.front.backend);
        let asked = Asked::read(&mut txn, query).await?;
        self.check_action(&asked.action)?;
        let target = asked.target(&mut txn).await?;
        let page = answer(&mut txn, &asked, &target).await?;
        let resource = target.arn().unwrap_or(&asked.resource);
        Ok(ok(&json!({
            "Action": asked.action,
            "Resource": resource,
            "Principals": page.found,
            "After": page.next,
        })))
    }

    /// A mistyped action of a service that is served here would be answered as one that nothing asks for.
    fn check_action(&self, action: &str) -> Result<(), Fault> {
        let same = |one: &str, other: &str| one.eq_ignore_ascii_case(other);
        let (service, name) = action.split_once(':').unwrap_or_default();
        let mut of_service = self.front.routes.names().filter(|it| same(it.0, service)).peekable();
        let is_served = of_service.peek().is_some();
        let is_known = of_service.any(|it| same(it.1, name));
        if !is_served || is_known || BESIDES.iter().any(|it| same(it, action)) {
            return Ok(());
        }
        let fact = format!("`{action}` is no action that anything here asks for");
        let hint = "the README lists the operations, and most actions are called like them";
        Err(Fault::new(StatusCode::BAD_REQUEST, fact, hint))
    }
}

/// Actions that are not called like an operation.
const BESIDES: [&str; 5] = [
    "iam:PassRole",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
    "sts:SetSourceIdentity",
    "sts:TagSession",
];

async fn answer(txn: &mut Txn<'_>, asked: &Asked, target: &Target) -> Result<who_can::Page, Fault> {
    let attached = target.attached()?;
    let second = match target {
        Target::Held(_, Some(key)) => vec![key.attached().map_err(damaged)?],
        _ => Vec::new(),
    };
    let first = asked.question(target, &attached);
    let owner = target.key_owner();
    let mut questions = vec![first];
    if let Target::Held(held, _) = target
        && let Some(action) = held.each
    {
        let bare = Question { resource: None, owner: None, policies: &[], keys: &Unknown, ..first };
        questions = vec![bare, Question { action, ..first }];
    }
    if let Target::Held(held, Some(key)) = target
        && let Some(lock) = &held.lock
    {
        questions.push(Question {
            action: lock.action,
            resource: Some(&key.key.arn),
            owner: owner.as_ref(),
            policies: &second,
            door: Door::Key { grant: false },
            of_service: key.key.manager == Manager::Aws,
            keys: key,
            grants: &key.grants,
            only_if: lock.only_if,
            ..first
        });
    }
    let page = who_can::page(txn, &questions, &target.named(), asked.after.as_deref()).await;
    page.map_err(Fault::from)
}

impl Asked {
    async fn read(txn: &mut Txn<'_>, query: &str) -> Result<Self, Fault> {
        let given = Parameters::parse(query.as_bytes());
        let given = |name: &str| given.get(name).unwrap_or_default().to_owned();
        let (action, resource) = (given("Action"), given("Resource"));
        let named = action.split_once(':').is_some_and(|it| !it.0.is_empty() && !it.1.is_empty());
        if !named || action.contains(['*', '?']) {
            let fact = format!("`{action}` is not the name of one action");
            return Err(Fault::new(StatusCode::BAD_REQUEST, fact, FORM));
        }
        if resource.is_empty() {
            return Err(Fault::new(StatusCode::BAD_REQUEST, "no resource is given", FORM));
        }
        let arn = Arn::parse(&resource).ok();
        let of_arn = arn.and_then(|it| it.region.parse().ok());
        let in_region = resource != "*" || !given("Region").is_empty();
        let region = match (given("Region").as_str(), of_arn) {
            ("", Some(region)) => region,
            ("", None) => DEFAULT_REGION.parse().map_err(|it| malformed(&it))?,
            (text, _) => text.parse::<Region>().map_err(|it| malformed(&it))?,
        };
        let account = match (given("AccountId").as_str(), arn.and_then(|it| it.account())) {
            ("", Some(account)) => account,
            ("", None) if resource != "*" => only_account(txn).await?,
            // Nothing is looked up there.
            ("", None) => "000000000000".parse().map_err(|it| malformed(&it))?,
            (text, _) => text.parse().map_err(|it| malformed(&it))?,
        };
        let after = Some(given("After")).filter(|it| !it.is_empty());
        Ok(Self { action, resource, place: Place { account, region }, in_region, after })
    }

    /// What the resource is, as the action meets it.
    async fn target(&self, txn: &mut Txn<'_>) -> Result<Target, Fault> {
        let service = self.action.split_once(':').map_or("", |it| it.0).to_ascii_lowercase();
        let absent = |what: &str| {
            let Place { account, region } = &self.place;
            let fact = format!("there is no {what} `{}` in {account}, {region}", self.resource);
            Fault::new(
                StatusCode::NOT_FOUND,
                fact,
                "name another place with --account and --region",
            )
        };
        match service.as_str() {
            _ if self.resource == "*" => Ok(Target::Other(None)),
            "secretsmanager" => self.secret(txn).await?.ok_or_else(|| absent("secret")),
            "kms" => {
                let place = kms::Place::in_region(&self.place.account, &self.place.region);
                let asked = (place, self.resource.as_str());
                match kms::exposure::exposed(txn, asked, &self.action, None).await {
                    Ok(key) => Ok(Target::Key(key)),
                    Err(kms::Exception::NotFound(_)) => Err(absent("key")),
                    Err(error) => Err(damaged(error)),
                }
            }
            "sts" => {
                let role = who_can::assumable(txn, &self.resource).await?;
                role.map(|it| Target::Role(Box::new(it))).ok_or_else(|| absent("role"))
            }
            _ => Ok(Target::Other(Arn::parse(&self.resource).ok().and_then(|it| it.account()))),
        }
    }

    async fn secret(&self, txn: &mut Txn<'_>) -> Result<Option<Target>, Fault> {
        let Self { action, resource, place, .. } = self;
        let found = secrets::exposure::exposed(txn, place, resource, action).await?;
        let Some(held) = found else { return Ok(None) };
        let Some(lock) = &held.lock else { return Ok(Some(Target::Held(Box::new(held), None))) };
        let at = kms::Place::in_region(&held.place.account, &held.place.region);
        let through = Some(lock.through.clone());
        let key = kms::exposure::exposed(txn, (at, &lock.key), lock.action, through).await;
        let key = match key {
            Ok(key) => Some(key),
            // The key that AWS manages is made with the first value, for everybody of the account.
            Err(kms::Exception::NotFound(_)) if lock.key.starts_with("alias/aws/") => None,
            Err(kms::Exception::NotFound(_)) => {
                let fact =
                    format!("the key `{}` of the secret doesn't exist: nobody can", lock.key);
                let hint = "give the secret another key with `aws secretsmanager update-secret`";
                return Err(Fault::new(StatusCode::CONFLICT, fact, hint));
            }
            Err(error) => return Err(damaged(error)),
        };
        Ok(Some(Target::Held(Box::new(held), key)))
    }

    fn question<'a>(&'a self, target: &'a Target, attached: &'a [Attached<'a>]) -> Question<'a> {
        let (owner, door): (Option<&AccountId>, Door) = match target {
            Target::Held(held, _) => (Some(&held.place.account), Door::Resource),
            Target::Key(_) => (Some(&self.place.account), Door::Key { grant: false }),
            Target::Role(role) => (Some(&role.account), Door::Trust),
            Target::Other(account) => (account.as_ref(), Door::Resource),
        };
        Question {
            action: &self.action,
            resource: target.arn().or((self.resource != "*").then_some(&self.resource)),
            owner,
            region: self.in_region.then_some(&self.place.region),
            policies: attached,
            door,
            of_service: matches!(target, Target::Key(key) if key.key.manager == Manager::Aws),
            keys: match target {
                Target::Held(held, _) => &**held,
                Target::Key(key) => key,
                Target::Role(role) => &**role,
                Target::Other(_) => &Unknown,
            },
            grants: match target {
                Target::Key(key) => &key.grants,
                _ => &[],
            },
            only_if: None,
        }
    }
}

impl Target {
    fn arn(&self) -> Option<&str> {
        match self {
            Self::Held(held, _) => Some(held.arn()),
            Self::Key(key) => Some(&key.key.arn),
            Self::Role(role) => Some(&role.arn),
            Self::Other(_) => None,
        }
    }

    /// Its own policies.
    fn attached(&self) -> Result<Vec<Attached<'_>>, Fault> {
        Ok(match self {
            Self::Held(held, _) => held.attached().into_iter().collect(),
            Self::Key(key) => vec![key.attached().map_err(damaged)?],
            Self::Role(role) => vec![role.attached()],
            Self::Other(_) => Vec::new(),
        })
    }

    /// Whom its policies name.
    fn named(&self) -> Vec<Principal> {
        match self {
            Self::Held(held, key) => {
                let of_key = key.iter().flat_map(Key::named);
                held.named().into_iter().chain(of_key).collect()
            }
            Self::Key(key) => key.named(),
            Self::Role(role) => role.named(),
            Self::Other(_) => Vec::new(),
        }
    }

    /// Who owns the key that a secret is sealed under.
    fn key_owner(&self) -> Option<AccountId> {
        let Self::Held(_, Some(key)) = self else { return None };
        Arn::parse(&key.key.arn).ok()?.account()
    }
}

/// The account that is meant while there is only one.
pub(super) async fn only_account(txn: &mut Txn<'_>) -> Result<AccountId, Fault> {
    let mut accounts = identity::list_accounts(txn).await?;
    let count = accounts.len();
    let several = || {
        let fact = format!("there are {count} accounts");
        Fault::new(StatusCode::BAD_REQUEST, fact, "name one with --account")
    };
    accounts.pop().filter(|_| count == 1).map(|it| it.id).ok_or_else(several)
}

fn malformed(error: &base::Malformed) -> Fault {
    Fault::new(StatusCode::BAD_REQUEST, error.to_string(), FORM)
}

fn damaged(error: impl std::error::Error + 'static) -> Fault {
    Fault::internal(service::chain(&error))
}
