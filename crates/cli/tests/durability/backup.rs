//! Backup under writers, and restore.

use crate::client::{BOUND, Chunks, Client, Keys, creation, put, receive_head, token, value_of};
use crate::history::{CURRENT, PREVIOUS, State, look_at};
use crate::process::{Server, done, refused, tell, text};
use crate::root_key::contents;
use std::fs;
use std::io::Read;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

const WRITERS: usize = 4;
/// Each writer puts its next version into the first, and when that is answered into the second.
const PAIR: [&str; 2] = ["first", "second"];
/// Rows that make the backup longer than a moment.
const BALLAST: usize = 40;

/// Pairs that each writer must get answered while the backup stands still.
const MEANWHILE: usize = 10;

/// How many pairs of each writer were answered.
type Counts = [usize; WRITERS];

/// What a copy must hold of each writer: at least, and at most.
type Bounds = (Counts, Counts);

/// What writers and the one who watches them share.
#[derive(Default)]
struct Load {
    answered: [AtomicUsize; WRITERS],
    stop: AtomicBool,
}

#[test]
fn a_backup_under_writers_restores_one_moment() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let [slow, quick] = ["slow", "quick"].map(|it| folder.path().join(it));
    let server = Server::dev(&data);
    let keys = server.keys();
    let mut client = keys.connect().expect("connected");
    for number in 0..BALLAST {
        let (name, value) = (format!("big/{number}"), "x".repeat(60_000));
        client.must("CreateSecret", &creation(&name, &token(99, number), &value));
    }

    let load = Load::default();
    let (answered, news) = channel();
    let bounds = thread::scope(|scope| {
        // Gone when this ends, however it does; the writers end then, too.
        let news = news;
        for writer in 0..WRITERS {
            let (keys, load, answered) = (&keys, &load, answered.clone());
            scope.spawn(move || write(writer, keys, load, &answered));
        }
        load.until_each_has([5; WRITERS], &news);
        let of_slow = save_slowly(&server, &slow, &load, &news);
        let before = load.counts();
        done(&["backup", text(&quick), "--data", text(&data)]);
        let of_quick = (before, load.counts());
        load.stop.store(true, SeqCst);
        [of_slow, of_quick]
    });
    tell(&format!("backup: pairs of each writer, at least and at most: {bounds:?}"));
    for (file, bounds) in [&slow, &quick].into_iter().zip(bounds) {
        assert_restores(&data, file, &mut client, bounds);
    }
    damaged_backups_leave_no_folder(&quick);
    let (fact, _) = refused(&["backup", text(&quick), "--data", text(&data)]);
    assert!(fact.contains("exists"), "{fact}");
    server.stop();
}

/// Saves through the admin socket, and stops reading in the middle until much was written.
fn save_slowly(server: &Server, file: &Path, load: &Load, news: &Receiver<()>) -> Bounds {
    let before = load.counts();
    let mut answer = server.ask_admin("POST", "/v1/backup", "");
    let (head, length) = receive_head(&mut answer).expect("an answer");
    assert_eq!((head.status, length), (200, None), "not a stream");
    let mut saved = vec![0; 4096];
    let mut body = Chunks::of(&mut answer);
    body.read_exact(&mut saved).expect("a beginning");
    let begun = load.counts();
    load.until_each_has(begun.map(|it| it + MEANWHILE), news);
    body.read_to_end(&mut saved).expect("the rest");
    assert!(saved.len() > BALLAST * 60_000, "too short to have stood still");
    fs::write(file, saved).expect("written");
    (before, begun)
}

/// Restores `file`, and compares all of it with its source.
fn assert_restores(data: &Path, file: &Path, source: &mut Client, (least, most): Bounds) {
    let restored = file.with_extension("restored");
    done(&["restore", text(file), "--data", text(&restored)]);
    fs::copy(data.join("root.key"), restored.join("root.key")).expect("copied");
    let copy = Server::dev(&restored);
    let mut copied = copy.keys().connect().expect("connected");
    for writer in 0..WRITERS {
        // One more may have been on its way.
        let length = compare(source, &mut copied, writer);
        let expected = least[writer]..=most[writer] + 1;
        assert!(expected.contains(&length), "{writer}: {length} of {expected:?}");
    }
    for number in 0..BALLAST {
        let name = format!("big/{number}");
        assert_eq!(value_of(source, &name, None), value_of(&mut copied, &name, None), "{name}");
        assert_eq!(look_at(source, &name), look_at(&mut copied, &name));
    }
    // It is a store like any other.
    copied.must("PutSecretValue", &put("big/0", &token(98, 0), "new"));
    assert_eq!(value_of(&mut copied, "big/0", None), "new");
    copy.stop();
    restoring_over_something_is_refused(file, &restored);
}

