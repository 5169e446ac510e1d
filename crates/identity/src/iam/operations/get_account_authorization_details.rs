//! GetAccountAuthorizationDetails: all users, groups, roles and policies of the account.

use crate::entities::{Group, Role};
use crate::iam::details::{GroupDetail, RoleDetail, UserDetail};
use crate::iam::page::Ask;
use crate::iam::policies::Managed;
use crate::iam::shown::ShownPolicy;
use crate::iam::{Error, SOURCE, documents, holder, page, policies, profiles, uses};
use crate::user::User;
use crate::{entities, last_use, user};
use base::AccountId;
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use std::collections::BTreeMap;
use store::Txn;
use wire::Violations;
use wire::members::{Integer, List, Text};

input! {
    /// What of the account, and from where.
    pub struct GetAccountAuthorizationDetails {
        filter: List<Text>,
        marker: Text,
        max_items: Integer,
    }
}

/// A page of all that there is.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    user_detail_list: Vec<UserDetail>,
    group_detail_list: Vec<GroupDetail>,
    role_detail_list: Vec<RoleDetail>,
    policies: Vec<ShownPolicy>,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
}

impl Operation for GetAccountAuthorizationDetails {
    const NAME: &'static str = "GetAccountAuthorizationDetails";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:GetAccountAuthorizationDetails");
    const READ_ONLY: bool = true;
    type Output = Output;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        for kind in self.filter.as_ref().map_or(&[][..], List::as_slice) {
            found.one_of("filter", Some(kind), &KINDS);
        }
        page::constraints(found, self.marker.as_ref(), self.max_items);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let permit = call.admit(self, call.own_account())?;
        let ask = Ask::of(Self::NAME, self.marker.as_ref(), self.max_items);
        let account = &call.caller.account;
        let found = self.find(txn, account).await?;
        let (keys, found): (Vec<String>, Vec<Found>) = found.into_iter().unzip();
        let (found, marker) = ask.of_items(keys.iter().map(String::as_str).zip(found))?;
        let is_truncated = marker.is_some();
        let mut output = Output { is_truncated, marker, ..Output::default() };
        for it in found {
            match it {
                Found::Group(group) => output.group_detail_list.push(GroupDetail::of(group)),
                Found::Policy(policy) => {
                    let uses = uses::count(txn, account, &policy.arn()).await?;
                    output.policies.push(ShownPolicy::with_versions(&policy, uses));
                }
                Found::Role(role) => {
                    let trust = documents::shown_trust(txn, &role).await?;
                    let profiles = profiles::of_role_shown(txn, account, &role.name).await?;
                    let last = last_use::find(txn, account, &role.id).await?;
                    let detail = RoleDetail::of(role, trust, (profiles, last));
                    output.role_detail_list.push(detail);
                }
                Found::User(user) => output.user_detail_list.push(UserDetail::of(user)),
            }
        }
        Ok(Answer::new(permit, output))
    }
}

const KINDS: [&str; 5] = ["User", "Role", "Group", "LocalManagedPolicy", "AWSManagedPolicy"];

/// What a page can hold.
enum Found {
    Group(Group),
    Policy(Managed),
    Role(Role),
    User(User),
}

impl GetAccountAuthorizationDetails {
    fn wants(&self, kind: &str) -> bool {
        let kinds = self.filter.as_ref().map_or(&[][..], List::as_slice);
        kinds.is_empty() || kinds.iter().any(|it| it.as_str() == kind)
    }

    /// What is asked for, by kind and then by name. Of AWS's policies those that are used.
    async fn find(
        &self,
        txn: &mut Txn<'_>,
        account: &AccountId,
    ) -> Result<BTreeMap<String, Found>, Error> {
        let mut found = BTreeMap::new();
        if self.wants("Group") {
            let rows = holder::all::<Group>(txn, &entities::prefix(account, "group")).await?;
            found.extend(
                rows.into_iter().map(|it| (format!("group/{}", it.name), Found::Group(it))),
            );
        }
        if self.wants("Role") {
            let rows = holder::all::<Role>(txn, &entities::prefix(account, "role")).await?;
            found.extend(rows.into_iter().map(|it| (format!("role/{}", it.name), Found::Role(it))));
        }
        if self.wants("User") {
            let rows = holder::all::<User>(txn, &user::prefix(account)).await?;
            found.extend(rows.into_iter().map(|it| (format!("user/{}", it.name), Found::User(it))));
        }
        for policy in policies::all(txn, account, "All").await? {
            let (kind, unused) = match &policy {
                Managed::Own(_) => ("LocalManagedPolicy", false),
                Managed::Aws(it) => {
                    let uses = uses::count(txn, account, &it.arn()).await?;
                    ("AWSManagedPolicy", uses == (0, 0))
                }
            };
            if self.wants(kind) && !unused {
                found.insert(format!("policy/{}", policy.arn()), Found::Policy(policy));
            }
        }
        Ok(found)
    }
}
