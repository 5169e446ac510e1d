//! What is asked.

use super::actions::Action;
use super::arns::{Parts, parts};
use super::caller::Caller;
use super::context::{Context, Values};
use base::AccountId;

/// What is asked: one action, by one caller, on one resource or on none.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// Who asks.
    pub caller: Caller<'a>,
    /// Service and name: `secretsmanager:GetSecretValue`.
    pub action: &'a str,
    /// The resource's ARN, or the name it was asked for by if that leads nowhere; `None` for
    /// actions without resource. Only `*` matches the latter two.
    pub resource: Option<&'a str>,
    /// The account that owns the resource; the caller's own for an action without one.
    pub resource_account: &'a AccountId,
    /// What else is known. The keys that follow from the other fields need not be in it:
    /// `aws:PrincipalAccount`, `aws:PrincipalArn`, `aws:PrincipalIsAWSService`,
    /// `aws:PrincipalServiceName`, `aws:PrincipalType`, `aws:ResourceAccount`, `aws:userid`,
    /// `aws:username`.
    pub context: &'a dyn Context,
}

/// A request, taken apart once for all the statements it is held against.
pub(crate) struct Asked<'a> {
    pub(crate) request: &'a Request<'a>,
    /// Service and name.
    pub(crate) action: Action<'a>,
    /// The resource, if it has an ARN.
    pub(crate) resource: Option<Parts<'a>>,
    /// Whether a permissions boundary is set on the caller.
    pub(crate) bounded: bool,
    /// Whether keys may be open.
    pub(crate) open: bool,
}

impl<'a> Asked<'a> {
    pub(crate) fn new(request: &'a Request<'a>, bounded: bool) -> Self {
        Self {
            request,
            action: Action::new(request.action),
            resource: request.resource.and_then(parts),
            bounded,
            open: false,
        }
    }

    /// Whether nobody can tell yet what `key`, which is in lower case, will have.
    pub(crate) fn is_open(&self, key: &str) -> bool {
        self.open && self.request.context.is_open(key)
    }

    /// The values of `key`, which is in lower case.
    pub(crate) fn value(&self, key: &str) -> Option<Values<'a>> {
        let request = self.request;
        request.context.find(key).or_else(|| match key {
            "aws:resourceaccount" if request.resource.is_some() => {
                Some(Values::one(request.resource_account.as_str()))
            }
            _ => request.caller.find(key),
        })
    }

    /// What takes the place of a variable, which only single-valued keys can.
    pub(crate) fn variable(&self, key: &str, default: Option<&str>) -> Option<Box<str>> {
        match self.value(key) {
            Some(Values::One(value)) => Some(value.into()),
            Some(Values::Many(_) | Values::Unclear(_)) | None => default.map(Box::from),
        }
    }
}