impl Load {
    fn counts(&self) -> Counts {
        self.answered.each_ref().map(|it| it.load(SeqCst))
    }

    /// Returns when each writer has so many answers; `news` comes with each.
    fn until_each_has(&self, wanted: Counts, news: &Receiver<()>) {
        while self.counts().iter().zip(wanted).any(|(has, wanted)| *has < wanted) {
            news.recv_timeout(BOUND).expect("they write");
        }
    }
}

fn name(writer: usize, which: &str) -> String {
    format!("writer-{writer}/{which}")
}

fn value(version: &str) -> String {
    format!("value of {version}")
}

/// Writes pairs until it is to stop; tells `news` of each that is answered.
fn write(writer: usize, keys: &Keys, load: &Load, news: &Sender<()>) {
    let mut client = keys.connect().expect("connected");
    for number in 0.. {
        for which in PAIR {
            let (name, version) = (name(writer, which), token(writer, number));
            let (operation, body) = match number {
                0 => ("CreateSecret", creation(&name, &version, &value(&version))),
                _ => ("PutSecretValue", put(&name, &version, &value(&version))),
            };
            client.must(operation, &body);
        }
        load.answered[writer].fetch_add(1, SeqCst);
        if news.send(()).is_err() || load.stop.load(SeqCst) {
            return;
        }
    }
}

/// Compares a writer's pair with what was restored of it; how many versions of the first there are.
fn compare(source: &mut Client, copied: &mut Client, writer: usize) -> usize {
    let [first, second] = PAIR.map(|which| {
        let name = name(writer, which);
        let there = look_at(copied, &name).expect("restored");
        let length = there.versions.len();
        // As it was when the last of these versions was put.
        let versions: Vec<_> = (0..length).map(|it| token(writer, it)).collect();
        let labels = [(CURRENT, length - 1), (PREVIOUS, length - 2)];
        let labels = labels.map(|(label, number)| (label.to_owned(), versions[number].clone()));
        let expected = State {
            versions: versions.iter().cloned().collect(),
            labels: labels.into(),
            ..State::default()
        };
        assert_eq!(there, expected, "{name}");
        for version in &versions {
            assert_eq!(value_of(copied, &name, Some(version)), value(version), "{name}");
            assert_eq!(value_of(source, &name, Some(version)), value(version), "{name}");
        }
        length
    });
    assert!(first == second || first == second + 1, "no single moment: {first} and {second}");
    first
}

fn damaged_backups_leave_no_folder(file: &Path) {
    let whole = fs::read(file).expect("a backup");
    let folder = tempfile::tempdir().expect("a folder");
    let (bad, target) = (folder.path().join("bad"), folder.path().join("target"));
    let flipped = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        bytes
    };
    let cases = [
        ("empty", Vec::new()),
        ("cut in the middle", whole[..whole.len() / 2].to_vec()),
        ("cut by a byte", whole[..whole.len() - 1].to_vec()),
        ("cut by its digest", whole[..whole.len() - 32].to_vec()),
        ("longer", [&whole[..], b"x"].concat()),
        ("changed at the start", flipped(0)),
        ("changed in its revision", flipped(19)),
        ("changed in the middle", flipped(whole.len() / 2)),
        ("changed at the end", flipped(whole.len() - 1)),
        ("something else", b"no backup at all".to_vec()),
    ];
    for (what, bytes) in cases {
        fs::write(&bad, bytes).expect("written");
        let (fact, hint) = refused(&["restore", text(&bad), "--data", text(&target)]);
        assert!(fact.contains("backup"), "{what}: {fact}");
        assert!(!hint.is_empty(), "{what}: {fact}");
        let left: Vec<_> = contents(folder.path()).into_keys().collect();
        assert_eq!(left, std::slice::from_ref(&bad), "{what}");
        assert!(!target.exists(), "{what}");
    }
}

fn restoring_over_something_is_refused(file: &Path, data: &Path) {
    let before = contents(data);
    let (fact, _) = refused(&["restore", text(file), "--data", text(data)]);
    assert!(fact.contains("is not empty"), "{fact}");
    assert!(before == contents(data), "something was written");
}
