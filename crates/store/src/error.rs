//! Why the store said no.

/// Why the store said no.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another commit changed what this one had read. Run the transaction again.
    #[error("another commit changed `{key}`")]
    Conflict {
        /// The first key or range start found changed.
        key: String,
    },
    /// A stored value can't be read: damage, or a schema of the future.
    #[error("the value at `{key}` can't be read: {reason}")]
    Corrupt {
        /// Where it is.
        key: String,
        /// What is wrong with it; never the value.
        reason: String,
    },
    /// No space left. Nothing was written; reads go on.
    #[error("no space left for the store")]
    Full,
    /// Another process has the store open.
    #[error("another process uses the store in `{path}`")]
    Locked {
        /// The data folder or file.
        path: String,
    },
    /// The store can't be reached, or failed in a way that leaves the last commit unknown.
    #[error("the store is unavailable: {0}")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}
