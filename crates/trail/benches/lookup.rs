//! What it costs to find records among many: `cargo bench -p strongroom-trail --bench lookup`.
//!
//! The segments are small and as many as 100 million records fill: what a lookup costs is a matter of how many
//! it asks. Everything is in the page cache.

use base::{SystemClock, SystemEntropy, Timestamp};
use service::Trail;
use service::audit::Encoded;
use std::io::Write;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use strongroom_trail::lookup::{Attribute, Finder, Query};
use strongroom_trail::{Durability, Journal, Options, SigningKey};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// 100 million records of a kilobyte fill as many segments of 64 MiB.
const SEGMENTS: u64 = 1_600;
const SEGMENT_BYTES: u64 = 1 << 20;
const ROUNDS: u64 = 20;

fn main() -> Outcome<()> {
    let folder = tempfile::tempdir_in(".")?;
    let key = SigningKey::from_bytes(&SigningKey::generate(&SystemEntropy))?;
    let options = Options {
        segment_bytes: SEGMENT_BYTES,
        durability: Durability::Written,
        ..Options::default()
    };
    let journal = Journal::open(folder.path(), options, key, Arc::new(SystemClock))?;
    let records = fill(&journal)?;
    let finder = Finder::new(folder.path());
    while finder.catch_up()? {}
    let before = cpu_nanos()?;
    while finder.mend(100)? {}
    let made = (cpu_nanos()? - before) / records;
    tell(&format!("{records} records in {SEGMENTS} segments; indexed at {made} ns a record"))?;
    let size: u64 = std::fs::read_dir(folder.path())?
        .filter_map(|it| it.ok()?.metadata().ok().map(|it| it.len()))
        .sum();
    tell(&format!("{} bytes a record on disk, files of the index included", size / records))?;
    let fresh = Finder::new(folder.path());
    let all = Query {
        account: "111122223333".parse()?,
        region: "eu-west-1".parse()?,
        having: None,
        seconds: i64::MIN..=i64::MAX,
    };
    let having =
        |it: Attribute, value: &str| Query { having: Some((it, value.to_owned())), ..all.clone() };
    let middle = i64::try_from(records / 2)?;
    for (what, query) in [
        ("the newest", all.clone()),
        ("of one second in the middle", Query { seconds: middle..=middle, ..all.clone() }),
        ("one, by its id, the oldest", having(Attribute::EventId, "e0")),
        ("none, by an id that nothing has", having(Attribute::EventId, "none")),
        ("a name that every record has", having(Attribute::EventName, "GetSecretValue")),
        ("a secret that one of 10,000 has", having(Attribute::ResourceName, "app/77")),
        ("of a user without any", having(Attribute::Username, "nobody")),
    ] {
        let begun = cpu_nanos()?;
        let first = fresh.page(&query, None, 50)?;
        let first_time = (cpu_nanos()? - begun) / 1000;
        let begun = cpu_nanos()?;
        for _ in 0..ROUNDS {
            assert_eq!(fresh.page(&query, None, 50)?, first);
        }
        let time = (cpu_nanos()? - begun) / 1000 / ROUNDS;
        let found = first.entries.len();
        tell(&format!("{what}: {found} records in {time} µs, the first time in {first_time} µs"))?;
    }
    Ok(())
}

/// Appends records, one a second, until there are enough segments.
fn fill(journal: &Journal) -> Outcome<u64> {
    let count = SEGMENTS * SEGMENT_BYTES / 1_000;
    let mut context = Context::from_waker(Waker::noop());
    for number in 0..count {
        let at = Timestamp::from_secs(i64::try_from(number)?);
        let json = format!(
            r#"{{"eventVersion":"1.09","userIdentity":{{"type":"IAMUser","principalId":"AIDAEXAMPLEUSERID0001","arn":"arn:aws:iam::111122223333:user/u{}","accountId":"111122223333","accessKeyId":"AKIAEXAMPLE{}","userName":"u{}"}},"eventTime":"{at}","eventSource":"secretsmanager.amazonaws.com","eventName":"GetSecretValue","awsRegion":"eu-west-1","sourceIPAddress":"192.0.2.10","userAgent":"{}","requestParameters":{{"secretId":"app/{}"}},"responseElements":null,"requestID":"r{number}","eventID":"e{number}","readOnly":true,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333","eventCategory":"Management"}}"#,
            number % 50,
            number % 50,
            number % 50,
            "x".repeat(260),
            number % 10_000,
        );
        let record = [Encoded { id: String::new(), at, json }];
        let appended = journal.append(&record).as_mut().poll(&mut context);
        assert!(matches!(appended, Poll::Ready(Ok(()))), "written at once");
        if number % 1_000 == 0 {
            journal.tick(at)?;
        }
    }
    Ok(count)
}

fn tell(line: &str) -> Outcome<()> {
    Ok(writeln!(std::io::stdout(), "{line}")?)
}

/// Processor time of this thread so far, user and system.
fn cpu_nanos() -> Outcome<u64> {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    Ok(stat.split(' ').next().unwrap_or_default().parse()?)
}
