//! Which users a group has: a row for each, beside the names of the groups that a user's own row has.

use crate::iam::Error;
use crate::iam::holder::{self, Holder};
use crate::iam::page::{Ask, Page};
use crate::user::User;
use base::AccountId;
use serde::{Deserialize, Serialize};
use service::Call;
use store::path::Path;
use store::{KeyRange, Table, Txn};
use wire::members::Text;

/// The most groups of one user.
pub(crate) const MOST_GROUPS: usize = 10;

/// The name of a user, in its own case.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
struct Member(String);

store::json_record!(Member, 1);

/// By account, group and user, both in lower case.
const fn members<'a>() -> Table<(&'a AccountId, &'a str, &'a str), Member> {
    Table::new(|(account, group, user)| place(account, group).with(user.to_ascii_lowercase()).key())
}

fn place(account: &AccountId, group: &str) -> Path {
    Path::new("a").with(account).with("group-user").with(group.to_ascii_lowercase())
}

/// Notes that `user` is one of `group`.
pub(crate) fn add(
    txn: &mut Txn<'_>,
    account: &AccountId,
    group: &str,
    user: &str,
) -> Result<(), store::Error> {
    txn.save(&members(), &(account, group, user), &Member(user.to_owned()))
}

/// Notes that `user` is one of `group` no more.
pub(crate) fn remove(txn: &mut Txn<'_>, account: &AccountId, group: &str, user: &str) {
    txn.remove(&members(), &(account, group, user));
}

/// The page of the names of the users of `group`.
pub(crate) async fn page(
    txn: &mut Txn<'_>,
    account: &AccountId,
    group: &str,
    ask: Ask<'_>,
) -> Result<Page<String>, Error> {
    let prefix = place(account, group).below();
    let (members, marker) = ask.of_rows::<Member>(txn, &prefix, |_| true).await?;
    Ok((members.into_iter().map(|it| it.0).collect(), marker))
}

/// Whether `group` has users.
pub(crate) async fn any(
    txn: &mut Txn<'_>,
    account: &AccountId,
    group: &str,
) -> Result<bool, Error> {
    Ok(!first(txn, account, group, 1).await?.is_empty())
}

/// Lets all users of the group `before` be users of the group `after`: it has another name now.
pub(crate) async fn rename(
    txn: &mut Txn<'_>,
    account: &AccountId,
    before: &str,
    after: &str,
) -> Result<(), Error> {
    for name in first(txn, account, before, User::KIND.most).await? {
        let Some(user) = User::find(txn, account, &name).await? else { continue };
        let mut user = User::clone(&user);
        for group in user.groups.iter_mut().filter(|it| *it == before) {
            after.clone_into(group);
        }
        user.write(txn, account)?;
        remove(txn, account, before, &name);
        add(txn, account, after, &name)?;
    }
    Ok(())
}

/// The names of the users of `group`.
pub(crate) async fn all(
    txn: &mut Txn<'_>,
    account: &AccountId,
    group: &str,
) -> Result<Vec<String>, store::Error> {
    first(txn, account, group, User::KIND.most).await
}

async fn first(
    txn: &mut Txn<'_>,
    account: &AccountId,
    group: &str,
    limit: usize,
) -> Result<Vec<String>, store::Error> {
    let range = KeyRange::prefix(&place(account, group).below());
    let page = txn.page::<Member>(range, limit, false).await?;
    Ok(page.rows.into_iter().map(|it| it.1.0).collect())
}

/// The user that joins or leaves.
pub(crate) async fn load_user(
    call: &Call<'_>,
    txn: &mut Txn<'_>,
    name: Option<&Text>,
) -> Result<User, Error> {
    let name = name.map_or("", Text::as_str);
    let user = User::find(txn, &call.caller.account, name).await?;
    Ok(User::clone(&*holder::found(name, user).existing()?))
}
