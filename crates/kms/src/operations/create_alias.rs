//! CreateAlias: a name that leads to a key.

use crate::exception::Exception;
use crate::operations::SOURCE;
use crate::rows::{AliasRow, aliases};
use crate::shown::Nothing;
use crate::state::Act;
use crate::{alias, limits, lookup};
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// The name, and where it leads.
    pub struct CreateAlias {
        alias_name: Text,
        target_key_id: Text,
    }
}

impl Operation for CreateAlias {
    const NAME: &'static str = "CreateAlias";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("kms:CreateAlias");
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
        if txn.find(&aliases(), &(place, name)).await?.is_some() {
            return Err(Exception::AliasExists(place.arn(&format!("alias/{name}"))));
        }
        key.permits(Act::Describe)?;
        let row = AliasRow { key_id: key.id.clone(), created: call.now, updated: None };
        alias::bind(txn, &key, name, &row)?;
        Ok(Answer::new(permit, Nothing {}))
    }
}
