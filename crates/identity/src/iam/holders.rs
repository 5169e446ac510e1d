//! What makes users, groups and roles holders of policies.

use crate::entities::{Given, Group, Role, groups, roles};
use crate::iam::holder::{Holder, Kind, Parts};
use crate::user::{self, User};
use base::AccountId;
use std::sync::Arc;
use store::Txn;

impl Holder for User {
    const KIND: Kind = Kind { name: "user", title: "User", inline: 2048, most: 5000 };

    async fn find(
        txn: &mut Txn<'_>,
        account: &AccountId,
        name: &str,
    ) -> Result<Option<Arc<Self>>, store::Error> {
        user::find_spelled(txn, account, name).await
    }

    fn write(&self, txn: &mut Txn<'_>, account: &AccountId) -> Result<(), store::Error> {
        user::save(txn, account, self)
    }

    fn parts(&self) -> Parts<'_> {
        let Self { path, name, id, arn, given, boundary, tags, .. } = self;
        Parts { path, name, id, arn, given, boundary: boundary.as_deref(), tags }
    }

    fn given_mut(&mut self) -> &mut Given {
        &mut self.given
    }
}

impl Holder for Role {
    const KIND: Kind = Kind { name: "role", title: "Role", inline: 10_240, most: 1000 };

    async fn find(
        txn: &mut Txn<'_>,
        account: &AccountId,
        name: &str,
    ) -> Result<Option<Arc<Self>>, store::Error> {
        txn.find_shared(&roles(), &(account, name)).await
    }

    fn write(&self, txn: &mut Txn<'_>, account: &AccountId) -> Result<(), store::Error> {
        txn.save(&roles(), &(account, &self.name), self)
    }

    fn parts(&self) -> Parts<'_> {
        let Self { path, name, id, arn, given, boundary, tags, .. } = self;
        Parts { path, name, id, arn, given, boundary: boundary.as_deref(), tags }
    }

    fn given_mut(&mut self) -> &mut Given {
        &mut self.given
    }
}

impl Holder for Group {
    const KIND: Kind = Kind { name: "group", title: "Group", inline: 5120, most: 300 };

    async fn find(
        txn: &mut Txn<'_>,
        account: &AccountId,
        name: &str,
    ) -> Result<Option<Arc<Self>>, store::Error> {
        txn.find_shared(&groups(), &(account, name)).await
    }

    fn write(&self, txn: &mut Txn<'_>, account: &AccountId) -> Result<(), store::Error> {
        txn.save(&groups(), &(account, &self.name), self)
    }

    fn parts(&self) -> Parts<'_> {
        let Self { path, name, id, arn, given, .. } = self;
        Parts { path, name, id, arn, given, boundary: None, tags: &[] }
    }

    fn given_mut(&mut self) -> &mut Given {
        &mut self.given
    }
}
