use super::*;
use crate::testing::{open, small};
use proptest::prelude::*;
use service::audit::Encoded;

const ACCOUNTS: [&str; 2] = ["111122223333", "444455556666"];
const REGIONS: [&str; 2] = ["eu-west-1", "us-east-1"];
const NAMES: [&str; 3] = ["GetSecretValue", "PutSecretValue", "ListSecrets"];

/// The name of secret `number`, as it is or in an ARN.
fn secret(number: u64, form: u64) -> String {
    match form % 3 {
        0 => format!("app/{number}"),
        1 => format!("arn:aws:secretsmanager:eu-west-1:111122223333:secret:app/{number}-AbCdEf"),
        _ => format!("arn:aws:secretsmanager:eu-west-1:111122223333:secret:app/{number}"),
    }
}

/// Record `number`: a second after the one before, of one of two accounts in one of two Regions.
fn record(number: u64) -> Encoded {
    let pick =
        |of: &[&'static str], by: u64| of[usize::try_from(number / by).expect("small") % of.len()];
    let (account, region, name) = (pick(&ACCOUNTS, 1), pick(&REGIONS, 2), pick(&NAMES, 1));
    let json = format!(
        r#"{{"userIdentity":{{"type":"IAMUser","userName":"u{}"}},"eventName":"{name}","eventSource":"secretsmanager.amazonaws.com","requestParameters":{{"secretId":"{}"}},
        "awsRegion":"{region}","recipientAccountId":"{account}","eventID":"id-{number}",
        "readOnly":{},"eventCategory":"{}"}}"#,
        number % 5,
        secret(number % 8, number / 8),
        name != "PutSecretValue",
        if number % 11 == 10 { "Data" } else { "Management" },
    );
    let at = Timestamp::from_secs(i64::try_from(number).expect("small"));
    Encoded { id: format!("id-{number}"), at, json: json.replace("\n        ", "") }
}

fn query(account: usize, region: usize) -> Query {
    let account = ACCOUNTS[account].parse().expect("an account");
    let region = REGIONS[region].parse().expect("a Region");
    Query { account, region, having: None, seconds: i64::MIN..=i64::MAX }
}

/// What a lookup should find: all that fits, the newest first.
fn expected(query: &Query, records: &[Encoded]) -> Vec<String> {
    let fits = |record: &&Encoded| {
        Event::parse(&record.json).is_some_and(|it| {
            it.recipient_account_id == query.account.as_str()
                && it.aws_region == query.region.as_str()
                && query.seconds.contains(&record.at.secs())
                && query.having.as_ref().is_none_or(|(attribute, value)| match attribute {
                    Attribute::EventId => it.event_id == value.as_str(),
                    Attribute::EventName => it.event_name == value.as_str(),
                    Attribute::Username => it.username() == Some(value),
                    Attribute::ResourceName => {
                        let named = crate::Record::parse(&record.json).expect("a record");
                        named.secrets().any(|it| crate::record::same_secret(value, it))
                    }
                    Attribute::ReadOnly => it.read_only.to_string() == *value,
                    other => panic!("{other:?} isn't asked for here"),
                })
        })
    };
    records.iter().rev().filter(fits).map(|it| it.id.clone()).collect()
}

/// All pages of a lookup.
fn found(finder: &Finder, query: &Query, limit: usize) -> Vec<String> {
    let (mut ids, mut before) = (Vec::new(), None);
    loop {
        let page = finder.page(query, before, limit).expect("read");
        assert!(page.entries.len() <= limit);
        ids.extend(
            page.entries
                .iter()
                .map(|it| Event::parse(&it.json).expect("an event").event_id.into_owned()),
        );
        match page.next {
            Some(next) => {
                assert!(before.is_none_or(|it| next < it), "a lookup goes on");
                before = Some(next);
            }
            None => return ids,
        }
    }
}

fn questions() -> impl Strategy<Value = Query> {
    let attribute = prop_oneof![
        Just(None),
        (0..200_u64).prop_map(|it| Some((Attribute::EventId, format!("id-{it}")))),
        (0..3_usize).prop_map(|it| Some((Attribute::EventName, NAMES[it].to_owned()))),
        (0..6_u8).prop_map(|it| Some((Attribute::Username, format!("u{it}")))),
        any::<bool>().prop_map(|it| Some((Attribute::ReadOnly, it.to_string()))),
        (0..8_u64).prop_map(|it| Some((Attribute::ResourceName, secret(it, 0)))),
        (0..8_u64).prop_map(|it| Some((Attribute::ResourceName, secret(it, 1)))),
    ];
    let seconds = prop_oneof![Just((i64::MIN, i64::MAX)), (0..200_i64, 0..200_i64)];
    (0..2_usize, 0..2_usize, attribute, seconds).prop_map(
        |(account, region, having, (from, to))| Query {
            having,
            seconds: from..=to,
            ..query(account, region)
        },
    )
}

