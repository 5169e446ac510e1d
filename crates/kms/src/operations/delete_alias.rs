//! DeleteAlias: a name leads nowhere any more. Its key stays.

use crate::exception::Exception;
use crate::operations::SOURCE;
use crate::reference::Found;
use crate::rows::{aliases, keys};
use crate::shown::Nothing;
use crate::{alias, lookup};
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// The name.
    pub struct DeleteAlias {
        alias_name: Text,
    }
}

impl Operation for DeleteAlias {
    const NAME: &'static str = "DeleteAlias";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("kms:DeleteAlias");
    const READ_ONLY: bool = false;
    type Output = Nothing;
    type Error = Exception;

    fn constraints(&self, found: &mut Violations) {
        alias::constraints(found, self.alias_name.as_ref());
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Nothing>, Exception> {
        let permit = alias::ask(call, (self, Self::ACTION), self.alias_name.as_ref())?;
        call.validate(self)?;
        let name = alias::own_name(self.alias_name.as_ref())?;
        let place = lookup::place(call);
        let row = txn.find(&aliases(), &(place, name)).await?;
        let row = row.ok_or_else(|| alias::missing(place, name))?;
        if let Some(key) = txn.find_shared(&keys(), &(place, row.key_id.as_str())).await? {
            let found = Found { arn: key.arn.clone(), key: Some(key.clone()), alias: None };
            let sought = lookup::Sought::default();
            lookup::ask(call, txn, (self, Self::ACTION), &found, sought).await?;
            alias::unbind(txn, &key, name)?;
        }
        txn.remove(&aliases(), &(place, name));
        Ok(Answer::new(permit, Nothing {}))
    }
}
