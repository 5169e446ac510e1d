//! Whatever is done to a journal shows.

use super::*;
use crate::hash::link;
use crate::head::Opening;
use crate::testing::{fill, key, open, record, small};
use proptest::prelude::*;
use std::fs;
use std::sync::OnceLock;
use tempfile::{TempDir, tempdir};

/// The files of a journal.
type Files = BTreeMap<String, Vec<u8>>;

/// A closed journal of 80 records in a few segments.
fn original() -> &'static Files {
    static FILES: OnceLock<Files> = OnceLock::new();
    FILES.get_or_init(|| {
        let folder = tempdir().expect("a folder");
        let journal = open(folder.path(), small()).expect("new");
        fill(&journal, 0..80);
        journal.close().expect("a disk");
        let entries =
            fs::read_dir(folder.path()).expect("a folder").map(|it| it.expect("an entry"));
        let names = entries.map(|it| it.file_name().to_string_lossy().into_owned());
        let kept = names.filter(|it| it != "lock" && it != "spare");
        kept.map(|it| (it.clone(), fs::read(folder.path().join(&it)).expect("a file"))).collect()
    })
}

fn segment_names() -> Vec<String> {
    original().keys().filter(|it| it.starts_with("0000")).cloned().collect()
}

fn check(files: &Files) -> Finding {
    let folder = write(files);
    verify(folder.path(), None, &mut |_| ()).expect("readable")
}

fn write(files: &Files) -> TempDir {
    let folder = tempdir().expect("a folder");
    for (name, text) in files {
        fs::write(folder.path().join(name), text).expect("written");
    }
    folder
}

fn reason(files: &Files) -> Option<Reason> {
    match check(files) {
        Finding::Broken(found) => Some(found.reason),
        Finding::Whole(_) => None,
    }
}

/// The lines of all segments, each with its file, and how to write them.
fn lines() -> Vec<(String, Vec<u8>)> {
    let mut lines = Vec::new();
    for name in segment_names() {
        let text = &original()[&name];
        lines.extend(text.split_inclusive(|it| *it == b'\n').map(|it| (name.clone(), it.to_vec())));
    }
    lines
}

fn of_lines(lines: &[(String, Vec<u8>)]) -> Files {
    let mut files = original().clone();
    for name in segment_names() {
        files.insert(name, Vec::new());
    }
    for (name, line) in lines {
        files.get_mut(name).expect("a segment").extend_from_slice(line);
    }
    files
}

#[test]
fn a_whole_journal_is_whole() {
    assert!(segment_names().len() >= 4, "the cases need some segments");
    let folder = write(original());
    let mut steps = Vec::new();
    let finding = verify(folder.path(), Some(key(1).public()), &mut |it| steps.push(it));
    let Ok(Finding::Whole(summary)) = finding else { panic!("{finding:?}") };
    assert_eq!((summary.records, summary.segments), (80, segment_names().len() as u64));
    assert_eq!((summary.first, summary.last), (Some(record(0).at), Some(record(79).at)));
    assert_eq!(summary.head.map(|it| it.sequence), Some(80));
    assert_eq!(summary.unfinished, 0);
    let end = *steps.last().expect("progress");
    assert_eq!(end.done, end.total);
    assert!(steps.iter().zip(&steps[1..]).all(|(one, next)| one.done <= next.done));
}

