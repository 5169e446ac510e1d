//! What makes users, groups and roles holders of policies.

use crate::entities::{Given, Group, Role, groups, roles};
use crate::iam::holder::{Holder, Kind};
use crate::iam::uses::Use;
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

    fn arn(&self) -> &str {
        &self.arn
    }

    fn as_use(&self) -> Use {
        as_use("user", &self.path, &self.name, &self.id)
    }

    fn given(&self) -> &Given {
        &self.given
    }

    fn given_mut(&mut self) -> &mut Given {
        &mut self.given
    }

    fn boundary(&self) -> Option<&str> {
        self.boundary.as_deref()
    }

    fn tags(&self) -> &[(String, String)] {
        &self.tags
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

    fn arn(&self) -> &str {
        &self.arn
    }

    fn as_use(&self) -> Use {
        as_use("role", &self.path, &self.name, &self.id)
    }

    fn given(&self) -> &Given {
        &self.given
    }

    fn given_mut(&mut self) -> &mut Given {
        &mut self.given
    }

    fn boundary(&self) -> Option<&str> {
        self.boundary.as_deref()
    }

    fn tags(&self) -> &[(String, String)] {
        &self.tags
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

    fn arn(&self) -> &str {
        &self.arn
    }

    fn as_use(&self) -> Use {
        as_use("group", &self.path, &self.name, &self.id)
    }

    fn given(&self) -> &Given {
        &self.given
    }

    fn given_mut(&mut self) -> &mut Given {
        &mut self.given
    }

    fn boundary(&self) -> Option<&str> {
        None
    }

    fn tags(&self) -> &[(String, String)] {
        &[]
    }
}

fn as_use(kind: &str, path: &str, name: &str, id: &str) -> Use {
    let own = str::to_owned;
    Use { kind: own(kind), path: own(path), name: own(name), id: own(id) }
}
