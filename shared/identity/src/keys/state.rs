//! Where a key stands in its life, and how long each part of it takes.

use super::Purpose;
use crate::tokens::{ACCESS_TOKEN_LIFETIME, MESH_TOKEN_LIFETIME};
use chrono::Duration;
use serde::Serialize;
use subjects::time::Instant;

/// By how much the clocks of those who sign may be wrong, and how long a token may be under way.
const GRACE: Duration = Duration::seconds(60);

/// Where a key stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// Known to everybody, and not used yet.
    Next,
    /// In use.
    Active,
    /// Not used any more; what was made with it is still accepted.
    Retired,
    /// Nothing that was made with it is accepted.
    Gone,
}

impl KeyState {
    /// The name in lists.
    pub const fn as_str(self) -> &'static str {
        match self {
            KeyState::Next => "next",
            KeyState::Active => "active",
            KeyState::Retired => "retired",
            KeyState::Gone => "gone",
        }
    }
}

pub(super) fn state(from: Option<Instant>, leaves_at: Option<Instant>, is_active: bool, now: Instant) -> KeyState {
    if leaves_at.is_some_and(|leaves_at| leaves_at <= now) {
        KeyState::Gone
    } else if from.is_some_and(|from| from > now) {
        KeyState::Next
    } else if is_active {
        KeyState::Active
    } else {
        KeyState::Retired
    }
}

/// How long the parts of a rotation take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RotationTimes {
    /// How long a new key is only known before it is used: longer than every replica takes to read the registry again.
    pub overlap: Duration,
    /// How long an old key is accepted after that, for all kinds of key. When not given: as long as a token of its kind
    /// lives, and a minute; for NATS keys as long as the overlap.
    pub retirement: Option<Duration>,
}

impl RotationTimes {
    pub(super) fn retirement_of(&self, purpose: Purpose) -> Duration {
        let lifetime = match purpose {
            Purpose::Access => ACCESS_TOKEN_LIFETIME,
            Purpose::User | Purpose::Service => MESH_TOKEN_LIFETIME,
        };
        self.retirement.unwrap_or(lifetime + GRACE)
    }

    pub(super) fn retirement_of_nats_keys(&self) -> Duration {
        self.retirement.unwrap_or(self.overlap)
    }
}
