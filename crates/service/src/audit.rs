//! Audit records: one per call, shaped as CloudTrail's.
//!
//! Source: CloudTrail User Guide, "CloudTrail record contents"; members stand in its order.

use crate::call::{Call, TlsDetails};
use crate::members::Members;
use crate::{Caller, Denial, Endpoint, Kind};
use async_trait::async_trait;
use base::{AccountId, Region, Timestamp, Uuid};
use serde::Serialize;
use store::Table;
use store::path::Path;

/// Where audit records go. `trail::Journal` is the real one.
#[async_trait]
pub trait Trail: Send + Sync {
    /// Takes `records` over, before the answer leaves: when it returns they are with the kernel, or on
    /// disk, as configured.
    async fn append(&self, records: &[Encoded]) -> Result<(), TrailError>;

    /// The same for records that also wait in `outbox/`: their rows may be removed once the journal is
    /// on disk, and a failure loses nothing.
    async fn append_committed(&self, records: &[Encoded]) -> Result<(), TrailError>;
}

/// The trail can't take a record, so nothing may be answered.
#[derive(Debug, thiserror::Error)]
#[error("the audit trail can't be written")]
pub struct TrailError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// A record as it is kept: its id, its instant, and one line of JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    /// The record's `eventID`.
    pub id: String,
    /// Its `eventTime`, exact to the millisecond.
    pub at: Timestamp,
    /// The record.
    pub json: String,
}

impl store::Record for Encoded {
    const SCHEMA: u16 = 1;

    /// The instant in milliseconds, the length of the id, the id, and the record, as they are: a record
    /// in JSON within JSON would be escaped and read twice.
    fn encode(&self) -> Result<Vec<u8>, String> {
        let length = u8::try_from(self.id.len()).map_err(|_| "the id is too long".to_owned())?;
        let mut row = Vec::with_capacity(9 + self.id.len() + self.json.len());
        row.extend_from_slice(&self.at.millis().to_be_bytes());
        row.push(length);
        row.extend_from_slice(self.id.as_bytes());
        row.extend_from_slice(self.json.as_bytes());
        Ok(row)
    }

    fn decode(schema: u16, bytes: &[u8]) -> Result<Self, String> {
        if schema != Self::SCHEMA {
            return Err(format!("schema {schema} is newer than this program"));
        }
        let short = || "too short".to_owned();
        let (at, rest) = bytes.split_first_chunk().ok_or_else(short)?;
        let (length, rest) = rest.split_first().ok_or_else(short)?;
        let (id, json) = rest.split_at_checked(usize::from(*length)).ok_or_else(short)?;
        let text = |it: &[u8]| String::from_utf8(it.to_vec()).map_err(|it| it.to_string());
        let at = Timestamp::from_millis(i64::from_be_bytes(*at));
        Ok(Self { id: text(id)?, at, json: text(json)? })
    }
}

/// Records that were committed with a change and may not be in the journal yet, oldest first.
pub const OUTBOX: Table<Encoded, Encoded> = Table::new(outbox_key);

/// The prefix of [`OUTBOX`]'s keys.
pub const OUTBOX_PREFIX: &str = "outbox/";

fn outbox_key(record: &Encoded) -> String {
    Path::new("outbox").with_shown(format_args!("{:016x}-{}", record.at.millis(), record.id)).key()
}

