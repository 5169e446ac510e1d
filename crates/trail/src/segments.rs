//! Which files a journal has, and their lines as they stand there.

use crate::Error;
use crate::line::{MAX_LINE, number};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

/// The file that keeps a copy of every signed head.
pub(crate) const HEADS: &str = "heads";
/// The file that holds the key that checks heads.
pub(crate) const PUBLIC_KEY: &str = "public-key";
/// The file that becomes the next segment, made ahead of time.
pub(crate) const SPARE: &str = "spare";
/// The same, made when there was no spare. Another name: a spare may be in the making just then.
pub(crate) const HASTY: &str = "spare.hasty";

/// The file name of segment `number`.
pub(crate) fn name(number: u64) -> String {
    format!("{number:08}.log")
}

/// The numbers of the segments in `folder`, ascending; none if there is no such folder.
pub(crate) fn list(folder: &Path) -> Result<Vec<u64>, Error> {
    let failed = |source| Error::io("list", &folder.display().to_string(), source);
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut numbers = Vec::new();
    for entry in entries {
        numbers.extend(entry.map_err(failed)?.file_name().to_str().and_then(number_of));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

fn number_of(file: &str) -> Option<u64> {
    let found = number(file.strip_suffix(".log")?.trim_start_matches('0')).ok()?;
    (found > 0 && name(found) == file).then_some(found)
}

/// The lines of a file from some place on, one at a time in one buffer.
#[derive(Debug)]
pub(crate) struct Lines {
    reader: BufReader<File>,
    buffer: Vec<u8>,
    /// Where the next line begins.
    offset: u64,
    file: String,
}

/// What comes next in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next<'a> {
    /// Nothing.
    End,
    /// A line longer than [`MAX_LINE`]; it was not read further.
    Endless,
    /// A whole line, without its line feed.
    Line(&'a [u8]),
    /// Bytes that no line feed ends, yet. The next call reads them again.
    Torn(&'a [u8]),
}

impl Lines {
    /// The lines of `file` in `folder` from byte `offset` on; `None` if there is no such file.
    pub(crate) fn open(folder: &Path, file: String, offset: u64) -> Result<Option<Self>, Error> {
        let opened = match File::open(folder.join(&file)) {
            Ok(opened) => opened,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io("read", &file, error)),
        };
        let reader = BufReader::with_capacity(64 * 1024, opened);
        let mut lines = Self { reader, buffer: Vec::new(), offset, file };
        lines.seek()?;
        Ok(Some(lines))
    }

    /// Where the next line begins, in bytes.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    pub(crate) fn next(&mut self) -> Result<Next<'_>, Error> {
        self.buffer.clear();
        let limit = MAX_LINE as u64;
        let read = self.reader.by_ref().take(limit).read_until(b'\n', &mut self.buffer);
        let read = read.map_err(|error| Error::io("read", &self.file, error))? as u64;
        if self.buffer.ends_with(b"\n") {
            self.offset += read;
            return Ok(Next::Line(self.buffer.strip_suffix(b"\n").unwrap_or_default()));
        }
        if read > 0 {
            self.seek()?;
        }
        Ok(match read {
            0 => Next::End,
            _ if read == limit => Next::Endless,
            _ => Next::Torn(&self.buffer),
        })
    }

    fn seek(&mut self) -> Result<(), Error> {
        let sought = self.reader.seek(SeekFrom::Start(self.offset));
        sought.map(drop).map_err(|error| Error::io("read", &self.file, error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn segments_are_named_by_their_number() {
        #[rustfmt::skip]
        let cases = [
            ("00000001.log",  Some(1)),
            ("99999999.log",  Some(99_999_999)),
            ("100000000.log", Some(100_000_000)),
            ("00000000.log",  None),
            ("1.log",         None),
            ("000000001.log", None),
            ("00000001.txt",  None),
            ("0000001x.log",  None),
            ("heads",         None),
        ];
        for (file, number) in cases {
            assert_eq!(number_of(file), number, "{file}");
        }
    }

    #[test]
    fn a_torn_line_is_read_again_when_it_is_whole() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut file = File::create(folder.path().join("x")).expect("a file");
        file.write_all(b"one\ntw").expect("written");
        let mut lines = Lines::open(folder.path(), "x".into(), 0).expect("read").expect("there");
        assert_eq!(lines.next().expect("read"), Next::Line(b"one"));
        assert_eq!(lines.next().expect("read"), Next::Torn(b"tw"));
        assert_eq!(lines.offset(), 4);
        file.write_all(b"o\n").expect("written");
        assert_eq!(lines.next().expect("read"), Next::Line(b"two"));
        assert_eq!(lines.next().expect("read"), Next::End);
        assert_eq!(lines.offset(), 8);
    }

    #[test]
    fn memory_is_bounded_whatever_the_line() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("x"), vec![b'x'; MAX_LINE + 5]).expect("written");
        let mut lines = Lines::open(folder.path(), "x".into(), 0).expect("read").expect("there");
        assert_eq!(lines.next().expect("read"), Next::Endless);
        assert!(Lines::open(folder.path(), "y".into(), 0).expect("read").is_none());
    }
}
