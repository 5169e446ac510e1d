//! PutSecretValue: a new version, or the same one again.

use crate::lease::consent;
use crate::secret::{Place, Secret};
use crate::stages::{Label, VersionId};
use crate::value::{self, Given};
use crate::{Error, limits, lookup, rotation};
use serde::Serialize;
use service::{Action, Answer, Call, Operation, Permit, input};
use store::Txn;
use wire::Violations;
use wire::members::{Blob, List, SecretText, Text};

input! {
    /// The value, and the labels its version gets instead of `AWSCURRENT`.
    pub struct PutSecretValue {
        secret_id: Text,
        client_request_token: Text,
        #[serde(skip_serializing)]
        secret_binary: Blob,
        #[serde(skip_serializing)]
        secret_string: SecretText,
        version_stages: List<Text>,
        #[serde(skip_serializing)]
        rotation_token: SecretText,
    }
}

/// The version that now holds the value, with all its labels.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    #[serde(rename = "ARN")]
    arn: String,
    name: String,
    version_id: String,
    version_stages: Vec<String>,
}

impl Operation for PutSecretValue {
    const NAME: &'static str = "PutSecretValue";
    const ACTION: Action = Action("secretsmanager:PutSecretValue");
    const READ_ONLY: bool = false;
    type Output = Output;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        lookup::constraints(found, self.secret_id.as_ref());
        found.length("clientRequestToken", self.client_request_token.as_ref(), limits::TOKEN);
        found.blob("secretBinary", self.secret_binary.as_ref(), limits::VALUE);
        found.secret("secretString", self.secret_string.as_ref(), limits::VALUE);
        let stages = self.version_stages.as_ref();
        found.count("versionStages", stages, limits::LABELS_GIVEN, |it| it.as_str().to_owned());
        found.each("versionStages", stages, limits::LABEL);
        found.secret("rotationToken", self.rotation_token.as_ref(), 36..=256);
        found.secret_pattern(
            "rotationToken",
            self.rotation_token.as_ref(),
            "^[a-zA-Z0-9\\-]+$",
            |it| it.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-'),
        );
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let (permit, found) = lookup::admit(call, txn, self, self.secret_id.as_ref()).await?;
        let token = value::token(self.client_request_token.as_ref())?;
        let given = value::given(self.secret_string.as_ref(), self.secret_binary.as_ref())?;
        let given = given.ok_or(Error::NoValueGiven)?;
        let (place, before) = found.live()?;

        let mut secret = Secret::clone(&before);
        self.check_rotation(&secret)?;
        self.put((call, txn, &permit), &place, &mut secret, (&token, given)).await?;
        let current = |it: &Secret| it.stages.holder(&Label::CURRENT).cloned();
        let by_hand = current(&secret) != current(&before);
        let events = if by_hand { secret.written_by_hand(&token, call.now) } else { Vec::new() };
        // Where labels say so, the value is put for later.
        let given = (current(&secret).as_ref() == Some(&token)).then_some(given);
        let changed = (&mut secret, &*before);
        consent::renew((call, txn, &permit), &place, changed, given).await?;
        if secret != *before {
            secret.touch(call.now);
            secret.save(txn, &place, &before)?;
        }
        Ok(Answer::new(permit, Output::new(secret, token)).with_events(events))
    }

    fn elements(output: &Output) -> Option<serde_json::Value> {
        Some(serde_json::json!({ "arn": output.arn }))
    }
}

impl PutSecretValue {
    /// A rotation token must be that of the attempt under way: nobody else has it.
    fn check_rotation(&self, secret: &Secret) -> Result<(), Error> {
        let Some(token) = &self.rotation_token else { return Ok(()) };
        let job = secret.rotation.as_ref().and_then(|it| it.job.as_ref());
        let known = job.and_then(|it| it.proof.as_deref());
        if known == Some(rotation::hash(token.value()).as_str()) {
            return Ok(());
        }
        Err(Error::Denied("The rotation token is not that of a rotation under way.".to_owned()))
    }

    /// SDKs resend the same token on a retry: the same value again is a success, and labels that are
    /// asked for are attached all the same.
    async fn put(
        &self,
        (call, txn, permit): (&Call<'_>, &mut Txn<'_>, &Permit),
        place: &Place,
        secret: &mut Secret,
        (token, given): (&VersionId, Given<'_>),
    ) -> Result<(), Error> {
        let asked = self.version_stages.as_ref().map(List::as_slice);
        let labels = asked.map(|it| it.iter().map(|label| Label::new(label.as_str())));
        if let Some(version) = value::find(txn, place, secret, token).await? {
            if !value::same((call, txn, permit), place, secret, &version, given).await? {
                let (token, arn) = (token.as_str().to_owned(), secret.arn.clone());
                return Err(Error::TokenInUse { token, arn });
            }
            secret.stages.attach_all(labels.into_iter().flatten(), token);
            return secret.check_labels();
        }
        let first = secret.stages.holder(&Label::CURRENT).is_none();
        let current = (first || labels.is_none()).then_some(Label::CURRENT);
        secret.stages.attach_all(labels.into_iter().flatten().chain(current), token);
        secret.check_labels()?;
        value::add_version((call, txn, permit), place, secret, token, given).await
    }
}

impl Output {
    fn new(secret: Secret, token: VersionId) -> Self {
        let stages = secret.stages.of(&token);
        Self {
            version_stages: stages.into_iter().map(|it| it.as_str().to_owned()).collect(),
            arn: secret.arn,
            name: secret.name,
            version_id: token.0,
        }
    }
}
