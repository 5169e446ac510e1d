//! RotateSecret: stores how a secret rotates, and begins a rotation or a test of one.

use crate::operations::shown::NamedVersion;
use crate::rotation::given::{MetadataGiven, RulesGiven};
use crate::rotation::{Job, Kind, Phase, consent};
use crate::secret::{Place, Secret};
use crate::stages::{Label, VersionId};
use crate::value::{self, Given};
use crate::{Error, condition, limits, lookup};
use base::{Arn, Sensitive, Uuid};
use functions::{By, Invocable, Machine, Uninvocable};
use policy::engine::Values;
use service::{Action, Answer, Call, Operation, Permit, Target, input};
use store::Txn;
use wire::Violations;
use wire::members::{Boolean, List, Structure, Text};

input! {
    /// Which secret, by which function, when, and whether at once.
    pub struct RotateSecret {
        secret_id: Text,
        client_request_token: Text,
        #[serde(rename(deserialize = "RotationLambdaARN", serialize = "rotationLambdaARN"))]
        rotation_lambda_arn: Text,
        rotation_rules: Structure<RulesGiven>,
        external_secret_rotation_metadata: List<Structure<MetadataGiven>>,
        external_secret_rotation_role_arn: Text,
        rotate_immediately: Boolean,
    }
}

impl Operation for RotateSecret {
    const NAME: &'static str = "RotateSecret";
    const ACTION: Action = Action("secretsmanager:RotateSecret");
    const READ_ONLY: bool = false;
    type Output = NamedVersion;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        lookup::constraints(found, self.secret_id.as_ref());
        found.length("clientRequestToken", self.client_request_token.as_ref(), limits::TOKEN);
        let function = self.rotation_lambda_arn.as_ref();
        found.length("rotationLambdaARN", function, limits::FUNCTION_ARN);
        if let Some(Structure(rules)) = &self.rotation_rules {
            rules.constraints(found);
        }
        let role = self.external_secret_rotation_role_arn.as_ref();
        found.length("externalSecretRotationRoleArn", role, limits::SECRET_ARN);
    }

    fn condition(&self, key: &str) -> Option<Values<'_>> {
        match condition::own(key)? {
            "rotationlambdaarn" => condition::text(self.rotation_lambda_arn.as_ref()),
            "rotateimmediately" => condition::boolean(self.rotate_immediately),
            "modifyrotationrules" => Some(Values::bool(self.rotation_rules.is_some())),
            _ => None,
        }
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<NamedVersion>, Error> {
        let (permit, found) = lookup::admit(call, txn, self, self.secret_id.as_ref()).await?;
        let token = value::token(self.client_request_token.as_ref())?;
        let (place, before) = found.live()?;
        if before.is_dynamic() {
            return Err(Error::Dynamic(
                "A dynamic secret makes a user for each reader: it doesn't rotate.",
            ));
        }
        let asked = self.asked(&before)?;
        let found = self.check_function(call, txn, (&place, &before), &asked.function).await?;
        let master = match found {
            Invocable::Native(_) => consent::given((call, txn, &permit), &place, &before).await?,
            Invocable::Code { .. } | Invocable::Elsewhere => None,
        };
        let mut secret = Secret::clone(&before);
        let begun = secret.check_idle(&token);
        if let Ok(version) | Err(Error::RotationBusy(version)) = &begun
            && let Some(version) = version
        {
            // What is stuck is tried again, whatever is answered. A value that somebody else has put is not the
            // next password: another version is made then.
            let native = matches!(found, Invocable::Native(_));
            let foreign = native && value::find(txn, &place, &before, version).await?.is_some();
            let fresh = || VersionId(Uuid::random(call.entropy).to_string());
            let version = if foreign { fresh() } else { version.clone() };
            secret.retry_now((&version, master.as_ref()), call);
            secret.save(txn, &place, &before)?;
        }
        if begun?.is_none() {
            let rules = asked.rules.map(RulesGiven::read).transpose()?.flatten();
            secret.follow((asked.function, master), rules, call);
            self.start((call, txn, &permit), &place, &mut secret, &token).await?;
            secret.check_labels()?;
            secret.touch(call.now);
            secret.save(txn, &place, &before)?;
        }
        let (arn, name) = (secret.arn, secret.name);
        Ok(Answer::new(permit, NamedVersion { arn, name, version_id: Some(token.0) }))
    }

    fn elements(output: &NamedVersion) -> Option<serde_json::Value> {
        Some(output.arn_element())
    }
}