/// A record besides the call's own.
#[derive(Clone, Debug)]
pub enum Event {
    /// A call the service makes on the caller's behalf, such as each GetSecretValue of a batch.
    OnBehalf {
        /// The service that is called: the `eventSource`.
        source: &'static str,
        /// The operation's name.
        name: &'static str,
        /// Its `requestParameters`.
        parameters: serde_json::Value,
        /// What it touches.
        resources: Vec<Resource>,
        /// Error code and message, if it failed.
        error: Option<(&'static str, String)>,
        /// Why it was denied, if it was.
        denial: Option<Denial>,
    },
    /// Something the service does by itself, such as removing a version.
    Service {
        /// The service that did it: the `eventSource`.
        source: &'static str,
        /// The event's name.
        name: &'static str,
        /// Its `additionalEventData`.
        details: serde_json::Value,
        /// Its `requestID`.
        request_id: String,
        /// Its `errorMessage`, if it went wrong.
        error: Option<String>,
    },
}

/// A resource, as records list them.
#[derive(Clone, Debug, Serialize)]
pub struct Resource {
    /// Its ARN.
    #[serde(rename = "ARN")]
    pub arn: String,
    /// The account that owns it.
    #[serde(rename = "accountId")]
    pub account: AccountId,
    /// `AWS::KMS::Key` and the like.
    #[serde(rename = "type")]
    pub kind: &'static str,
}

/// How a call ended, as its record tells it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) elements: Option<serde_json::Value>,
    pub(crate) error: Option<(&'static str, String)>,
    pub(crate) denial: Option<Denial>,
}

struct Record<'a, P: Serialize> {
    user_identity: Identity<'a>,
    event_source: &'static str,
    event_name: &'a str,
    aws_region: &'a Region,
    source_ip_address: &'a str,
    user_agent: &'a str,
    error: Option<(&'a str, &'a str)>,
    request_parameters: Option<P>,
    response_elements: Option<&'a serde_json::Value>,
    additional_event_data: Option<&'a serde_json::Value>,
    request_id: &'a str,
    event_id: &'a str,
    read_only: bool,
    is_data: bool,
    resources: &'a [Resource],
    event_type: &'static str,
    recipient_account_id: &'a AccountId,
    endpoint: Option<&'a Endpoint>,
    tls_details: Option<&'a TlsDetails>,
}

enum Identity<'a> {
    User { caller: &'a Caller, invoked_by: Option<&'static str> },
    Service { account_id: &'a AccountId, invoked_by: &'static str },
}

impl Identity<'_> {
    fn write(&self, out: Members) -> Members {
        match self {
            Self::User { caller, invoked_by } => {
                let is_user = matches!(caller.kind, Kind::User);
                let out = out
                    .plain("type", type_of(&caller.kind))
                    .text("principalId", &caller.principal_id);
                if let Kind::WebIdentity { provider, .. } = &caller.kind {
                    let out = out.text("userName", &caller.user_name);
                    return out.text("identityProvider", provider);
                }
                out.text("arn", &caller.arn)
                    .plain("accountId", &caller.account)
                    .plain("accessKeyId", &caller.access_key_id)
                    .text_if("userName", is_user.then_some(&*caller.user_name))
                    .session(caller)
                    .text_if("invokedBy", *invoked_by)
            }
            Self::Service { account_id, invoked_by } => {
                out.plain("accountId", account_id).plain("invokedBy", invoked_by)
            }
        }
    }
}

/// The `type` of an identity.
fn type_of(kind: &Kind) -> &'static str {
    match kind {
        Kind::FederatedUser { .. } => "FederatedUser",
        Kind::RoleSession { .. } => "AssumedRole",
        Kind::Root => "Root",
        // As CloudTrail has it of calls that no access key signs.
        Kind::Service { .. } => "Unknown",
        Kind::User => "IAMUser",
        Kind::WebIdentity { .. } => "WebIdentityUser",
    }
}

impl Members {
    /// The `sessionContext` of a caller with temporary credentials.
    fn session(self, caller: &Caller) -> Self {
        let Some(session) = &caller.session else { return self };
        self.object("sessionContext", |out| {
            let out = match &caller.kind {
                Kind::RoleSession { role_arn, role_id } => out.object("sessionIssuer", |out| {
                    out.plain("type", "Role")
                        .plain("principalId", role_id)
                        .text("arn", role_arn)
                        .plain("accountId", &caller.account)
                        .text("userName", &caller.user_name)
                }),
                _ => out,
            };
            let out = match &session.provider {
                Some(provider) => out.object("webIdFederationData", |out| {
                    out.text("federatedProvider", provider).object("attributes", |out| out)
                }),
                None => out,
            };
            let mfa = if session.mfa.is_some() { "true" } else { "false" };
            out.object("attributes", |out| {
                out.plain("creationDate", session.issued.to_string()).plain("mfaAuthenticated", mfa)
            })
            .text_if("sourceIdentity", session.source_identity.as_deref())
        })
    }
}

