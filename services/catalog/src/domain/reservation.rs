//! How reservations end.

use subjects::catalog::{CatalogError, MovementReason, ReservationStatus};
use subjects::time::Instant;

/// How somebody wants a reservation to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The pieces are given out.
    Commit,
    /// The pieces are given back.
    Release,
}

impl Ending {
    /// Where the reservation then stands.
    pub fn status(self) -> ReservationStatus {
        match self {
            Ending::Commit => ReservationStatus::Committed,
            Ending::Release => ReservationStatus::Released,
        }
    }

    /// Why its stock moves.
    pub fn reason(self) -> MovementReason {
        match self {
            Ending::Commit => MovementReason::Committed,
            Ending::Release => MovementReason::Released,
        }
    }
}

/// Whether a reservation ends now; false where it has ended so before.
///
/// # Errors
/// It has ended otherwise, or its time is over.
pub fn ends_now(
    status: ReservationStatus,
    expires_at: Instant,
    ending: Ending,
    now: Instant,
) -> Result<bool, CatalogError> {
    match (ending, status) {
        (Ending::Commit, ReservationStatus::Active) if expires_at <= now => Err(CatalogError::ReservationExpired),
        (_, ReservationStatus::Active) => Ok(true),
        (Ending::Commit, ReservationStatus::Committed) => Ok(false),
        (Ending::Commit, ReservationStatus::Released) => Err(CatalogError::ReservationReleased),
        (Ending::Commit, ReservationStatus::Expired) => Err(CatalogError::ReservationExpired),
        // Given back is given back, by whomever.
        (Ending::Release, ReservationStatus::Released | ReservationStatus::Expired) => Ok(false),
        (Ending::Release, ReservationStatus::Committed) => Err(CatalogError::ReservationCommitted),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{DateTime, TimeDelta};

    #[test]
    fn what_has_ended_stays_so() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let later = now + TimeDelta::seconds(1);
        let commit = |status, expires_at| ends_now(status, expires_at, Ending::Commit, now);
        let release = |status, expires_at| ends_now(status, expires_at, Ending::Release, now);
        use ReservationStatus::{Active, Committed, Expired, Released};
        assert_eq!((commit(Active, later), commit(Committed, now)), (Ok(true), Ok(false)));
        assert_eq!(commit(Active, now), Err(CatalogError::ReservationExpired));
        assert_eq!(commit(Expired, later), Err(CatalogError::ReservationExpired));
        assert_eq!(commit(Released, later), Err(CatalogError::ReservationReleased));
        assert_eq!((release(Active, now), release(Active, later)), (Ok(true), Ok(true)));
        assert_eq!((release(Released, later), release(Expired, now)), (Ok(false), Ok(false)));
        assert_eq!(release(Committed, later), Err(CatalogError::ReservationCommitted));
    }
}
