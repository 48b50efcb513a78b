//! The places of those who may be away. Each is a subject of a stream, and belongs to whoever has the message on it, until
//! that expires: JetStream takes one only if there is none, so that of several who go at the same moment one gets it.

use crate::dispatcher::chain;
use async_nats::HeaderMap;
use async_nats::jetstream::Context;
use async_nats::jetstream::context::{PublishError, PublishErrorKind};
use std::sync::Arc;
use std::time::Duration;

/// The stream of places.
pub const AWAY: &str = "AWAY";
/// Its subjects: `away.<service>.<place>`, for a version that has a share of the requests `away.<service>.<version>-<place>`.
pub const AWAY_SUBJECTS: &str = "away.*.*";
/// By how much a place outlasts the time for which its holder is away at the longest: leaving and coming back take time.
const GRACE: Duration = Duration::from_secs(10);
/// How long giving one back may take.
const GIVEN_BACK_WITHIN: Duration = Duration::from_secs(1);
/// The shortest life that JetStream gives a message.
const SHORTEST: &str = "1s";
/// No group has more.
const MOST_PLACES: usize = 1_000;

/// The places of one service, for its permissions.
pub(crate) fn places_of(service: &str) -> String {
    format!("away.{service}.*")
}

/// A place that was taken.
#[derive(Debug)]
pub(super) struct Place {
    subject: String,
    sequence: u64,
}

#[derive(Clone)]
pub(super) struct Places {
    pub(super) jetstream: Context,
    pub(super) name: &'static str,
    /// Replicas of a version that has a share of the requests have places of their own: what fails there must not keep a
    /// stable replica from leaving.
    pub(super) version: Option<String>,
    pub(super) instance: Arc<str>,
}

impl Places {
    /// One of the first so many places, for so long. None: all are taken.
    pub(super) async fn take(&self, places: usize, length: Duration) -> Result<Option<Place>, PublishError> {
        let life = format!("{}s", (length + GRACE).as_secs());
        for number in 0..places.min(MOST_PLACES) {
            let subject = match &self.version {
                Some(version) => format!("away.{}.{version}-{number}", self.name),
                None => format!("away.{}.{number}", self.name),
            };
            match self.write(&subject, 0, &life).await {
                Ok(sequence) => return Ok(Some(Place { subject, sequence })),
                Err(error) if error.kind() == PublishErrorKind::WrongLastSequence => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Lets the place end soon; if that fails, it ends by itself. To remove it at once one would have to be allowed to remove
    /// those of others, too.
    pub(super) async fn give_back(&self, place: Place) {
        let ends_soon = self.write(&place.subject, place.sequence, SHORTEST);
        match tokio::time::timeout(GIVEN_BACK_WITHIN, ends_soon).await {
            Ok(Ok(_sequence)) => {}
            Ok(Err(error)) => tracing::debug!(error = chain(&error), "could not give a place back: it ends by itself"),
            Err(_elapsed) => tracing::debug!("could not give a place back in time: it ends by itself"),
        }
    }

    /// Writes only if `last` is what was last written there; 0: nothing.
    async fn write(&self, subject: &str, last: u64, life: &str) -> Result<u64, PublishError> {
        let mut headers = HeaderMap::new();
        headers.insert(async_nats::header::NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, last.to_string().as_str());
        headers.insert("Nats-TTL", life);
        let body = self.instance.as_bytes().to_vec().into();
        let acknowledged = self.jetstream.publish_with_headers(subject.to_owned(), headers, body).await?.await?;
        Ok(acknowledged.sequence)
    }
}
