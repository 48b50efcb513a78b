//! What stands on the messages of a stream.

use crate::nats::inbox_prefix;
use crate::tail::{NotAPlace, Place};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;
use uuid::Uuid;

/// On a request: where the watcher is. Without it, it knows nothing yet.
pub const FROM: &str = "Petpro-Stream-From";
/// On a request: for how many answers the watcher has room.
pub const CREDIT: &str = "Petpro-Stream-Credit";
/// On a request: for how many milliseconds it wants to be told.
pub const LEASE_MS: &str = "Petpro-Stream-Lease-Ms";
/// On a request: the inbox that is told. The request itself is then answered at once. Without it, the request's own
/// inbox is told, and nothing else is answered.
pub const TO: &str = "Petpro-Stream-To";
/// On an answer: its [`Kind`].
pub const KIND: &str = "Petpro-Stream";
/// On an answer: the place that a watcher has reached with it.
pub const PLACE: &str = "Petpro-Place";
/// On an answer with an item: `<id> <version>` of the aggregate.
pub const ITEM: &str = "Petpro-Stream-Item";
/// On an answer: how many came before it in its lease, so that a lost one is noticed.
pub const COUNT: &str = "Petpro-Stream-Count";
/// On the last answer: why it is.
pub const REASON: &str = "Petpro-Stream-Reason";

/// For how many answers there is credit at the most, and unless told.
pub const MAX_CREDIT: u32 = 256;
/// How long a lease is at the most, and unless told.
pub const MAX_LEASE: Duration = Duration::from_secs(30);
/// How often a lease on which nothing happens gives a sign of life.
pub const ALIVE_EVERY: Duration = Duration::from_secs(5);

/// What an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Forget everything: a snapshot follows.
    Reset,
    /// One item of the snapshot.
    Snapshot,
    /// The snapshot is complete.
    Ready,
    /// An item as it is now.
    Change,
    /// Nothing happens.
    Alive,
    /// The last answer of the lease.
    End,
}

impl Kind {
    const ALL: [Kind; 6] = [Kind::Reset, Kind::Snapshot, Kind::Ready, Kind::Change, Kind::Alive, Kind::End];

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Reset => "reset",
            Kind::Snapshot => "snapshot",
            Kind::Ready => "ready",
            Kind::Change => "change",
            Kind::Alive => "alive",
            Kind::End => "end",
        }
    }

    /// Reads a name.
    pub fn parse(name: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// Why a lease is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndReason {
    /// Its time is up.
    Lease,
    /// The watcher has room for no more.
    Credit,
    /// The replica leaves.
    Leaving,
    /// Its place is gone: more has happened than the replica keeps.
    Lagging,
    /// The snapshot could not be read.
    Failed,
}

impl EndReason {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            EndReason::Lease => "lease",
            EndReason::Credit => "credit",
            EndReason::Leaving => "leaving",
            EndReason::Lagging => "lagging",
            EndReason::Failed => "failed",
        }
    }
}

/// Where a watcher is: after an event, or in the middle of a snapshot that was begun there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamPlace {
    /// Everything up to this event is known; in the middle of a snapshot, it will be once that is complete.
    pub events: Place,
    /// In the middle of a snapshot: the last aggregate that was told.
    pub after: Option<Uuid>,
}

impl StreamPlace {
    /// After an event.
    pub fn after_event(events: Place) -> StreamPlace {
        StreamPlace { events, after: None }
    }
}

impl fmt::Display for StreamPlace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.after {
            None => self.events.fmt(formatter),
            Some(after) => write!(formatter, "{}-{}", self.events, after.simple()),
        }
    }
}

impl FromStr for StreamPlace {
    type Err = NotAPlace;

    fn from_str(text: &str) -> Result<StreamPlace, NotAPlace> {
        let Some((events, after)) = text.rsplit_once('-').filter(|(events, _)| events.contains('-')) else {
            return Ok(StreamPlace::after_event(text.parse()?));
        };
        let after = Uuid::try_parse(after).map_err(|_not_an_id| NotAPlace)?;
        Ok(StreamPlace { events: events.parse()?, after: Some(after) })
    }
}

/// What a watcher says of the lease that it asks for.
#[derive(Debug, Clone)]
pub(crate) struct LeaseHeaders {
    /// Where it is.
    pub from: Option<StreamPlace>,
    /// The inbox that is told.
    pub to: String,
}

/// The inbox of one lease that `service` gives to `watcher`.
pub(crate) fn lease_inbox(watcher: &str, service: &str) -> String {
    format!("{}.lease.{service}.{}", inbox_prefix(watcher), Uuid::now_v7().simple())
}

/// All inboxes of leases that `service` may give to `watcher`. Nothing else of the watcher's inbox is open to it.
pub(crate) fn lease_inboxes(watcher: &str, service: &str) -> String {
    format!("{}.lease.{service}.*", inbox_prefix(watcher))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_as_they_are_written() {
        let events = Place { incarnation: 7, sequence: 42 };
        for after in [None, Some(Uuid::nil()), Some(Uuid::now_v7())] {
            let place = StreamPlace { events, after };
            assert_eq!(place.to_string().parse(), Ok(place));
        }
        assert_eq!("7-42".parse(), Ok(StreamPlace::after_event(events)));
        for wrong in ["", "7", "7-", "-42", "7-42-", "7-42-x", "7-42-1-2", "a-b", "7-42 ", "\u{661}-2"] {
            assert_eq!(wrong.parse::<StreamPlace>(), Err(NotAPlace), "{wrong}");
        }
    }

    #[test]
    fn kinds_are_read_as_they_are_written() {
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(Kind::parse("Reset"), None);
    }
}