/// A journal of a dozen segments, and its records.
fn journal(count: u64) -> (tempfile::TempDir, crate::Journal, Vec<Encoded>) {
    let folder = tempfile::tempdir().expect("a folder");
    let journal = open(folder.path(), small()).expect("opened");
    let records: Vec<_> = (0..count).map(record).collect();
    for record in &records {
        journal.take_over(std::slice::from_ref(record)).expect("space");
    }
    (folder, journal, records)
}

#[test]
fn every_record_is_found_by_what_it_has() {
    let (folder, _journal, records) = journal(200);
    let (old, new) = (Finder::new(folder.path()), || Finder::new(folder.path()));
    let run = |(query, limit): (Query, usize)| {
        let wanted = expected(&query, &records);
        prop_assert_eq!(found(&old, &query, limit), wanted.clone());
        // One that finds the files made already.
        prop_assert_eq!(found(&new(), &query, limit), wanted);
        Ok(())
    };
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(120));
    runner.run(&(questions(), 1..60_usize), run).expect("found");
    assert!(segments::list(folder.path()).expect("listed").len() > 10);
}

#[test]
fn what_was_just_written_is_found() {
    let (folder, journal, mut records) = journal(0);
    let finder = Finder::new(folder.path());
    for number in 0..60 {
        let record = record(number);
        journal.take_over(std::slice::from_ref(&record)).expect("space");
        records.push(record);
        for (account, region) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
            let query = query(account, region);
            assert_eq!(found(&finder, &query, 50), expected(&query, &records), "{number}");
        }
    }
}

#[test]
fn files_that_are_lost_or_damaged_are_made_again() {
    let (folder, _journal, records) = journal(200);
    let full = segments::list(folder.path()).expect("listed").len() - 1;
    let files = || {
        let all = (1..=full as u64).map(|it| postings::path(folder.path(), it));
        all.filter(|it| it.exists()).collect::<Vec<_>>()
    };
    let question = Query { having: Some((Attribute::Username, "u1".to_owned())), ..query(1, 0) };
    let finder = Finder::new(folder.path());
    finder.catch_up().expect("read");
    assert_eq!(files(), Vec::<PathBuf>::new(), "segments from before are not read at the start");
    while finder.mend(3).expect("mended") {}
    assert_eq!(files().len(), full);
    for (damage, what) in [
        ((|it: &Path| std::fs::remove_file(it)) as fn(&Path) -> io::Result<()>, "lost"),
        (|it| std::fs::write(it, ""), "empty"),
        (|it| std::fs::write(it, vec![7; 8192]), "something else"),
        (
            // The head stays whole.
            |it| {
                let mut bytes = std::fs::read(it)?;
                bytes[4100..].fill(0);
                std::fs::write(it, bytes)
            },
            "torn",
        ),
    ] {
        for file in files() {
            damage(&file).expect("damaged");
        }
        let wanted = expected(&question, &records);
        assert_eq!(found(&Finder::new(folder.path()), &question, 7), wanted, "{what}");
        assert_eq!(files().len(), full, "{what}");
    }
}

/// The files say where to look, not what is there.
#[test]
fn a_forged_file_shows_nobody_anothers_records() {
    let (folder, _journal, _) = journal(200);
    let finder = Finder::new(folder.path());
    while finder.mend(100).expect("mended") {}
    let mine = query(0, 0);
    let stolen = mark((ACCOUNTS[0], REGIONS[0]), None);
    let mut growing = Growing::new();
    gather(folder.path(), (1, 0), u64::MAX, &mut growing).expect("read");
    let theirs = growing.find(mark((ACCOUNTS[1], REGIONS[0]), None));
    assert!(!theirs.is_empty());
    let mut forged = Growing::new();
    for offset in theirs {
        forged.add(stolen, offset, 0);
    }
    forged.add(stolen, 3, 0);
    forged.add(stolen, u32::MAX, 1_000_000);
    forged.keep(folder.path(), 1).expect("kept");
    let entries = finder.page(&mine, Some(Position { segment: 1, offset: u64::MAX }), 50);
    assert_eq!(entries.expect("read").entries, Vec::new());
}

#[test]
fn long_records_are_read_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let journal = crate::testing::open(folder.path(), crate::Options::default()).expect("opened");
    let mut record = record(0);
    for length in [4000, 4096, 5000, 20_000, 300_000] {
        let long = format!(r#"{{"additionalEventData":{{"Name":"{}"}},"#, "x".repeat(length));
        record.json =
            record.json.replacen('{', &long, usize::from(!record.json.contains("Name\":\"x")));
        journal.take_over(std::slice::from_ref(&record)).expect("space");
    }
    let page = Finder::new(folder.path()).page(&query(0, 0), None, 50).expect("read");
    assert_eq!(page.entries.len(), 5);
    assert!(page.entries.iter().all(|it| it.json == record.json));
}
