//! Table: the functions that this server is itself, by well-known names.
//!
//! They exist in each account and Region without rows, and have the names of the templates that AWS publishes.
//! Nothing invokes them: the rotation engine steps what they stand for.

use crate::function::{Code, Kept, Logging};
use crate::names;
use base::{AccountId, Region, Timestamp};
use std::collections::BTreeMap;

/// What passwords are rotated in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Engine {
    /// Db2.
    Db2,
    /// MariaDB.
    MariaDb,
    /// MongoDB and DocumentDB.
    MongoDb,
    /// MySQL.
    MySql,
    /// Oracle.
    Oracle,
    /// PostgreSQL.
    Postgres,
    /// Redis and Valkey.
    Redis,
    /// Redshift.
    Redshift,
    /// SQL Server.
    SqlServer,
}

/// Whose password is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strategy {
    /// Two users in turn, by a third one that may do it.
    AlternatingUsers,
    /// The one user's.
    SingleUser,
}

/// What a native function rotates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Native {
    /// What the secret's JSON says: its `engine`, and whether there is a `masterarn`.
    BySecret,
    /// This, by this strategy.
    Fixed(Engine, Strategy),
}

/// Source: Secrets Manager User Guide, "Rotation function templates".
const NAMES: &[(&str, Native)] = {
    use Engine::{Db2, MariaDb, MongoDb, MySql, Oracle, Postgres, Redis, Redshift, SqlServer};
    use Strategy::{AlternatingUsers, SingleUser};
    &[
        ("SecretsManagerElasticacheUserRotation", Native::Fixed(Redis, SingleUser)),
        ("SecretsManagerMongoDBRotationMultiUser", Native::Fixed(MongoDb, AlternatingUsers)),
        ("SecretsManagerMongoDBRotationSingleUser", Native::Fixed(MongoDb, SingleUser)),
        ("SecretsManagerRDSDb2RotationMultiUser", Native::Fixed(Db2, AlternatingUsers)),
        ("SecretsManagerRDSDb2RotationSingleUser", Native::Fixed(Db2, SingleUser)),
        ("SecretsManagerRDSMariaDBRotationMultiUser", Native::Fixed(MariaDb, AlternatingUsers)),
        ("SecretsManagerRDSMariaDBRotationSingleUser", Native::Fixed(MariaDb, SingleUser)),
        ("SecretsManagerRDSMySQLRotationMultiUser", Native::Fixed(MySql, AlternatingUsers)),
        ("SecretsManagerRDSMySQLRotationSingleUser", Native::Fixed(MySql, SingleUser)),
        ("SecretsManagerRDSOracleRotationMultiUser", Native::Fixed(Oracle, AlternatingUsers)),
        ("SecretsManagerRDSOracleRotationSingleUser", Native::Fixed(Oracle, SingleUser)),
        ("SecretsManagerRDSPostgreSQLRotationMultiUser", Native::Fixed(Postgres, AlternatingUsers)),
        ("SecretsManagerRDSPostgreSQLRotationSingleUser", Native::Fixed(Postgres, SingleUser)),
        ("SecretsManagerRDSSQLServerRotationMultiUser", Native::Fixed(SqlServer, AlternatingUsers)),
        ("SecretsManagerRDSSQLServerRotationSingleUser", Native::Fixed(SqlServer, SingleUser)),
        ("SecretsManagerRedshiftRotationMultiUser", Native::Fixed(Redshift, AlternatingUsers)),
        ("SecretsManagerRedshiftRotationSingleUser", Native::Fixed(Redshift, SingleUser)),
        ("strongroom-native", Native::BySecret),
    ]
};

/// The native function called `name`, if there is one.
pub fn find(name: &str) -> Option<Native> {
    all().find(|it| it.0 == name).map(|it| it.1)
}

/// All of them by name, in alphabetical order.
pub fn all() -> impl Iterator<Item = (&'static str, Native)> {
    NAMES.iter().copied()
}

/// The policy of the function `arn` of `account`: Secrets Manager may invoke it for secrets of the account.
pub(crate) fn policy(arn: &str, account: &AccountId) -> String {
    format!(
        "{{\"Version\":\"2012-10-17\",\"Id\":\"default\",\"Statement\":[{{\"Sid\":\"SecretsManager\",\
         \"Effect\":\"Allow\",\"Principal\":{{\"Service\":\"secretsmanager.amazonaws.com\"}},\
         \"Action\":\"lambda:InvokeFunction\",\"Resource\":\"{arn}\",\"Condition\":{{\"StringEquals\":\
         {{\"AWS:SourceAccount\":\"{account}\"}}}}}}]}}"
    )
}

/// As it stands in answers. It has no role, no runtime and no package.
pub(crate) fn shown((account, region): (&AccountId, &Region), name: &str) -> Kept {
    Kept {
        id: String::new(),
        arn: names::arn(account, region, name),
        account: account.clone(),
        region: region.clone(),
        name: name.to_owned(),
        role: String::new(),
        runtime: String::new(),
        handler: String::new(),
        description: "Native rotation function of this server, stepped by its rotation engine"
            .to_owned(),
        timeout: 30,
        memory: 128,
        scratch: 512,
        architecture: String::new(),
        tracing: "PassThrough".to_owned(),
        logging: Logging::default(),
        code: Code { sha256: String::new(), bytes: 0 },
        environment: None,
        revision: REVISION.to_owned(),
        modified: Timestamp::from_secs(BORN),
        tags: BTreeMap::new(),
    }
}

/// It never changes.
pub(crate) const REVISION: &str = "00000000-0000-4000-8000-000000000000";
/// 2026-01-01T00:00:00Z.
const BORN: i64 = 1_767_225_600;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_found_by_their_whole_names() {
        assert!(NAMES.is_sorted_by_key(|it| it.0));
        let postgres = Native::Fixed(Engine::Postgres, Strategy::AlternatingUsers);
        for (name, found) in [
            ("SecretsManagerRDSPostgreSQLRotationMultiUser", Some(postgres)),
            ("strongroom-native", Some(Native::BySecret)),
            ("SecretsManagerRDSPostgreSQLRotationMultiuser", None),
            ("app", None),
        ] {
            assert_eq!(find(name), found, "{name}");
        }
        assert_eq!(all().count(), 18);
    }
}