impl<P: Serialize> Record<'_, P> {
    /// Members in CloudTrail's order; `None` if one can't be written.
    fn json(&self, at: Timestamp) -> Option<String> {
        let (error_code, error_message) = self.error.unzip();
        Members::new(TYPICAL_BYTES)
            .plain("eventVersion", VERSION)
            .object("userIdentity", |it| self.user_identity.write(it))
            .plain("eventTime", at.to_string())
            .plain("eventSource", self.event_source)
            .plain("eventName", self.event_name)
            .plain("awsRegion", self.aws_region)
            .text("sourceIPAddress", self.source_ip_address)
            .text("userAgent", self.user_agent)
            .text_if("errorCode", error_code.filter(|it| !it.is_empty()))
            .text_if("errorMessage", error_message)
            .value("requestParameters", &self.request_parameters)
            .value("responseElements", &self.response_elements)
            .value_if("additionalEventData", self.additional_event_data)
            .text("requestID", self.request_id)
            .plain("eventID", self.event_id)
            .value("readOnly", &self.read_only)
            .value_if("resources", Some(self.resources).filter(|it| !it.is_empty()).as_ref())
            .plain("eventType", self.event_type)
            .value("managementEvent", &!self.is_data)
            .plain("recipientAccountId", self.recipient_account_id)
            .text_if("vpcEndpointId", self.endpoint.map(|it| it.id.as_str()))
            .text_if("vpcEndpointAccountId", account_of(self.endpoint))
            .plain("eventCategory", if self.is_data { "Data" } else { "Management" })
            .value_if("tlsDetails", self.tls_details)
            .done()
    }
}

fn account_of(endpoint: Option<&Endpoint>) -> Option<&str> {
    endpoint?.account.as_ref().map(AsRef::as_ref)
}

/// Room for most records.
const TYPICAL_BYTES: usize = 1280;

pub(crate) const SERVICE: &str = "secretsmanager.amazonaws.com";
const VERSION: &str = "1.09";

/// What a record says about an operation, whatever came of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Named {
    pub(crate) source: &'static str,
    pub(crate) name: &'static str,
    pub(crate) read_only: bool,
    pub(crate) is_data: bool,
}

/// A record may have so many bytes; what the caller sent beyond that is left out of it.
const MOST_BYTES: usize = 256 * 1024;

/// The record of `call` to the operation `named`, with `parameters` as its input.
pub(crate) fn of_call<P: Serialize>(
    call: &Call<'_>,
    named: Named,
    parameters: Option<&P>,
    outcome: &Outcome,
) -> Option<Encoded> {
    let whole = of_whole_call(call, named, parameters, outcome)?;
    if whole.json.len() <= MOST_BYTES {
        return Some(whole);
    }
    of_whole_call::<P>(call, named, None, outcome)
}

fn of_whole_call<P: Serialize>(
    call: &Call<'_>,
    named: Named,
    parameters: Option<&P>,
    outcome: &Outcome,
) -> Option<Encoded> {
    let (id, request_id) = (Uuid::random(call.entropy).to_string(), call.request_id.to_string());
    encode(
        call.now,
        &Record {
            user_identity: identity(call, None),
            event_source: named.source,
            event_name: named.name,
            aws_region: call.region,
            source_ip_address: &call.source.address,
            user_agent: &call.source.user_agent,
            error: outcome.error.as_ref().map(|it| (it.0, cut(&it.1))),
            request_parameters: parameters,
            response_elements: outcome.elements.as_ref(),
            additional_event_data: outcome.denial.as_ref().and_then(Denial::shown),
            request_id: &request_id,
            event_id: &id,
            read_only: named.read_only,
            is_data: named.is_data,
            resources: &[],
            event_type: "AwsApiCall",
            recipient_account_id: &call.caller.account,
            endpoint: call.endpoint(),
            tls_details: call.source.tls.as_ref(),
        },
    )
}

/// The record of something that came with `call`.
pub(crate) fn of_event(call: &Call<'_>, event: &Event) -> Option<Encoded> {
    match event {
        Event::OnBehalf { source, name, parameters, resources, error, denial } => {
            let outcome = (error.as_ref(), denial.as_ref());
            on_behalf(call, (source, name), (parameters, resources), outcome)
        }
        Event::Service { source, name, details, request_id, error } => {
            let place = (&call.caller.account, call.region);
            let when = (call.now, Uuid::random(call.entropy));
            let told = (*name, details, request_id.as_str());
            by_itself((source, source), place, when, (told, error.as_deref()))
        }
    }
}

