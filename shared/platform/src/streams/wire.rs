//! What stands on the messages of a stream.

use crate::nats::inbox_prefix;
use crate::tail::{NotAPlace, Place};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;
use uuid::Uuid;

/// On a request: where the watcher is. Without it, it knows nothing yet.
pub const FROM: &str = "Petpro-Stream-From";
/// On a request: that it goes on with a stream which was begun before, so that the audit log keeps the stream once. It is
/// a service's word, and counts for nothing from whoever shows no service token. A place to go on from says nothing of the
/// kind: clients bring one along.
pub const RENEWAL: &str = "Petpro-Stream-Renewal";
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

/// The reason why a stream is given up whose snapshot cannot be read.
pub(super) const NO_SNAPSHOT: &str = "no_snapshot";
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

/// Where a watcher is: after an event, or in the middle of a snapshot that was begun there. Written
/// `<incarnation>-<sequence>`, then `-<last aggregate>` and `.<scope>` where there are such.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamPlace {
    /// Everything up to this event is known; in the middle of a snapshot, it will be once that is complete.
    pub events: Place,
    /// In the middle of a snapshot: the last aggregate that was told.
    pub after: Option<Uuid>,
    /// What was asked for and could be seen there, see [`Watch::of_scope`](super::Watch::of_scope): somebody to whom
    /// another one is told cannot go on from it. Zero: nothing was said of it.
    pub scope: u32,
}

impl StreamPlace {
    /// The same in a snapshot that has told nothing yet.
    pub(super) fn before_all(self) -> StreamPlace {
        StreamPlace { after: Some(Uuid::nil()), ..self }
    }
}

impl fmt::Display for StreamPlace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.events.fmt(formatter)?;
        if let Some(after) = self.after {
            write!(formatter, "-{}", after.simple())?;
        }
        match self.scope {
            0 => Ok(()),
            scope => write!(formatter, ".{scope:08x}"),
        }
    }
}

impl FromStr for StreamPlace {
    type Err = NotAPlace;

    fn from_str(text: &str) -> Result<StreamPlace, NotAPlace> {
        let (text, scope) = match text.split_once('.') {
            Some((text, scope)) => (text, read_scope(scope)?),
            None => (text, 0),
        };
        let Some((events, after)) = text.rsplit_once('-').filter(|(events, _)| events.contains('-')) else {
            return Ok(StreamPlace { events: text.parse()?, after: None, scope });
        };
        let after = Uuid::try_parse(after).map_err(|_not_an_id| NotAPlace)?;
        Ok(StreamPlace { events: events.parse()?, after: Some(after), scope })
    }
}

/// Eight digits, and not more: the number type would also take a sign.
fn read_scope(text: &str) -> Result<u32, NotAPlace> {
    if text.len() != 8 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(NotAPlace);
    }
    u32::from_str_radix(text, 16).map_err(|_not_a_number| NotAPlace)
}

/// What a watcher says of the lease that it asks for.
#[derive(Debug, Clone)]
pub(crate) struct LeaseHeaders {
    /// Where it is.
    pub from: Option<StreamPlace>,
    /// It has had a lease of this stream before.
    pub is_renewal: bool,
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
            for scope in [0, 1, u32::MAX] {
                let place = StreamPlace { events, after, scope };
                assert_eq!(place.to_string().parse(), Ok(place));
            }
        }
        assert_eq!("7-42".parse(), Ok(StreamPlace { events, after: None, scope: 0 }));
        assert_eq!("7-42.000000ff".parse(), Ok(StreamPlace { events, after: None, scope: 255 }));
        let wrong_scopes =
            ["7-42.", "7-42.ff", "7-42.+00000ff", "7-42.0000000ff", "7-42.000000fg", "7-42.000000ff.00000001"];
        let wrong = ["", "7", "7-", "-42", "7-42-", "7-42-x", "7-42-1-2", "a-b", "7-42 ", "\u{661}-2", ".000000ff"];
        for wrong in wrong.into_iter().chain(wrong_scopes) {
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
