//! Whose rights a template may borrow: who makes it the current one must have them.

use super::Template;
use crate::rotation::consent::may_borrow;
use crate::secret::{Place, Secret};
use crate::stages::Label;
use crate::value::{self, Given};
use crate::version::Kind;
use crate::{Error, lookup};
use service::{Call, Permit};
use store::Txn;

/// Notes in `secret`, about to be saved in place of `before`, whether its template counts. Who brings another one
/// into force, by a value, a label or the type, must be one who may read the administrator's secret: else who may
/// write one secret would have users made with any rights. `given` is the current value, if the call has brought it.
pub(crate) async fn renew(
    (call, txn, permit): (&Call<'_>, &mut Txn<'_>, &Permit),
    place: &Place,
    (secret, before): (&mut Secret, &Secret),
    given: Option<Given<'_>>,
) -> Result<(), Error> {
    let current = secret.stages.holder(&Label::CURRENT).cloned();
    let (true, Some(current)) = (secret.is_dynamic(), current) else {
        secret.agreed = None;
        return Ok(());
    };
    // A version's value never changes: what was agreed to is what is read.
    let same = before.is_dynamic() && before.stages.holder(&Label::CURRENT) == Some(&current);
    if same && given.is_none() {
        return Ok(());
    }
    if secret.rotation.as_ref().is_some_and(|it| it.enabled || it.job.is_some()) {
        return Err(Error::Dynamic("A secret that rotates can't become a dynamic one."));
    }
    let template = match given {
        Some(Given { kind: Kind::String, value }) => Template::parse(value)?,
        Some(Given { kind: Kind::Binary, .. }) => return Err(not_text()),
        None => {
            let found = value::find(txn, place, secret, &current).await?;
            let version = found.ok_or(Error::NoValueForLabel(Label::CURRENT))?;
            if version.kind != Kind::String {
                return Err(not_text());
            }
            Template::parse(&value::open((call, txn, permit), place, secret, &version).await?)?
        }
    };
    let master = template.server.master.as_str();
    // That of another account would be read by nobody's right.
    let here = lookup::named(master, place).is_some_and(|(its, ..)| its == *place);
    if !here || !may_borrow((call, txn), place, master).await? {
        let told = "`masterarn` names no secret of the same account and Region";
        return Err(Error::Template(told.to_owned()));
    }
    secret.agreed = Some(current);
    Ok(())
}

fn not_text() -> Error {
    Error::Template("it is not text".to_owned())
}
