//! What an operator changes: accounts and access keys, each with its audit record.

use super::Admin;
use super::answer::{Fault, Replied, ok, with_status};
use crate::start::nowhere;
use base::{AccountId, Region, Sensitive, Timestamp};
use http::StatusCode;
use identity::{AccessKey, Error, Status};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use service::audit::Encoded;
use store::{Table, Txn};

/// A change of accounts or access keys.
#[derive(Debug)]
pub(super) enum Change {
    CreateAccessKey(CreateAccessKey),
    CreateAccount(CreateAccount),
    DeleteAccessKey(String),
    SetStatus(String, Status),
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct CreateAccount {
    account_id: Option<AccountId>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct CreateAccessKey {
    account_id: AccountId,
    #[serde(default = "admin")]
    user_name: String,
}

/// The access key that `dev` gives away.
#[derive(Serialize, Deserialize)]
struct DevKey(String);

store::json_record!(DevKey, 1);

const DEV_KEY: Table<(), DevKey> = Table::new(|()| "dev-key".to_owned());

/// What a change has made of a key, and its secret if it is new.
type Changed = (AccessKey, Option<Sensitive>);

fn admin() -> String {
    "admin".to_owned()
}

/// An access key as the admin API shows it.
pub(super) fn shown(key: &AccessKey) -> Value {
    json!({
        "AccessKeyId": key.id,
        "AccountId": key.account,
        "UserName": key.user_name,
        "Status": key.status,
        "CreatedAt": key.created.to_string(),
    })
}

impl Change {
    const fn name(&self) -> &'static str {
        match self {
            Self::CreateAccessKey(_) => "CreateAccessKey",
            Self::CreateAccount(_) => "CreateAccount",
            Self::DeleteAccessKey(_) => "DeleteAccessKey",
            Self::SetStatus(..) => "UpdateAccessKey",
        }
    }
}

impl Admin {
    /// Does `change`; 201 with the new secret, or 200.
    pub(super) async fn change(&self, change: &Change) -> Replied {
        let (key, secret) = self.commit(change, false).await?;
        let mut value = shown(&key);
        let Some(secret) = secret else { return Ok(ok(&value)) };
        if let Value::Object(members) = &mut value {
            let secret = String::from_utf8_lossy(secret.expose()).into_owned();
            members.insert("SecretAccessKey".to_owned(), Value::String(secret));
        }
        Ok(with_status(StatusCode::CREATED, &value))
    }

    /// Makes the account and key of `dev`, unless they are there.
    pub(crate) async fn ensure_dev_account(&self) -> Result<(), Error> {
        let known = store::begin(&*self.front.backend).find(&DEV_KEY, &()).await?;
        if known.is_none() {
            self.commit(&Change::CreateAccount(CreateAccount { account_id: None }), true).await?;
        }
        Ok(())
    }

    /// The key that `dev` gives away, with its secret.
    pub(super) async fn dev_key(&self) -> Result<(AccessKey, Sensitive), Fault> {
        let mut txn = store::begin(&*self.front.backend);
        let DevKey(id) = txn.find(&DEV_KEY, &()).await?.ok_or_else(Fault::unknown)?;
        let key = identity::find_key(&mut txn, &id).await?.ok_or(Error::KeyUnknown(id))?;
        let (_, region) = nowhere();
        let scope = self.scope(self.front.clock.now(), (&key.account, &region));
        let secret = identity::secret_of(&mut txn, &scope, &key).await?;
        Ok((key, secret))
    }

    /// Runs `change` until no other commit comes in between.
    async fn commit(&self, change: &Change, for_dev: bool) -> Result<Changed, Error> {
        let front = &self.front;
        loop {
            let now = front.clock.now();
            let mut txn = store::begin(&*front.backend);
            match self.attempt(&mut txn, change, for_dev, now).await {
                Err(Error::Store(store::Error::Conflict { .. })) => (),
                Err(error) => return Err(error),
                Ok((changed, records)) => {
                    if service::commit_recorded(txn, &records, &*front.trail).await? {
                        let key = &changed.0.id;
                        tracing::info!(event = change.name(), access_key_id = key, "changed");
                        return Ok(changed);
                    }
                }
            }
        }
    }

    async fn attempt(
        &self,
        txn: &mut Txn<'_>,
        change: &Change,
        for_dev: bool,
        now: Timestamp,
    ) -> Result<(Changed, Vec<Encoded>), Error> {
        let (_, region) = nowhere();
        let (account, user_name) = match change {
            Change::DeleteAccessKey(id) => {
                let key = identity::delete_access_key(txn, id).await?;
                let records = self.record(change, &key)?;
                return Ok(((key, None), records));
            }
            Change::SetStatus(id, status) => {
                let key = identity::set_status(txn, id, *status).await?;
                let records = self.record(change, &key)?;
                return Ok(((key, None), records));
            }
            Change::CreateAccount(CreateAccount { account_id }) => {
                let entropy = &*self.front.entropy;
                let account =
                    identity::create_account(txn, account_id.clone(), entropy, now).await?;
                (account.id, admin())
            }
            Change::CreateAccessKey(it) => (it.account_id.clone(), it.user_name.clone()),
        };
        let scope = self.scope(now, (&account, &region));
        let (key, secret) = identity::create_access_key(txn, &scope, &user_name).await?;
        if for_dev {
            txn.save(&DEV_KEY, &(), &DevKey(key.id.clone()))?;
        }
        let records = self.record(change, &key)?;
        Ok(((key, Some(secret)), records))
    }

    pub(super) fn scope<'a>(
        &'a self,
        now: Timestamp,
        (account, region): (&'a AccountId, &'a Region),
    ) -> kms::Scope<'a> {
        let front = &self.front;
        kms::Scope { keyring: &front.keyring, entropy: &*front.entropy, now, account, region }
    }

    /// The audit record of `change`, to be committed along with it.
    fn record(&self, change: &Change, key: &AccessKey) -> Result<Vec<Encoded>, Error> {
        let details = json!({
            "accessKeyId": key.id, "userName": key.user_name, "status": key.status,
        });
        Ok(vec![self.operator_record(&key.account, change.name(), &details)?])
    }
}
