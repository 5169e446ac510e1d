//! The credential report: every user of an account, and the state of its credentials, as CSV.
//!
//! Source: IAM User Guide, "Generate credential reports for your AWS account". Observed by others in reports of
//! 2026: 22 columns, dates with a `Z`, truth in lower case, no line break at the end.

use crate::access_key::{self, AccessKey, Status};
use crate::last_use::{self, LastUse};
use crate::login::{self, Login, Rules};
use crate::user::{self, User};
use crate::{Error, account};
use base::{AccountId, Timestamp};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;
use store::path::Path;
use store::{KeyRange, Table, Txn};

/// A report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Report {
    /// When it was made.
    pub(crate) made: Timestamp,
    /// In how many parts it is kept.
    parts: usize,
}

/// Some lines of a report.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
struct Part(String);

store::json_record!(Report, 1);
store::json_record!(Part, 1);

const REPORTS: Table<AccountId, Report> =
    Table::new(|account| Path::new("a").with(account).with("credential-report").key());

const fn parts<'a>() -> Table<(&'a AccountId, usize), Part> {
    Table::new(|(account, number)| {
        Path::new("a").with(account).with("credential-report-part").with_shown(number).key()
    })
}

/// For so long a report is good, and no other is made.
pub(crate) const GOOD: Duration = Duration::from_hours(4);

/// So many users' lines are a few hundred kilobytes, which every store takes as one row.
const LINES: usize = 1000;

/// No account has more users.
const MOST: usize = 5000;

/// The last report of `account`.
pub(crate) async fn find(
    txn: &mut Txn<'_>,
    account: &AccountId,
) -> Result<Option<Report>, store::Error> {
    txn.find(&REPORTS, account).await
}

/// The text of `report`, which is the last one of `account`.
pub(crate) async fn text(
    txn: &mut Txn<'_>,
    account: &AccountId,
    report: &Report,
) -> Result<String, store::Error> {
    let mut lines = Vec::new();
    for number in 0..report.parts {
        lines.extend(txn.find(&parts(), &(account, number)).await?.map(|it| it.0));
    }
    Ok(lines.join("\n"))
}

/// Makes a report of `account` in the place of the last one.
pub(crate) async fn make(
    txn: &mut Txn<'_>,
    account: &AccountId,
    now: Timestamp,
) -> Result<(), Error> {
    let lines = lines(txn, account).await?;
    let before = find(txn, account).await?.map_or(0, |it| it.parts);
    let chunks = lines.chunks(LINES);
    let report = Report { made: now, parts: chunks.len() };
    for (number, chunk) in chunks.enumerate() {
        txn.save(&parts(), &(account, number), &Part(chunk.join("\n")))?;
    }
    for number in report.parts..before {
        txn.remove(&parts(), &(account, number));
    }
    Ok(txn.save(&REPORTS, account, &report)?)
}

/// What is known of users, by their unique ids.
struct Known {
    keys: BTreeMap<String, Vec<AccessKey>>,
    logins: BTreeMap<String, Login>,
    rules: Option<Rules>,
    used: BTreeMap<String, LastUse>,
}

async fn lines(txn: &mut Txn<'_>, account: &AccountId) -> Result<Vec<String>, Error> {
    let mut keys = BTreeMap::<String, Vec<AccessKey>>::new();
    for key in access_key::list_access_keys(txn, account).await? {
        keys.entry(key.principal_id.clone()).or_default().push(key);
    }
    let known = Known {
        keys,
        logins: login::all(txn, account).await?.into_iter().collect(),
        rules: login::rules(txn, account).await?,
        used: last_use::all(txn, account).await?.into_iter().collect(),
    };
    let created = account::find(txn, account).await?.map(|it| it.created);
    let range = KeyRange::prefix(&user::prefix(account));
    let users = txn.page::<User>(range, MOST, false).await?.rows;
    let mut users: Vec<User> = users.into_iter().map(|it| it.1).collect();
    users.sort_by_cached_key(|it| it.name.to_ascii_lowercase());
    let mut lines = vec![COLUMNS.join(","), root(account, created)];
    lines.extend(users.iter().map(|it| known.line(it)));
    Ok(lines)
}

/// The root user has no password, device or key.
fn root(account: &AccountId, created: Option<Timestamp>) -> String {
    let mut fields = vec![
        "<root_account>".to_owned(),
        format!("arn:aws:iam::{account}:root"),
        date(created),
        truth(false),
        NONE.to_owned(),
        NONE.to_owned(),
        "not_supported".to_owned(),
        truth(false),
    ];
    fields.extend([None, None].into_iter().flat_map(|it| key(it, None)));
    fields.extend(CERTIFICATES.map(str::to_owned));
    fields.join(",")
}

impl Known {
    fn line(&self, user: &User) -> String {
        let login = self.logins.get(&user.id);
        let end = login.and_then(|it| self.rules.as_ref()?.end(it.changed));
        // Nobody can log in by a password here.
        let last = if login.is_some() { "no_information" } else { NONE };
        let mut fields = vec![
            quoted(&user.name).into_owned(),
            quoted(&user.arn).into_owned(),
            date(Some(user.created)),
            truth(login.is_some()),
            last.to_owned(),
            date(login.map(|it| it.changed)),
            date(end),
            truth(!user.devices.is_empty()),
        ];
        let keys = self.keys.get(&user.id).map_or(&[][..], Vec::as_slice);
        for place in 0..2 {
            let it = keys.get(place);
            fields.extend(key(it, it.and_then(|it| self.used.get(&it.id))));
        }
        fields.extend(CERTIFICATES.map(str::to_owned));
        fields.join(",")
    }
}

fn key(it: Option<&AccessKey>, last: Option<&LastUse>) -> [String; 5] {
    let none = || NONE.to_owned();
    [
        truth(it.is_some_and(|it| it.status == Status::Active)),
        date(it.map(|it| it.created)),
        date(last.map(|it| it.at)),
        last.map_or_else(none, |it| it.region.clone()),
        last.map_or_else(none, |it| it.service.clone()),
    ]
}

const NONE: &str = "N/A";
/// There are no signing certificates here.
const CERTIFICATES: [&str; 4] = ["false", NONE, "false", NONE];

fn date(at: Option<Timestamp>) -> String {
    at.map_or_else(|| NONE.to_owned(), |it| it.to_string())
}

fn truth(it: bool) -> String {
    it.to_string()
}

/// Names can have a comma in them.
fn quoted(text: &str) -> Cow<'_, str> {
    if text.contains(',') { format!("\"{text}\"").into() } else { text.into() }
}

const COLUMNS: [&str; 22] = [
    "user",
    "arn",
    "user_creation_time",
    "password_enabled",
    "password_last_used",
    "password_last_changed",
    "password_next_rotation",
    "mfa_active",
    "access_key_1_active",
    "access_key_1_last_rotated",
    "access_key_1_last_used_date",
    "access_key_1_last_used_region",
    "access_key_1_last_used_service",
    "access_key_2_active",
    "access_key_2_last_rotated",
    "access_key_2_last_used_date",
    "access_key_2_last_used_region",
    "access_key_2_last_used_service",
    "cert_1_active",
    "cert_1_last_rotated",
    "cert_2_active",
    "cert_2_last_rotated",
];
