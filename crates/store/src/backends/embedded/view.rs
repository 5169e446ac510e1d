//! What readers see: the tree, and the layers above it.

use super::layer::{self, Layer, Written};
use super::tree::TreeView;
use crate::{Error, KeyRange, Revision, Rows, Snapshot, table};
use arc_swap::ArcSwap;
use async_trait::async_trait;
use std::cmp::Ordering;
use std::iter::Peekable;
use std::sync::Arc;

/// Everything committed up to `revision`.
pub(super) struct View {
    pub(super) revision: Revision,
    /// Takes what later commits write, too; they have higher revisions.
    pub(super) active: Arc<Layer>,
    /// What is being moved into the tree.
    pub(super) frozen: Option<Arc<Layer>>,
    pub(super) tree: Arc<TreeView>,
}

/// A view held by a reader.
pub(super) struct Held {
    pub(super) view: Arc<View>,
    /// The view that new readers get.
    pub(super) latest: Arc<ArcSwap<View>>,
}

impl Held {
    /// The same view over a tree that was opened again since, after the disk had failed.
    fn reopened(&self) -> Option<View> {
        let tree = Arc::clone(&self.latest.load().tree);
        let is_same = tree.revision == self.view.tree.revision;
        let is_new = !Arc::ptr_eq(&tree, &self.view.tree);
        (is_same && is_new).then(|| View { tree, ..self.view.share() })
    }

    fn read<T>(&self, read: impl Fn(&View) -> Result<T, Error>) -> Result<T, Error> {
        match read(&self.view) {
            Err(Error::Unavailable(error)) => {
                self.reopened().map_or(Err(Error::Unavailable(error)), |it| read(&it))
            }
            answer => answer,
        }
    }
}

#[async_trait]
impl Snapshot for Held {
    fn revision(&self) -> Revision {
        self.view.revision
    }

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        self.read(|it| it.find(key))
    }

    async fn scan_heads(
        &self,
        range: &KeyRange,
        limit: usize,
        reverse: bool,
        head: usize,
    ) -> Result<Rows, Error> {
        if range.is_empty() {
            return Ok(Rows::new());
        }
        self.read(|it| it.scan((range, head), limit, reverse))
    }
}

impl View {
    /// Another view of the same parts.
    pub(super) fn share(&self) -> Self {
        Self {
            revision: self.revision,
            active: Arc::clone(&self.active),
            frozen: self.frozen.clone(),
            tree: Arc::clone(&self.tree),
        }
    }

    fn find(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        if let Some(written) = self.active.find(key, self.revision) {
            return Ok(written);
        }
        let frozen = self.frozen.as_ref().and_then(|it| it.find(key, self.revision));
        frozen.map_or_else(|| self.tree.find(key), Ok)
    }

    fn scan(
        &self,
        (range, head): (&KeyRange, usize),
        limit: usize,
        reverse: bool,
    ) -> Result<Rows, Error> {
        let tree = self.tree.range(range, head)?.map(|row| row.map(|(key, row)| (key, Some(row))));
        let frozen = self.frozen.as_deref().map(Layer::read);
        let frozen = frozen.iter().flat_map(|it| self.layer(it, range, head));
        let active = self.active.read();
        let active = self.layer(&active, range, head);
        let rows: &mut dyn Iterator<Item = Entry> = if reverse {
            let below = Overlay::new(frozen.rev(), tree.rev(), Ordering::Greater);
            &mut Overlay::new(active.rev(), below, Ordering::Greater)
        } else {
            let below = Overlay::new(frozen, tree, Ordering::Less);
            &mut Overlay::new(active, below, Ordering::Less)
        };
        rows.filter_map(|entry| match entry {
            Ok((key, written)) => Some(Ok((key, written?))),
            Err(error) => Some(Err(error)),
        })
        .take(limit)
        .collect()
    }

    fn layer<'a>(
        &self,
        rows: &'a layer::Map,
        range: &KeyRange,
        head: usize,
    ) -> impl DoubleEndedIterator<Item = Entry> + use<'a> {
        let visible = layer::visible(rows, range, self.revision);
        let copied = move |row: &Vec<u8>| table::head(row, head).to_vec();
        visible.map(move |(key, written)| Ok((key.to_owned(), written.as_ref().map(copied))))
    }
}

type Entry = Result<(String, Written), Error>;

/// The rows of `upper` and, where it says nothing, those of `lower`; both in the same order.
struct Overlay<U: Iterator, L: Iterator> {
    upper: Peekable<U>,
    lower: Peekable<L>,
    /// How the key that comes first compares to the other.
    first: Ordering,
}

impl<U: Iterator<Item = Entry>, L: Iterator<Item = Entry>> Overlay<U, L> {
    fn new(upper: U, lower: L, first: Ordering) -> Self {
        Self { upper: upper.peekable(), lower: lower.peekable(), first }
    }
}

impl<U: Iterator<Item = Entry>, L: Iterator<Item = Entry>> Iterator for Overlay<U, L> {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        let (Some(Ok((upper, _))), Some(Ok((lower, _)))) = (self.upper.peek(), self.lower.peek())
        else {
            // One side has ended or failed. A failure comes out first: rows after it may be missing.
            let upper_fails = matches!(self.upper.peek(), Some(Err(_)));
            let lower_has = self.lower.peek().is_some();
            let lower_fails = matches!(self.lower.peek(), Some(Err(_)));
            let take_lower =
                !upper_fails && (lower_fails || (lower_has && self.upper.peek().is_none()));
            return if take_lower { self.lower.next() } else { self.upper.next() };
        };
        let order = upper.cmp(lower);
        if order == Ordering::Equal {
            self.lower.next();
        }
        if order == Ordering::Equal || order == self.first {
            self.upper.next()
        } else {
            self.lower.next()
        }
    }
}
