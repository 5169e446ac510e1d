//! UpdateSecretVersionStage: moves a staging label, or takes it off.

use crate::lease::consent;
use crate::operations::shown::Named;
use crate::secret::{Place, Secret};
use crate::stages::{Label, VersionId};
use crate::{Error, condition, limits, lookup, value};
use policy::engine::Values;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Which label, from which version, to which version.
    pub struct UpdateSecretVersionStage {
        secret_id: Text,
        version_stage: Text,
        remove_from_version_id: Text,
        move_to_version_id: Text,
    }
}

impl Operation for UpdateSecretVersionStage {
    const NAME: &'static str = "UpdateSecretVersionStage";
    const ACTION: Action = Action("secretsmanager:UpdateSecretVersionStage");
    const READ_ONLY: bool = false;
    type Output = Named;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        lookup::constraints(found, self.secret_id.as_ref());
        found.required("versionStage", self.version_stage.as_ref());
        found.length("versionStage", self.version_stage.as_ref(), limits::LABEL);
        found.length("removeFromVersionId", self.remove_from_version_id.as_ref(), limits::TOKEN);
        found.length("moveToVersionId", self.move_to_version_id.as_ref(), limits::TOKEN);
    }

    fn condition(&self, key: &str) -> Option<Values<'_>> {
        match condition::own(key)? {
            "versionstage" => condition::text(self.version_stage.as_ref()),
            _ => None,
        }
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Named>, Error> {
        let (permit, found) = lookup::admit(call, txn, self, self.secret_id.as_ref()).await?;
        let (place, before) = found.live()?;
        let step = self.step()?;
        if let Some(to) = &step.to {
            step.check_exists(txn, &place, &before, to).await?;
        }
        let mut secret = Secret::clone(&before);
        step.apply(&mut secret)?;
        let changed = (&mut secret, &*before);
        consent::renew((call, txn, &permit), &place, changed, None).await?;
        if secret != *before {
            secret.check_labels()?;
            secret.touch(call.now);
            secret.save(txn, &place, &before)?;
        }
        Ok(Answer::new(permit, Named::new(&secret)))
    }

    fn elements(output: &Named) -> Option<serde_json::Value> {
        Some(output.arn_element())
    }
}

impl UpdateSecretVersionStage {
    fn step(&self) -> Result<Step, Error> {
        let id = |it: &Option<Text>| it.as_ref().map(|it| VersionId(it.as_str().to_owned()));
        let label = Label::new(self.version_stage.as_ref().map(Text::as_str).unwrap_or_default());
        let (from, to) = (id(&self.remove_from_version_id), id(&self.move_to_version_id));
        if from.is_none() && to.is_none() {
            return Err(Error::Parameter(
                "You must specify RemoveFromVersionId, MoveToVersionId, or both.".to_owned(),
            ));
        }
        Ok(Step { label, from, to })
    }
}

/// One label's way.
struct Step {
    label: Label,
    from: Option<VersionId>,
    to: Option<VersionId>,
}

impl Step {
    async fn check_exists(
        &self,
        txn: &mut Txn<'_>,
        place: &Place,
        secret: &Secret,
        to: &VersionId,
    ) -> Result<(), Error> {
        let labelled = !secret.stages.of(to).is_empty();
        if labelled || value::find(txn, place, secret, to).await?.is_some() {
            return Ok(());
        }
        Err(Error::NoValueForVersion(to.clone()))
    }

    fn apply(self, secret: &mut Secret) -> Result<(), Error> {
        let Self { label, from, to } = self;
        let holder = secret.stages.holder(&label).cloned();
        match (holder, from, to) {
            (Some(holder), None, Some(to)) if holder != to => {
                Err(Error::StageTaken { label, version: holder })
            }
            (holder, Some(from), Some(_)) if holder.as_ref() != Some(&from) => {
                Err(Error::StageElsewhere(label))
            }
            (_, _, Some(to)) => {
                secret.stages.attach(label, &to);
                Ok(())
            }
            (_, _, None) if label == Label::CURRENT => Err(Error::CurrentStays),
            (holder, from, None) if holder != from => Err(Error::StageElsewhere(label)),
            (_, _, None) => secret.stages.detach(&label).map_err(|_| Error::CurrentStays),
        }
    }
}
