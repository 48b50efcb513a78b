//! What a watcher asks for, beside its request.

use super::wire::{CREDIT, FROM, LEASE_MS, MAX_CREDIT, MAX_LEASE, RENEWAL, StreamPlace, TO};
use crate::nats::is_inbox;
use crate::nest::PacketId;
use async_nats::{HeaderName, Message, Subject};
use std::time::Duration;
use subjects::{Fault, Violation};

/// The credit of NestJS clients: they can neither say how much room they have nor go on from a place, so a lease that
/// ended before its snapshot would be asked for again and again, and none would ever get to the rest.
const CREDIT_IN_PACKETS: u32 = 10_000;

/// The headers of a request for a lease, as they came.
pub(crate) struct LeaseAsk {
    from: Option<String>,
    is_renewal: bool,
    credit: Option<String>,
    lease_ms: Option<String>,
    to: Option<String>,
    reply: Option<Subject>,
    /// A NestJS client asks, and is answered in packets.
    packet: Option<PacketId>,
}

/// The same, understood.
pub(crate) struct Terms {
    /// Where the watcher is.
    pub from: Option<StreamPlace>,
    /// For how many answers it has room.
    pub credit: u32,
    /// How long it is told at the most.
    pub lease: Duration,
    /// The inbox that is told.
    pub to: Subject,
    /// Answers are put into packets of this id.
    pub packet: Option<PacketId>,
}

impl LeaseAsk {
    pub(crate) fn of(message: &Message) -> LeaseAsk {
        let header = |name: &'static str| {
            let value = message.headers.as_ref()?.get(HeaderName::from_static(name))?;
            Some(value.as_str().to_owned())
        };
        LeaseAsk {
            from: header(FROM).filter(|place| !place.is_empty()),
            is_renewal: header(RENEWAL).is_some(),
            credit: header(CREDIT),
            lease_ms: header(LEASE_MS),
            to: header(TO),
            reply: message.reply.clone(),
            packet: None,
        }
    }

    /// Answers are put into packets of this id, where there is one.
    pub(crate) fn in_packets(self, packet: Option<PacketId>) -> LeaseAsk {
        LeaseAsk { packet, ..self }
    }

    /// Whether it goes on with a stream that was begun before, as the asker says.
    pub(crate) fn is_renewal(&self) -> bool {
        self.is_renewal
    }

    /// Whether the request's own inbox is told, so that it has no other answer.
    pub(crate) fn is_told_in_reply(&self) -> bool {
        self.to.is_none()
    }

    /// # Errors
    /// `bad_request` with all that makes no sense.
    pub(crate) fn terms(self) -> Result<Terms, Fault> {
        let mut violations = vec![];
        let mut refuse = |header: &str, what: &str| violations.push(Violation::new("", format!("{header} {what}")));
        let from = match self.from.map(|from| from.parse()) {
            None => None,
            Some(Ok(place)) => Some(place),
            Some(Err(_)) => {
                refuse(FROM, "is not a place of this stream");
                None
            }
        };
        let credit = match (&self.packet, &self.credit) {
            (Some(_), None) => Some(CREDIT_IN_PACKETS),
            (_, credit) => whole_number(credit.as_deref(), 1, u64::from(MAX_CREDIT))
                .map(|credit| u32::try_from(credit).unwrap_or(MAX_CREDIT)),
        };
        let longest = u64::try_from(MAX_LEASE.as_millis()).unwrap_or(u64::MAX);
        let lease_ms = whole_number(self.lease_ms.as_deref(), 1, longest);
        if credit.is_none() {
            refuse(CREDIT, "is not between 1 and 256");
        }
        if lease_ms.is_none() {
            refuse(LEASE_MS, "is not between 1 and 30000");
        }
        let to = self.to.map(Subject::from).or(self.reply).filter(|to| is_plain_inbox(to));
        if to.is_none() {
            refuse(TO, "is not an inbox");
        }
        match (credit, lease_ms, to) {
            (Some(credit), Some(lease_ms), Some(to)) if violations.is_empty() => {
                Ok(Terms { from, credit, lease: Duration::from_millis(lease_ms), to, packet: self.packet })
            }
            _ => Err(Fault::invalid(violations)),
        }
    }
}

/// The most where nothing is said. None: something is said that makes no sense.
fn whole_number(text: Option<&str>, least: u64, most: u64) -> Option<u64> {
    let Some(text) = text else { return Some(most) };
    text.parse().ok().filter(|number| (least..=most).contains(number))
}

/// Without wildcards or anything else that no inbox has: it is published to.
fn is_plain_inbox(subject: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    is_inbox(subject)
        && subject.len() <= 256
        && subject.bytes().all(is_plain)
        && subject.split('.').all(|token| !token.is_empty())
}
