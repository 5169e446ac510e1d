//! What is known of a request, by condition key.
//!
//! Source: IAM User Guide, "AWS global condition context keys".

use crate::{Call, Caller, Kind};
use base::{AccountId, Partition};
use policy::engine::{Context, Values};
use std::borrow::Cow;
use std::collections::BTreeMap;
use wire::members::{List, Text};

/// The keys of a request: what its parameters say, what its target says, what everyone's request says.
pub(crate) struct Known<'a> {
    pub(crate) call: &'a Call<'a>,
    /// The account that owns the resource, if there is one.
    pub(crate) owner: Option<&'a AccountId>,
    /// The operation's parameters.
    pub(crate) parameters: &'a dyn Context,
    /// The resource.
    pub(crate) resource: &'a dyn Context,
}

impl Context for Known<'_> {
    fn find(&self, key: &str) -> Option<Values<'_>> {
        let own = || self.parameters.find(key).or_else(|| self.resource.find(key));
        self.global(key).or_else(own).or_else(|| unless_shown(self.call, key))
    }
}

/// The value of the tag that `key`, `…tag/name` in lower case, asks for: names have no case there.
///
/// Tags themselves may differ in their case only. Then a policy could mean either.
pub fn tag<'a>(tags: &'a BTreeMap<String, String>, key: &str) -> Option<Values<'a>> {
    let (_, name) = key.split_once('/')?;
    let found = tags.iter().filter(|it| it.0.eq_ignore_ascii_case(name));
    one_of(found.map(|it| it.1.as_str()))
}

/// `aws:RequestTag/…` and `aws:TagKeys`, of a call that gives `tags`: names and values. Of two with exactly
/// one name the last counts, as it is the last that is kept.
pub fn request_tags<'a>(
    tags: Option<impl Iterator<Item = (&'a str, &'a str)>>,
    key: &str,
) -> Option<Values<'a>> {
    let tags = tags?;
    if key == "aws:tagkeys" {
        return Some(Values::many(tags.map(|it| it.0)));
    }
    let name = key.strip_prefix("aws:requesttag/")?;
    let kept: BTreeMap<_, _> = tags.filter(|it| it.0.eq_ignore_ascii_case(name)).collect();
    one_of(kept.into_values())
}

/// `aws:TagKeys`, of a call that takes tags away by their names.
pub fn tag_keys<'a>(names: Option<&'a List<Text>>, key: &str) -> Option<Values<'a>> {
    let names = names.filter(|_| key == "aws:tagkeys")?;
    Some(Values::many(names.as_slice().iter().map(Text::as_str)))
}

/// The one value, or that it is one of several.
pub fn one_of<'a>(values: impl Iterator<Item = &'a str>) -> Option<Values<'a>> {
    let mut values: Vec<_> = values.map(Cow::Borrowed).collect();
    if values.len() > 1 {
        return Some(Values::Unclear(values));
    }
    values.pop().map(Values::One)
}

impl<'a> Known<'a> {
    /// The keys that mean the same in every service.
    fn global(&self, key: &str) -> Option<Values<'a>> {
        let (name, call) = (key.strip_prefix("aws:")?, self.call);
        if let Some((of, _)) = name.split_once('/') {
            // Tags of requests and of resources are theirs to tell.
            return if of == "principaltag" { tag(&call.access.tags, name) } else { None };
        }
        let text = |it: String| Some(Values::One(Cow::Owned(it)));
        let session = call.caller.session.as_ref();
        match name {
            "calledvia" => call.via.map(|it| Values::many([it])),
            "calledviafirst" | "calledvialast" => call.via.map(Values::one),
            "currenttime" => text(call.now.to_string()),
            "epochtime" => text(call.now.secs().to_string()),
            "federatedprovider" => provider(call.caller).map(Values::one),
            "multifactorauthage" => text((call.now.since(session?.mfa?).as_secs()).to_string()),
            "multifactorauthpresent" => session?.mfa.map(|_| Values::bool(true)),
            "referer" => call.source.referer.as_deref().map(Values::one),
            "requestedregion" => Some(Values::one(call.region.as_str())),
            "securetransport" => Some(Values::bool(call.source.tls.is_some())),
            "sourceidentity" => session?.source_identity.as_deref().map(Values::one),
            "tokenissuetime" => text(session?.issued.to_string()),
            "useragent" => Some(Values::one(&call.source.user_agent)),
            "viaawsservice" => Some(Values::bool(call.via.is_some())),
            _ => self.network(name).or_else(|| self.organization(name)),
        }
    }

    /// Where the request came from. Of a call that a service makes for the caller, the address would be the
    /// service's; through a private endpoint, it is one of a private network.
    fn network(&self, name: &str) -> Option<Values<'a>> {
        let call = self.call;
        let endpoint = call.endpoint();
        match name {
            "sourceip" => {
                let public = call.via.is_none() && endpoint.is_none();
                public.then(|| Values::one(&call.source.address))
            }
            "sourcevpc" => endpoint?.vpc.as_deref().map(Values::one),
            "sourcevpcarn" => {
                let (vpc, account) = (endpoint?.vpc.as_ref()?, endpoint?.account.as_ref()?);
                let (partition, region) = (Partition::of(call.region), call.region);
                let arn = format!("arn:{}:ec2:{region}:{account}:vpc/{vpc}", partition.as_str());
                Some(Values::One(Cow::Owned(arn)))
            }
            "sourcevpce" => Some(Values::one(&endpoint?.id)),
            "vpceaccount" => Some(Values::one(endpoint?.account.as_ref()?.as_str())),
            "vpcsourceip" => endpoint.map(|_| Values::one(&call.source.address)),
            _ => None,
        }
    }

    /// Whose organization the caller, the resource and the endpoint belong to, and where they are in it.
    fn organization(&self, name: &str) -> Option<Values<'a>> {
        let call = self.call;
        let (account, asked) = if let Some(asked) = name.strip_prefix("principalorg") {
            (principal_account(call.caller)?, asked)
        } else if let Some(asked) = name.strip_prefix("resourceorg") {
            (self.owner?, asked)
        } else {
            (call.endpoint()?.account.as_ref()?, name.strip_prefix("vpceorg")?)
        };
        let organization = call.access.organization.as_ref()?;
        match asked {
            "id" => organization.id_for(account).map(Values::one),
            "paths" => organization.path_of(account).map(|it| Values::many([it])),
            _ => None,
        }
    }
}

/// The account whose place in an organization counts. Services, and who comes with a token, belong to none:
/// the account they act in is that of the role.
fn principal_account(caller: &Caller) -> Option<&AccountId> {
    let is_outside = matches!(caller.kind, Kind::Service { .. } | Kind::WebIdentity { .. });
    (!is_outside).then_some(&caller.account)
}

/// That a session was begun without a second factor, unless its call shows one. Long-term keys have no value.
fn unless_shown<'a>(call: &Call<'_>, key: &str) -> Option<Values<'a>> {
    let session = call.caller.session.as_ref().filter(|_| key == "aws:multifactorauthpresent");
    session.map(|_| Values::bool(false))
}

/// Whose token began the caller's session, or is to begin one.
fn provider(caller: &Caller) -> Option<&str> {
    match &caller.kind {
        Kind::WebIdentity { provider, .. } => Some(provider),
        _ => caller.session.as_ref()?.provider.as_deref(),
    }
}
