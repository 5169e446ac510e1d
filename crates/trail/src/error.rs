//! Why the journal said no.

use std::io;

/// Why the journal said no.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The journal was closed: the server is stopping.
    #[error("the journal is closed")]
    Closed,
    /// The journal isn't what it should be. Nothing was changed.
    #[error(
        "the journal is damaged: `{file}`, line {line}: {what}\n\
         hint: `strongroom trail verify` says more; keep a copy of the folder before you repair it"
    )]
    Damaged {
        /// The file, in the journal's folder.
        file: String,
        /// The line, counted from 1.
        line: u64,
        /// What is wrong.
        what: &'static str,
    },
    /// No space left: not for another line, and what was preallocated is used up. It works again
    /// when there is space.
    #[error("no space left for the journal")]
    Full,
    /// A file can't be read or written.
    #[error("can't {act} `{file}`")]
    Io {
        /// What was tried, as a verb.
        act: &'static str,
        /// The file, in the journal's folder.
        file: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// Not an Ed25519 key in the expected form.
    #[error("not an Ed25519 key")]
    Key,
    /// Another process writes this journal.
    #[error("another process writes the journal in `{folder}`")]
    Locked {
        /// The journal's folder.
        folder: String,
    },
    /// The journal was signed with another key than the one given.
    #[error("the journal's `public-key` belongs to another signing key")]
    OtherKey,
    /// A sync failed earlier, so it is unknown what is on disk. Start again to find out.
    #[error("the journal stopped when a sync failed: {0}")]
    Stopped(String),
    /// The store failed while the outbox was emptied.
    #[error("the store failed")]
    Store(#[from] store::Error),
    /// A file holds something else than lines.
    #[error("`{file}` holds no line of a journal at byte {offset}")]
    Unreadable {
        /// The file, in the journal's folder.
        file: String,
        /// Where.
        offset: u64,
    },
    /// A record can't be kept: it is empty, holds a control character, or is longer than a line may be.
    #[error("a record of {length} bytes doesn't fit one line")]
    Unfit {
        /// Its length in bytes.
        length: usize,
    },
}

impl Error {
    /// `source`, told as what was tried; a lack of space is a reason of its own.
    pub(crate) fn io(act: &'static str, file: &str, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full,
            _ => Self::Io { act, file: file.to_owned(), source },
        }
    }

    pub(crate) fn damaged(file: &str, line: u64, what: &'static str) -> Self {
        Self::Damaged { file: file.to_owned(), line, what }
    }
}
