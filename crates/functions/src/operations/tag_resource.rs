//! TagResource: adds tags to a function.

use super::{Nothing, SOURCE};
use crate::tags::{self, Tags};
use crate::{Error, limits, lookup};
use policy::engine::Values;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// To what, and which.
    pub struct TagResource {
        resource: Text,
        tags: Tags,
    }
}

impl Operation for TagResource {
    const NAME: &'static str = "TagResource";
    const SOURCE: &'static str = SOURCE;
    const RECORDED: &'static str = "TagResource20170331v2";
    const ACTION: Action = Action("lambda:TagResource");
    const READ_ONLY: bool = false;
    type Output = Nothing;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        limits::resource(found, self.resource.as_ref());
        found.required("tags", self.tags.as_ref());
        tags::constraints(found, self.tags.as_ref());
    }

    fn condition(&self, key: &str) -> Option<Values<'_>> {
        tags::condition(self.tags.as_ref(), key)
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Nothing>, Error> {
        let (permit, found) = lookup::admit_tagged(call, txn, self, self.resource.as_ref()).await?;
        let former = found.unchanged(None)?;
        let mut changed = former.clone();
        tags::add(&mut changed.tags, self.tags.as_ref())?;
        changed.save(txn, Some(&former))?;
        Ok(Answer::new(permit, Nothing {}))
    }
}