#[test]
fn a_journal_being_written_is_whole() {
    let folder = tempdir().expect("a folder");
    let journal = open(folder.path(), small()).expect("new");
    for number in 0..60 {
        journal.take_over(&[record(number)]).expect("space");
        if number % 3 == 0 {
            journal.sync().expect("a disk");
        }
        let found = verify(folder.path(), None, &mut |_| ()).expect("readable");
        assert!(matches!(&found, Finding::Whole(it) if it.records == number + 1), "{found:?}");
    }
    let mut files = Files::new();
    for name in ["00000001.log", "heads", "public-key"] {
        files.insert(name.to_owned(), original()[name].clone());
    }
    let text = files.get_mut("00000001.log").expect("a segment");
    text.truncate(text.len() - 700);
    text.extend_from_slice(b"R 99 ");
    files.insert("heads".to_owned(), Vec::new());
    let found = check(&files);
    assert!(matches!(found, Finding::Whole(Summary { unfinished: 5.., .. })), "{found:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_changed_byte_shows(file in 0..4_usize, place: prop::sample::Index, change in 1..=255_u8) {
        let name = &segment_names()[file];
        let mut files = original().clone();
        let text = files.get_mut(name).expect("a segment");
        let place = place.index(text.len());
        text[place] ^= change;
        let end = segment_names().last() == Some(name) && place + 1 == text.len();
        let expected = if end { Reason::Truncated } else { Reason::Changed };
        prop_assert_eq!(reason(&files), Some(expected), "byte {} of {}", place, name);
    }

    #[test]
    fn a_cut_shows(file in 0..4_usize, length: prop::sample::Index) {
        let names = segment_names();
        let mut files = original().clone();
        names.iter().skip(file + 1).for_each(|it| drop(files.remove(it)));
        let text = files.get_mut(&names[file]).expect("a segment");
        let length = length.index(text.len());
        text.truncate(length);
        prop_assert_eq!(reason(&files), Some(Reason::Truncated), "{} cut to {}", &names[file], length);
    }

    #[test]
    fn a_cut_amid_the_journal_shows(file in 0..3_usize, length: prop::sample::Index) {
        let mut files = original().clone();
        let text = files.get_mut(&segment_names()[file]).expect("a segment");
        let length = length.index(text.len());
        let newline = text[length] == b'\n';
        text.truncate(length);
        let expected = if newline { Reason::Changed } else { Reason::Removed };
        prop_assert_eq!(reason(&files), Some(expected), "cut to {}", length);
    }

    #[test]
    fn a_changed_byte_of_heads_shows(place: prop::sample::Index, change in 1..=255_u8) {
        let mut files = original().clone();
        let text = files.get_mut("heads").expect("heads");
        let place = place.index(text.len() - 1);
        text[place] ^= change;
        prop_assert_eq!(reason(&files), Some(Reason::Changed));
    }

    #[test]
    fn two_lines_swapped_show(one: prop::sample::Index, other: prop::sample::Index) {
        let mut lines = lines();
        let (one, other) = (one.index(lines.len()), other.index(lines.len()));
        prop_assume!(one != other);
        let swapped = lines[one].1.clone();
        lines[one].1 = std::mem::replace(&mut lines[other].1, swapped);
        prop_assert_eq!(reason(&of_lines(&lines)), Some(Reason::Reordered), "{} and {}", one, other);
    }

    #[test]
    fn a_line_copied_elsewhere_shows(from: prop::sample::Index, to: prop::sample::Index) {
        let mut lines = lines();
        let line = lines[from.index(lines.len())].1.clone();
        let to = to.index(lines.len());
        let name = lines[to].0.clone();
        lines.insert(to, (name, line));
        prop_assert_eq!(reason(&of_lines(&lines)), Some(Reason::Inserted));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    /// Lines of the right form, in any order, and bytes of no form: never whole, never a panic.
    #[test]
    fn garbage_is_broken(
        text in "([HRS] (0|1|18446744073709551615) -?[1-9] [0-9a-f]{64} (1 18446744073709551615 )?[0-9a-f]{64}( [0-9a-f]{128})?\n){1,5}",
        bytes in prop::collection::vec(any::<u8>(), 0..100),
        name in prop::sample::select(vec!["00000001.log", "00000004.log", "heads", "public-key"]),
    ) {
        let mut files = original().clone();
        files.insert(name.to_owned(), [text.as_bytes(), &bytes].concat());
        prop_assert!(reason(&files).is_some());
        let folder = write(&files);
        prop_assert!(name == "00000001.log" || open(folder.path(), small()).is_err());
        let read = crate::Reader::new(folder.path()).take(500).take_while(Result::is_ok).count();
        prop_assert!(read < 500);
    }
}

#[test]
fn a_removed_line_shows_and_so_does_a_repeated_one() {
    let all = lines();
    for place in 0..all.len() {
        let mut lines = all.clone();
        lines.remove(place);
        let last = place + 1 == all.len();
        let expected = if last { Reason::Truncated } else { Reason::Removed };
        assert_eq!(reason(&of_lines(&lines)), Some(expected), "without line {place}");

        let mut lines = all.clone();
        lines.insert(place, all[place].clone());
        assert_eq!(reason(&of_lines(&lines)), Some(Reason::Inserted), "line {place} twice");
    }
}

#[test]
fn lines_removed_together_show() {
    let all = lines();
    for from in (0..all.len()).step_by(3) {
        for to in (from + 2..all.len()).step_by(5) {
            let mut lines = all.clone();
            lines.drain(from..to);
            let found = reason(&of_lines(&lines));
            assert_eq!(found, Some(Reason::Removed), "without lines {from} to {to}");
        }
    }
}

#[test]
fn what_is_done_to_files_shows() {
    type Harm = fn(&mut Files);
    #[rustfmt::skip]
    let cases: [(Reason, Harm); 9] = [
        (Reason::MissingSegment, |it| drop(it.remove("00000001.log"))),
        (Reason::MissingSegment, |it| drop(it.remove("00000002.log"))),
        (Reason::Truncated,      |it| it.retain(|name, _| !name.starts_with("0000"))),
        (Reason::Removed,        |it| drop(it.remove("heads"))),
        (Reason::Reordered,      |it| {
            let two = it["00000002.log"].clone();
            let three = it.insert("00000003.log".into(), two).expect("a segment");
            it.insert("00000002.log".into(), three);
        }),
        (Reason::Reordered,      |it| {
            let two = it["00000002.log"].clone();
            it.insert("00000003.log".into(), two);
        }),
        (Reason::Changed,        |it| drop(it.insert("public-key".into(), b"ed25519 0\n".to_vec()))),
        (Reason::BadSignature,   |it| {
            it.insert("public-key".into(), format!("{}\n", key(2).public()).into_bytes());
        }),
        (Reason::Inserted,       |it| {
            let heads = it.get_mut("heads").expect("heads");
            let first = heads.split_inclusive(|it| *it == b'\n').next().expect("a head").to_vec();
            heads.splice(0..0, first);
        }),
    ];
    for (place, (expected, harm)) in cases.into_iter().enumerate() {
        let mut files = original().clone();
        harm(&mut files);
        assert_eq!(reason(&files), Some(expected), "case {place}");
    }
    let folder = write(original());
    let finding = verify(folder.path(), Some(key(2).public()), &mut |_| ()).expect("readable");
    assert!(matches!(finding, Finding::Broken(Break { reason: Reason::BadSignature, .. })));
}

/// Writes a journal as someone would who has all but the key: the chain holds, `sign` makes heads.
fn forged(count: u64, every: u64, sign: u8) -> Files {
    let mut text = Vec::new();
    let mut hash = Hash::GENESIS;
    let mut push = |kind, sequence, body: &str| {
        let at = Timestamp::default();
        let own = link(&hash, kind, (sequence, at), body.as_bytes());
        line::Line { kind, sequence, at, hash: own, body }.push(&mut text);
        hash = own;
        own
    };
    push(Kind::Segment, 0, &Opening { segment: 1, previous: Hash::GENESIS }.body());
    for sequence in 1..=count {
        let last = push(Kind::Record, sequence, "{}");
        if sequence % every == 0 {
            let head = Head::sign(&key(sign), (sequence, Timestamp::default()), last);
            push(Kind::Head, sequence, &head.body());
        }
    }
    let public = format!("{}\n", key(1).public()).into_bytes();
    let files = [("00000001.log", text), ("heads", Vec::new()), ("public-key", public)];
    files.into_iter().map(|(name, text)| (name.to_owned(), text)).collect()
}

/// A file of one head with another signature.
fn forged_heads(sequence: u64, sign: u8) -> Vec<u8> {
    let at = Timestamp::default();
    let body = Head::sign(&key(sign), (sequence, at), Hash::GENESIS).body();
    let mut text = Vec::new();
    line::after(&Hash::GENESIS, Kind::Head, (sequence, at), &body).push(&mut text);
    text
}

#[test]
fn a_forger_without_the_key_is_found() {
    let max = crate::MAX_UNSIGNED;
    assert_eq!(reason(&forged(20, 5, 1)), None);
    assert_eq!(reason(&forged(20, 5, 2)), Some(Reason::BadSignature));
    assert_eq!(reason(&forged(max, max + 1, 1)), None);
    assert_eq!(reason(&forged(max + 1, max + 2, 1)), Some(Reason::Unsigned));

    // The true `heads` beside another chain.
    let mut files = forged(80, 5, 1);
    files.insert("heads".into(), original()["heads"].clone());
    assert_eq!(reason(&files), Some(Reason::Truncated));
    let mut files = forged(80, 5, 1);
    files.insert("heads".into(), forged_heads(85, 2));
    assert_eq!(reason(&files), Some(Reason::BadSignature));
    let mut files = forged(1000, 5, 1);
    files.insert("heads".into(), original()["heads"].clone());
    assert_eq!(reason(&files), Some(Reason::Changed));
}

#[test]
fn a_break_says_where() {
    let mut lines = lines();
    let place = lines.iter().position(|(_, it)| it.starts_with(b"R 30 ")).expect("the record");
    let (file, _) = lines.remove(place);
    let line = lines[..place].iter().filter(|(name, _)| *name == file).count() as u64 + 1;
    let Finding::Broken(found) = check(&of_lines(&lines)) else { panic!("not whole") };
    assert_eq!(found, Break { file: file.clone(), line, after: 29, reason: Reason::Removed });
    assert_eq!(
        found.to_string(),
        format!("`{file}`, line {line}, after record 29: lines were removed")
    );
}
