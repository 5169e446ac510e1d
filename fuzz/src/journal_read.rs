//! The journal: lines, readers, and the check of the chain.
//!
//! An input is the files of a journal's folder, separated by a byte that no line can hold, `0xFF`:
//! the first segment, `heads`, the second segment.

use base::Entropy;
use std::path::Path;
use trail::{Finding, Reader, Record, SigningKey, line, render, verify};

/// Takes `input` for a journal that somebody else wrote.
///
/// Each line is read as itself only. A journal that the check finds whole can be read to its end,
/// record by record; any other is reported in one short line.
pub fn journal_read(input: &[u8]) {
    for text in input.split(|it| *it == b'\n') {
        if let Ok(line) = line::parse(text) {
            assert!(!line.body.is_empty() && text.ends_with(line.body.as_bytes()));
            show(line.body);
        }
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    spread(input, folder.path()).expect("the folder can be written");
    check(folder.path());
}

/// Writes the files that `input` holds.
fn spread(input: &[u8], folder: &Path) -> std::io::Result<()> {
    for (name, bytes) in FILES.iter().zip(input.split(|it| *it == SEPARATOR)) {
        std::fs::write(folder.join(name), bytes)?;
    }
    Ok(())
}

fn check(folder: &Path) {
    let readable = read(Reader::new(folder));
    match verify(folder, Some(key().public()), &mut |_| ()).expect("the files can be read") {
        Finding::Whole(summary) => assert_eq!(readable, Some(summary.records)),
        Finding::Broken(found) => {
            let text = found.to_string();
            assert!(text.len() < 256 && !text.contains(char::is_control), "{text}");
        }
    }
    if let Ok(last) = Reader::last(folder, 2) {
        read(last);
    }
}

/// How many records `reader` gives; `None` if it gives up.
fn read(reader: Reader) -> Option<u64> {
    let mut count = 0;
    for entry in reader {
        show(&entry.ok()?.json);
        count += 1;
    }
    Some(count)
}

/// A record is shown on one line, without anything that could steer a terminal.
fn show(json: &str) {
    if let Some(record) = Record::parse(json) {
        assert!(!render::line(&record).contains(char::is_control));
    }
}

/// The key that the committed inputs are signed with.
fn key() -> SigningKey {
    struct Sevens;
    impl Entropy for Sevens {
        fn fill(&self, out: &mut [u8]) {
            out.fill(7);
        }
    }
    SigningKey::from_bytes(&SigningKey::generate(&Sevens)).expect("a key")
}

const FILES: [&str; 3] = ["00000001.log", "heads", "00000002.log"];
const SEPARATOR: u8 = 0xFF;

#[cfg(test)]
mod tests {
    use super::*;
    use base::{Clock, Timestamp};
    use service::Trail;
    use service::audit::Encoded;
    use std::sync::Arc;
    use trail::{Journal, Options};

    struct Stopped;
    impl Clock for Stopped {
        fn now(&self) -> Timestamp {
            Timestamp::from_secs(1_790_000_000)
        }
    }

    /// The files of a journal with four records, as an input.
    async fn written() -> Vec<u8> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let options = Options { head_records: 2, segment_bytes: 2048, ..Options::default() };
        let journal = Journal::open(folder.path(), options, key(), Arc::new(Stopped));
        let journal = journal.expect("opens");
        for number in 0..4 {
            let json = format!(
                r#"{{"eventVersion":"1.11","userIdentity":{{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/alice"}},"eventTime":"2026-09-21T14:13:2{number}Z","eventName":"GetSecretValue","awsRegion":"us-east-1","sourceIPAddress":"127.0.0.1","requestParameters":{{"secretId":"app/db"}},"responseElements":null,"eventID":"{number}"}}"#
            );
            let record = Encoded { id: number.to_string(), at: Stopped.now(), json };
            journal.append(&[record]).await.expect("is kept");
        }
        journal.close().expect("closes");
        let file = |name| std::fs::read(folder.path().join(name)).expect("readable");
        FILES.map(file).join(&SEPARATOR)
    }

    /// Keeps the committed input `whole` what it is called: a form that changes must change it too.
    #[tokio::test]
    async fn the_committed_journal_is_one_that_a_journal_writes() {
        let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/journal_read/whole");
        assert_eq!(std::fs::read(committed).expect("readable"), written().await);

        let folder = tempfile::tempdir().expect("a temporary folder");
        spread(&written().await, folder.path()).expect("written");
        let found = verify(folder.path(), Some(key().public()), &mut |_| ()).expect("readable");
        assert!(matches!(found, Finding::Whole(summary) if summary.records == 4));
        assert_eq!(read(Reader::new(folder.path())), Some(4));
    }
}
