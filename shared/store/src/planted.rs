//! Mistakes that can be planted, so that the fault harness can show that it finds them.
//!
//! Without the feature `planted_faults`, which only the harness turns on, [`is`] and [`hits`] are constant and nothing
//! of this is left. With it, `PLANTED_FAULT` names the one mistake that a process makes.

#[cfg(not(feature = "planted_faults"))]
use uuid::Uuid;

/// A mistake that the platform could make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Planted {
    /// A consumer handles an event although its inbox row is there already. `ignore_inbox`.
    IgnoreInbox,
    /// A consumer acknowledges an event before its effect is committed. `ack_before_commit`.
    AckBeforeCommit,
    /// The relay notes some rows as published that it has not published. `relay_skips_row`.
    RelaySkipsRow,
    /// The relay puts nothing back that a broker has forgotten. `no_refill`.
    NoRefill,
}

/// Whether this mistake is to be made.
#[cfg(not(feature = "planted_faults"))]
pub(crate) const fn is(_mistake: Planted) -> bool {
    false
}

/// Whether this mistake is to be made with this event: with one in sixteen, always the same ones.
#[cfg(not(feature = "planted_faults"))]
pub(crate) const fn hits(_mistake: Planted, _event_id: Uuid) -> bool {
    false
}

#[cfg(feature = "planted_faults")]
pub(crate) use planting::{hits, is};

#[cfg(feature = "planted_faults")]
mod planting {
    use super::Planted;
    use std::sync::OnceLock;
    use uuid::Uuid;

    const VARIABLE: &str = "PLANTED_FAULT";

    static CHOSEN: OnceLock<Option<Planted>> = OnceLock::new();

    /// Whether this mistake is to be made.
    pub(crate) fn is(mistake: Planted) -> bool {
        *CHOSEN.get_or_init(choose) == Some(mistake)
    }

    /// Whether this mistake is to be made with this event: with one in sixteen, always the same ones.
    pub(crate) fn hits(mistake: Planted, event_id: Uuid) -> bool {
        is(mistake) && event_id.as_u128() & 0xf == 0
    }

    fn choose() -> Option<Planted> {
        let name = std::env::var(VARIABLE).ok().filter(|name| !name.is_empty())?;
        let mistake = match name.as_str() {
            "ignore_inbox" => Planted::IgnoreInbox,
            "ack_before_commit" => Planted::AckBeforeCommit,
            "relay_skips_row" => Planted::RelaySkipsRow,
            "no_refill" => Planted::NoRefill,
            _ => {
                tracing::error!(variable = VARIABLE, name, "no such planted fault, the process works as it should");
                return None;
            }
        };
        tracing::error!(fault = ?mistake, "THIS PROCESS MAKES A PLANTED MISTAKE AND WILL LOSE OR DOUBLE EVENTS");
        Some(mistake)
    }
}