/// Who invokes functions.
const SERVICE: &str = "secretsmanager.amazonaws.com";

/// What is to be stored.
struct Asked<'a> {
    function: String,
    rules: Option<&'a RulesGiven>,
}

impl RotateSecret {
    /// The function and the rules that are meant, before anything else is looked at.
    fn asked(&self, secret: &Secret) -> Result<Asked<'_>, Error> {
        if self.external_secret_rotation_metadata.is_some()
            || self.external_secret_rotation_role_arn.is_some()
        {
            return Err(Error::Unsupported("Rotation of managed external secrets"));
        }
        let rules = self.rotation_rules.as_ref().map(|Structure(it)| it);
        if rules.is_some_and(RulesGiven::has_both) {
            return Err(Error::BothRules);
        }
        let given = self.rotation_lambda_arn.as_ref().map(Text::as_str);
        let stored = secret.rotation.as_ref().and_then(|it| it.function.as_deref());
        let function = given.filter(|it| !it.is_empty()).or(stored).ok_or(Error::NoFunction)?;
        Ok(Asked { function: function.to_owned(), rules })
    }

    /// Whether the function exists, lets the service in for this secret, and may be used by the caller.
    async fn check_function(
        &self,
        call: &Call<'_>,
        txn: &mut Txn<'_>,
        (place, secret): (&Place, &Secret),
        function: &str,
    ) -> Result<Invocable, Error> {
        let by = By { service: SERVICE, account: &place.account, arn: &secret.arn };
        let elsewhere = call.port::<Machine>().map(|it| it.elsewhere.clone()).unwrap_or_default();
        let found = match functions::may_be_invoked(txn, (function, &elsewhere), by).await {
            Ok(found) => found,
            Err(Uninvocable::Absent | Uninvocable::Denied) => return Err(Error::FunctionShut),
            Err(Uninvocable::Store(error)) => return Err(error.into()),
        };
        let owner = match found {
            // Its own policy is asked where it is; here only whether the caller may have it used, which for a secret
            // of another account that account has to allow, too.
            Invocable::Elsewhere => Some(place.account.clone()),
            _ => Arn::parse(function).ok().and_then(|it| it.account()),
        };
        let owner = owner.ok_or(Error::FunctionShut)?;
        let target = Target::of(&owner, Some(function));
        call.authorize(Action("lambda:InvokeFunction"), target)?;
        Ok(found)
    }

    /// Makes the version that the rotation fills, or a copy of the current one for a test.
    async fn start(
        &self,
        (call, txn, permit): (&Call<'_>, &mut Txn<'_>, &Permit),
        place: &Place,
        secret: &mut Secret,
        token: &VersionId,
    ) -> Result<(), Error> {
        let at_once = self.rotate_immediately.is_none_or(Boolean::get);
        if value::find(txn, place, secret, token).await?.is_some() {
            return Err(Error::TokenInUse { token: token.0.clone(), arn: secret.arn.clone() });
        }
        let current = secret.stages.holder(&Label::CURRENT).cloned();
        let kind = if at_once { Kind::Rotate } else { Kind::Test };
        if let (Kind::Test, Some(current)) = (kind, current)
            && let Some(version) = value::find(txn, place, secret, &current).await?
        {
            let copy: Sensitive = value::open((call, txn, permit), place, secret, &version).await?;
            let given = Given { kind: version.kind, value: &copy };
            value::add_version((call, txn, permit), place, secret, token, given).await?;
        }
        secret.stages.attach(Label::PENDING, token);
        if let Some(rotation) = &mut secret.rotation {
            let job = Job::new(kind, token.clone(), call.now);
            let phase = if kind == Kind::Test { Phase::Created } else { job.phase };
            rotation.job = Some(Job { phase, asked: true, ..job });
        }
        Ok(())
    }
}
