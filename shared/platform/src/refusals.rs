//! Why something was refused, mostly before anything of it began: the reasons that callers see.

use subjects::{ErrorCode, Fault};

/// The service has no room for it.
pub const OVERLOADED: &str = "overloaded";
/// It was not sent: its target has refused many for want of room.
pub const THROTTLED: &str = "throttled";
/// It was not sent: its target fails or is too slow, and is left alone for a while.
pub const CIRCUIT_OPEN: &str = "circuit_open";
/// It was not sent: too many are under way to its target.
pub const TOO_MANY_UNDER_WAY: &str = "too_many_under_way";
/// The service itself has room and time; what it needs for this has not, and nothing else of the service is the matter.
pub const DEPENDENCY_UNAVAILABLE: &str = "dependency_unavailable";

/// The user's session has ended before its tokens do: the reason of an `unauthenticated`.
pub const SESSION_REVOKED: &str = "session_revoked";

/// Whether a request was refused before anything of it began.
pub fn was_refused_early(fault: &Fault) -> bool {
    fault.code == ErrorCode::Unavailable
        && [OVERLOADED, THROTTLED, CIRCUIT_OPEN, TOO_MANY_UNDER_WAY].contains(&fault.reason.as_ref())
}

/// Whether a refusal is counted and not logged: to write each of them down would cost more than the refusal.
pub fn is_only_counted(fault: &Fault) -> bool {
    was_refused_early(fault) || (fault.code == ErrorCode::Unavailable && fault.reason == DEPENDENCY_UNAVAILABLE)
}