/// The record of something that the service `source`, an `eventSource`, did by itself in the partition `place`.
/// `told` is the event's name, what to say of it, and the request id.
pub fn of_service(
    source: &'static str,
    place: (&AccountId, &Region),
    when: (Timestamp, Uuid),
    told: (&str, &serde_json::Value, &str),
) -> Option<Encoded> {
    by_itself((source, source), place, when, (told, None))
}

/// The record of something an operator did on this machine, past all policies: an account or an
/// access key made or changed. `told` is the event's name, what to say of it, and the request id.
pub fn of_operator(
    place: (&AccountId, &Region),
    now: Timestamp,
    id: Uuid,
    told: (&str, &serde_json::Value, &str),
) -> Option<Encoded> {
    by_itself(("iam.amazonaws.com", "operator"), place, (now, id), (told, None))
}

fn by_itself(
    (source, actor): (&'static str, &'static str),
    (account, region): (&AccountId, &Region),
    (now, id): (Timestamp, Uuid),
    ((name, details, request_id), error): ((&str, &serde_json::Value, &str), Option<&str>),
) -> Option<Encoded> {
    let id = id.to_string();
    encode(
        now,
        &Record::<()> {
            user_identity: Identity::Service { account_id: account, invoked_by: actor },
            event_source: source,
            event_name: name,
            aws_region: region,
            source_ip_address: actor,
            user_agent: actor,
            error: error.map(|it| ("", cut(it))),
            request_parameters: None,
            response_elements: None,
            additional_event_data: Some(details),
            request_id,
            event_id: &id,
            read_only: false,
            is_data: false,
            resources: &[],
            event_type: "AwsServiceEvent",
            recipient_account_id: account,
            endpoint: None,
            tls_details: None,
        },
    )
}

fn on_behalf(
    call: &Call<'_>,
    (source, name): (&'static str, &str),
    (parameters, resources): (&serde_json::Value, &[Resource]),
    (error, denial): (Option<&(&'static str, String)>, Option<&Denial>),
) -> Option<Encoded> {
    let (id, request_id) = (Uuid::random(call.entropy).to_string(), call.request_id.to_string());
    encode(
        call.now,
        &Record {
            user_identity: identity(call, Some(SERVICE)),
            event_source: source,
            event_name: name,
            aws_region: call.region,
            source_ip_address: SERVICE,
            user_agent: SERVICE,
            error: error.map(|it| (it.0, cut(&it.1))),
            request_parameters: Some(parameters),
            response_elements: None,
            additional_event_data: denial.and_then(Denial::shown),
            request_id: &request_id,
            event_id: &id,
            read_only: true,
            is_data: false,
            resources,
            event_type: "AwsApiCall",
            recipient_account_id: &call.caller.account,
            endpoint: None,
            tls_details: None,
        },
    )
}

fn identity<'a>(call: &Call<'a>, invoked_by: Option<&'static str>) -> Identity<'a> {
    Identity::User { caller: call.caller, invoked_by }
}

/// A record that doesn't serialise is none; callers treat that as a trail that can't be written.
fn encode<P: Serialize>(at: Timestamp, record: &Record<'_, P>) -> Option<Encoded> {
    let json = record.json(at)?;
    Some(Encoded { id: record.event_id.to_owned(), at, json })
}

/// At most 1,024 bytes of `text`, on a character boundary.
fn cut(text: &str) -> &str {
    text.get(..text.floor_char_boundary(1024)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use store::Record as _;

    #[test]
    fn a_record_survives_its_row_and_nothing_shorter_does() {
        let record = Encoded {
            id: "5b1fcb2f-6d5c-47b1-9f5e-3c1e0f2a9d44".to_owned(),
            at: Timestamp::from_millis(1_769_853_600_123),
            json: r#"{"eventName":"é"}"#.to_owned(),
        };
        let row = record.encode().expect("encodes");
        assert_eq!(Encoded::decode(1, &row).as_ref(), Ok(&record));
        assert!(Encoded::decode(2, &row).is_err());
        for length in 0..9 + record.id.len() {
            assert!(Encoded::decode(1, &row[..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(cut(&"é".repeat(600)).len(), 1024);
        assert_eq!(cut("short"), "short");
    }
}
