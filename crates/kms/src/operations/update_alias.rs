//! UpdateAlias: lets a name lead to another key.

use crate::exception::Exception;
use crate::operations::SOURCE;
use crate::reference::Found;
use crate::rows::{AliasRow, aliases, keys};
use crate::shown::Nothing;
use crate::state::Act;
use crate::{alias, limits, lookup};
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// The name, and where it leads from now on.
    pub struct UpdateAlias {
        alias_name: Text,
        target_key_id: Text,
    }
}

impl Operation for UpdateAlias {
    const NAME: &'static str = "UpdateAlias";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("kms:UpdateAlias");
    const READ_ONLY: bool = false;
    type Output = Nothing;
    type Error = Exception;

    fn constraints(&self, found: &mut Violations) {
        alias::constraints(found, self.alias_name.as_ref());
        found.required("targetKeyId", self.target_key_id.as_ref());
        found.length("targetKeyId", self.target_key_id.as_ref(), limits::KEY_ID);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Nothing>, Exception> {
        alias::ask(call, (self, Self::ACTION), self.alias_name.as_ref())?;
        let sought = lookup::Sought::own(self.target_key_id.as_ref());
        let (permit, key) = lookup::admit(call, txn, self, sought).await?;
        let name = alias::own_name(self.alias_name.as_ref())?;
        let place = lookup::place(call);
        let row = txn.find(&aliases(), &(place, name)).await?;
        let row = row.ok_or_else(|| alias::missing(place, name))?;
        let former = txn.find_shared(&keys(), &(place, row.key_id.as_str())).await?;
        if let Some(former) = former.filter(|it| it.id != key.id) {
            let (arn, key) = (former.arn.clone(), Some(former));
            let found = Found { arn, key, alias: None };
            lookup::ask(call, txn, (self, Self::ACTION), &found, sought).await?;
            if let Some(former) = &found.key {
                alias::unbind(txn, former, name)?;
            }
        }
        key.permits(Act::Describe)?;
        let row = AliasRow { key_id: key.id.clone(), updated: Some(call.now), ..row };
        alias::bind(txn, &key, name, &row)?;
        Ok(Answer::new(permit, Nothing {}))
    }
}
