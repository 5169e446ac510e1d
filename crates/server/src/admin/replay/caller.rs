//! Who made a recorded call, and from where, as far as its record tells.

use base::{AccountId, Region, Timestamp};
use policy::message::Message;
use serde::Deserialize;
use serde_json::Value;
use service::denial::{MESSAGE, OWNERS_MESSAGE};
use service::{Caller, Kind, Session, Source, TlsDetails};

/// The members of a record that its replay needs.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in crate::admin) struct Recorded {
    user_identity: Identity,
    pub(in crate::admin) event_time: String,
    pub(in crate::admin) event_source: String,
    pub(in crate::admin) event_name: String,
    pub(in crate::admin) aws_region: String,
    #[serde(rename = "sourceIPAddress")]
    source_ip_address: String,
    user_agent: String,
    pub(in crate::admin) error_code: Option<String>,
    pub(in crate::admin) error_message: Option<String>,
    pub(super) request_parameters: Value,
    pub(in crate::admin) additional_event_data: Value,
    #[serde(rename = "requestID")]
    pub(in crate::admin) request_id: String,
    #[serde(rename = "eventID")]
    pub(in crate::admin) event_id: String,
    event_type: String,
    pub(super) resources: Vec<Touched>,
    tls_details: Option<Tls>,
    vpc_endpoint_id: Option<String>,
    recipient_account_id: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Identity {
    r#type: String,
    principal_id: String,
    arn: String,
    account_id: String,
    access_key_id: String,
    user_name: String,
    invoked_by: Option<String>,
    session_context: Option<SessionContext>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct SessionContext {
    session_issuer: Issuer,
    attributes: Attributes,
    web_id_federation_data: WebIdentity,
    source_identity: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Issuer {
    principal_id: String,
    arn: String,
    user_name: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct WebIdentity {
    federated_provider: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Attributes {
    creation_date: String,
    mfa_authenticated: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Touched {
    #[serde(rename = "ARN", default)]
    pub(super) arn: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Tls {
    #[serde(rename = "tlsVersion")]
    version: String,
    #[serde(rename = "cipherSuite")]
    suite: String,
    #[serde(rename = "clientProvidedHostHeader")]
    host: String,
}

impl Recorded {
    pub(in crate::admin) fn parse(json: &str) -> Option<Self> {
        serde_json::from_str(json).ok()
    }

    /// Whether somebody asked for something: not of what a service or an operator does by itself.
    pub(in crate::admin) fn is_call(&self) -> bool {
        self.event_type == "AwsApiCall"
    }

    /// Whether a policy, or the lack of one, turned it away.
    pub(in crate::admin) fn was_denied(&self) -> bool {
        self.error_code.as_deref().is_some_and(|it| it.starts_with("AccessDenied"))
    }

    /// Whether a service made it for the caller.
    pub(super) fn on_behalf(&self) -> bool {
        self.user_identity.invoked_by.is_some()
    }

    /// Whether a parameter is `arn` or `name`, or a resource it touched is `arn`.
    pub(super) fn names(&self, arn: &str, name: &str) -> bool {
        let members = self.request_parameters.as_object().into_iter().flatten();
        let texts = members.filter_map(|it| it.1.as_str());
        self.resources.iter().any(|it| it.arn == arn)
            || texts.into_iter().any(|it| it == arn || it == name)
    }

    /// Who made it, as denials call them.
    pub(in crate::admin) fn arn(&self) -> &str {
        let Identity { arn, principal_id, .. } = &self.user_identity;
        if arn.is_empty() { principal_id } else { arn }
    }

    /// The sealed messages, each with the account it is sealed for if that is the caller's.
    pub(in crate::admin) fn sealed(&self) -> impl Iterator<Item = (&str, Option<AccountId>)> {
        let text = |name: &str| self.additional_event_data.get(name).and_then(Value::as_str);
        let own = text(MESSAGE).map(|it| (it, self.recipient_account_id.parse().ok()));
        own.into_iter().chain(text(OWNERS_MESSAGE).map(|it| (it, None)))
    }

    /// The caller; `None` for those of whom the record doesn't tell enough: so of who came through a
    /// private endpoint, whose policy and network it doesn't hold.
    pub(super) fn caller(&self) -> Option<Caller> {
        if self.vpc_endpoint_id.is_some() {
            return None;
        }
        let Identity { principal_id, arn, access_key_id, user_name, .. } = &self.user_identity;
        let context = self.user_identity.session_context.as_ref();
        let (kind, user_name) = match self.user_identity.r#type.as_str() {
            "IAMUser" => (Kind::User, user_name),
            "Root" => (Kind::Root, user_name),
            "AssumedRole" => {
                let Issuer { principal_id, arn, user_name } = &context?.session_issuer;
                let (role_arn, role_id) = (arn.clone(), principal_id.clone());
                (Kind::RoleSession { role_arn, role_id }, user_name)
            }
            _ => return None,
        };
        Some(Caller {
            account: self.user_identity.account_id.parse().ok()?,
            arn: arn.clone(),
            principal_id: principal_id.clone(),
            user_name: user_name.clone(),
            access_key_id: access_key_id.clone(),
            kind,
            session: context.map(SessionContext::session),
        })
    }

    pub(super) fn region(&self) -> Option<Region> {
        self.aws_region.parse().ok()
    }

    pub(super) fn source(&self) -> Source {
        let tls = self.tls_details.as_ref().map(|it| TlsDetails {
            tls_version: it.version.clone(),
            cipher_suite: it.suite.clone(),
            client_provided_host_header: it.host.clone(),
        });
        let (address, user_agent) = (self.source_ip_address.clone(), self.user_agent.clone());
        Source { address, user_agent, tls, ..Source::default() }
    }
}

impl SessionContext {
    fn session(&self) -> Session {
        let digits: String =
            self.attributes.creation_date.chars().filter(|it| !"-:".contains(*it)).collect();
        let issued = Timestamp::from_basic(&digits).unwrap_or_default();
        Session {
            issued,
            mfa: (self.attributes.mfa_authenticated == "true").then_some(issued),
            source_identity: self.source_identity.clone(),
            provider: self.web_id_federation_data.federated_provider.clone(),
            ..Session::default()
        }
    }
}

/// The account whose principals may read a message for the owner of `message`'s resource.
pub(in crate::admin) fn owner(message: Option<&Message>) -> Option<AccountId> {
    message.map(|it| it.owner.clone())
}
