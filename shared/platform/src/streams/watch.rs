//! What a handler of a stream answers.

use futures::future::BoxFuture;
use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::sync::Arc;
use subjects::Fault;
use uuid::Uuid;

type Page<I> = Arc<dyn Fn(Option<Uuid>, u64) -> BoxFuture<'static, Result<Vec<I>, Fault>> + Send + Sync>;

/// What one watcher may see: what there is, page by page, and which changes concern it. Whether it may watch at all has
/// been decided before this is made; it holds for the lease that was asked for.
pub struct Watch<I> {
    page: Page<I>,
    admits: Arc<dyn Fn(&I) -> bool + Send + Sync>,
    scope: u32,
}

impl<I> Watch<I> {
    /// `page(after, limit)` reads the watcher's items by aggregate id, those after an id, at most `limit`; fewer are the
    /// last ones. `admits` says of an item whether it is the watcher's.
    pub fn new<Fut>(
        page: impl Fn(Option<Uuid>, u64) -> Fut + Send + Sync + 'static,
        admits: impl Fn(&I) -> bool + Send + Sync + 'static,
    ) -> Watch<I>
    where
        Fut: Future<Output = Result<Vec<I>, Fault>> + Send + 'static,
    {
        Watch { page: Arc::new(move |after, limit| Box::pin(page(after, limit))), admits: Arc::new(admits), scope: 0 }
    }

    /// Says what decides which items are the watcher's: what it asked for, and where the caller has a say. A watcher that
    /// comes with a place of another scope gets everything anew: changes alone would leave out what it sees now and did
    /// not see before, and leave it what it sees no longer.
    #[must_use]
    pub fn of_scope(self, scope: &impl Hash) -> Watch<I> {
        // Should replicas of two builds hash differently, their watchers get a snapshot more than they need.
        let mut hasher = DefaultHasher::new();
        scope.hash(&mut hasher);
        let [a, b, c, d, ..] = hasher.finish().to_be_bytes();
        Watch { scope: u32::from_be_bytes([a, b, c, d]).max(1), ..self }
    }

    pub(super) fn scope(&self) -> u32 {
        self.scope
    }

    pub(super) fn page(&self, after: Option<Uuid>, limit: u64) -> BoxFuture<'static, Result<Vec<I>, Fault>> {
        (self.page)(after, limit)
    }

    pub(super) fn admits(&self, item: &I) -> bool {
        (self.admits)(item)
    }
}
