//! What a stand-in for another service owns.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use subjects::snapshot::{Snapshot, SnapshotItem, SnapshotPage};
use uuid::Uuid;

/// The aggregates of an entity that a stand-in owns, as it answers with them where it is asked for a snapshot:
///
/// ```text
/// Service::new().on(|cx: Cx<Owner>, asked: PetSnapshot| async move { Ok(cx.app.pets.page(asked.after, asked.limit).await) })
/// ```
///
/// A test changes it first and tells the event afterwards, as the service does for which it stands.
pub struct Owned<S: Snapshot> {
    items: Arc<Mutex<BTreeMap<Uuid, SnapshotItem<S::State>>>>,
    page_size: u16,
    pause: Duration,
}

impl<S: Snapshot> Clone for Owned<S> {
    fn clone(&self) -> Owned<S> {
        Owned { items: self.items.clone(), page_size: self.page_size, pause: self.pause }
    }
}

impl<S: Snapshot<State: Clone>> Owned<S> {
    /// Nothing so far. Pages hold so many at the most, and each is on its way for a time, in which it grows old.
    pub fn in_pages(page_size: u16, pause: Duration) -> Owned<S> {
        Owned { items: Arc::default(), page_size, pause }
    }

    /// Makes or changes an aggregate.
    pub fn put(&self, state: S::State) {
        self.items.lock().unwrap().insert(S::id_of(&state), SnapshotItem { state, removed: false });
    }

    /// Removes an aggregate, but keeps its last state.
    pub fn end(&self, state: S::State) {
        self.items.lock().unwrap().insert(S::id_of(&state), SnapshotItem { state, removed: true });
    }

    /// Removes an aggregate without a trace.
    pub fn forget(&self, id: impl Into<Uuid>) {
        self.items.lock().unwrap().remove(&id.into());
    }

    /// All of them by their ids, those that have ended among them.
    pub fn states(&self) -> Vec<S::State> {
        self.items.lock().unwrap().values().map(|item| item.state.clone()).collect()
    }

    /// The answer to a request for a page.
    pub async fn page(&self, after: Option<Uuid>, limit: u16) -> SnapshotPage<S::State> {
        let page = self.page_now(after, usize::from(limit.min(self.page_size)));
        tokio::time::sleep(self.pause).await;
        page
    }

    fn page_now(&self, after: Option<Uuid>, limit: usize) -> SnapshotPage<S::State> {
        let items = self.items.lock().unwrap();
        let mut above = items.iter().filter(|(id, _)| after.is_none_or(|after| **id > after));
        let page: Vec<(Uuid, SnapshotItem<S::State>)> =
            above.by_ref().take(limit).map(|(id, item)| (*id, item.clone())).collect();
        let next = above.next().and(page.last()).map(|(last, _)| *last);
        SnapshotPage { items: page.into_iter().map(|(_, item)| item).collect(), next }
    }
}
