//! Streams, as a user has them through the edge.

use crate::PATIENCE;
use crate::asker::Asker;
use crate::callers;
use crate::mesh::Mesh;
use platform::streams::{Kind, WatchCall, Watching};
use std::marker::PhantomData;
use std::time::Duration;
use subjects::{Fault, Stream};
use tokio::time::Instant;

impl Mesh {
    /// Begins to watch for somebody.
    pub async fn watch<S: Stream>(&self, request: &S, asker: &Asker) -> Result<Watched<S>, Fault> {
        let (edge, user_token) = self.callers.seat_of(asker).await;
        let call = WatchCall {
            subject: S::SUBJECT,
            body: serde_json::to_vec(request).unwrap().into(),
            from: None,
            meta: callers::meta(),
            identify: Box::new(move || Ok(user_token.clone())),
            settle: PATIENCE,
        };
        let watching = edge.client.watch(call, Instant::now() + Duration::from_secs(20)).await?;
        Ok(Watched { watching, stream: PhantomData })
    }
}

/// A stream that somebody listens to.
pub struct Watched<S> {
    watching: Watching,
    stream: PhantomData<S>,
}

impl<S: Stream> Watched<S> {
    /// The whole snapshot.
    pub async fn snapshot(&mut self) -> Vec<S::Item> {
        let mut items = Vec::new();
        loop {
            match self.next().await {
                (Kind::Reset, _) => items.clear(),
                (Kind::Snapshot, Some(item)) => items.push(item),
                (Kind::Ready, _) => return items,
                (kind, _) => panic!("{kind:?} in a snapshot"),
            }
        }
    }

    /// The next change.
    pub async fn change(&mut self) -> S::Item {
        match self.next().await {
            (Kind::Change, Some(item)) => item,
            (kind, _) => panic!("{kind:?} where a change should come"),
        }
    }

    /// The next that is more than a sign of life.
    async fn next(&mut self) -> (Kind, Option<S::Item>) {
        loop {
            let heard = tokio::time::timeout(PATIENCE, self.watching.next()).await;
            let heard = heard.unwrap_or_else(|_| panic!("nothing comes")).unwrap_or_else(|fault| panic!("{fault:?}"));
            let item = (!heard.body.is_empty()).then(|| serde_json::from_slice(&heard.body).unwrap());
            if heard.kind != Kind::Alive {
                return (heard.kind, item);
            }
        }
    }
}
