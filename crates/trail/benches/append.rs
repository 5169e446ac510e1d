//! What one record costs its request, beyond serialisation: `cargo bench -p strongroom-trail`.
//!
//! Beside it stand the two things it can't do without: a write of as many bytes, and a hash of them.

use aws_lc_rs::digest::{SHA256, digest};
use base::{SystemClock, SystemEntropy, Timestamp};
use service::Trail;
use service::audit::Encoded;
use std::hint::black_box;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use strongroom_trail::{Finding, Journal, Options, SigningKey, verify};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const RECORDS: u64 = 200_000;
const RECORD_BYTES: usize = 1024;

fn main() -> Outcome<()> {
    let folder = tempfile::tempdir_in(".")?;
    let key = SigningKey::from_bytes(&SigningKey::generate(&SystemEntropy))?;
    let options = Options::default();
    let journal = Journal::open(folder.path(), options, key, Arc::new(SystemClock))?;
    let json = format!(r#"{{"eventID":"e","padding":"{}"}}"#, "x".repeat(RECORD_BYTES - 30));
    let record = [Encoded { id: "e".into(), at: Timestamp::from_secs(1), json }];
    for _ in 0..3 {
        tell("append", append(&journal, &record)?)?;
    }
    journal.close()?;
    tell("  write alone", write(folder.path())?)?;
    tell("  hash alone", hash()?)?;

    let before = cpu_nanos()?;
    let finding = verify(folder.path(), None, &mut |_| ())?;
    assert!(matches!(finding, Finding::Whole(_)), "{finding:?}");
    let records = journal.sequence();
    tell("verify", (cpu_nanos()? - before) * RECORDS / records)
}

/// Appends, with a tick now and then, which isn't counted: a worker's thread does it.
fn append(journal: &Journal, record: &[Encoded]) -> Outcome<u64> {
    let mut context = Context::from_waker(Waker::noop());
    let mut spent = 0;
    for _ in 0..RECORDS / 10_000 {
        journal.tick(Timestamp::from_secs(1))?;
        let before = cpu_nanos()?;
        for _ in 0..10_000 {
            let appended = journal.append(record).as_mut().poll(&mut context);
            assert!(matches!(appended, Poll::Ready(Ok(()))), "written at once");
        }
        spent += cpu_nanos()? - before;
    }
    Ok(spent)
}

fn write(folder: &Path) -> Outcome<u64> {
    let file = std::fs::File::create(folder.join("beside"))?;
    let bytes = vec![b'x'; RECORD_BYTES + 100];
    let before = cpu_nanos()?;
    for number in 0..RECORDS {
        file.write_all_at(&bytes, number * bytes.len() as u64)?;
    }
    Ok(cpu_nanos()? - before)
}

fn hash() -> Outcome<u64> {
    let bytes = vec![b'x'; RECORD_BYTES + 49];
    let before = cpu_nanos()?;
    for _ in 0..RECORDS {
        black_box(digest(&SHA256, black_box(&bytes)));
    }
    Ok(cpu_nanos()? - before)
}

fn tell(what: &str, nanos: u64) -> Outcome<()> {
    Ok(writeln!(std::io::stdout(), "{what}: {} ns of CPU a record", nanos / RECORDS)?)
}

/// Processor time of this thread so far, user and system.
fn cpu_nanos() -> Outcome<u64> {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    Ok(stat.split(' ').next().unwrap_or_default().parse()?)
}
