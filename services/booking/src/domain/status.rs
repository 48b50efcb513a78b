//! Where a booking can go from where it stands, and who may take it there.

use subjects::booking::{ActorKind, BookingError, BookingStatus};
use subjects::time::Instant;

/// What can be done to a booking as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// The clinic expects the visit.
    Confirm,
    /// The visit took place.
    Complete,
    /// Nobody came.
    MarkNoShow,
    /// It is called off.
    Cancel,
}

impl Action {
    /// The status that it leads to.
    pub const fn leads_to(self) -> BookingStatus {
        match self {
            Action::Confirm => BookingStatus::Confirmed,
            Action::Complete => BookingStatus::Completed,
            Action::MarkNoShow => BookingStatus::NoShow,
            Action::Cancel => BookingStatus::Cancelled,
        }
    }
}

/// What the rules need to know of a booking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Where it stands.
    pub status: BookingStatus,
    /// When the visit begins.
    pub starts_at: Instant,
    /// Whether it waits to be checked with the vendor service.
    pub needs_check: bool,
    /// Whether its time is claimed for it. What was not confirmed in time may have lost it.
    pub holds_its_time: bool,
    /// Until when it waits, or waited, for the clinic.
    pub expires_at: Option<Instant>,
}

impl Standing {
    /// Whether nobody confirmed it in time, be it cancelled for that already or not.
    pub fn has_expired(&self, now: Instant) -> bool {
        let is_over = self.expires_at.is_some_and(|expires_at| expires_at <= now);
        match self.status {
            BookingStatus::Pending => is_over || !self.holds_its_time,
            BookingStatus::Cancelled => self.expires_at.is_some(),
            BookingStatus::Confirmed | BookingStatus::Completed | BookingStatus::NoShow => false,
        }
    }
}

/// What an action comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It goes to another status.
    Changes(BookingStatus),
    /// It is there already.
    StaysAsItIs,
}

/// Decides on an action.
///
/// # Errors
/// `Forbidden` where the actor may never do this; [`BookingError::WrongStatus`], [`BookingError::AwaitingCheck`],
/// [`BookingError::BookingExpired`], [`BookingError::NotBegun`] or [`BookingError::AlreadyBegun`] where they may not do
/// it now.
pub fn decide(booking: Standing, action: Action, actor: ActorKind, now: Instant) -> Result<Outcome, BookingError> {
    let is_customer = actor == ActorKind::Customer;
    if is_customer && action != Action::Cancel {
        return Err(subjects::Fault::forbidden().into());
    }
    if booking.status == action.leads_to() {
        return Ok(Outcome::StaysAsItIs);
    }
    if action == Action::Confirm && booking.has_expired(now) {
        return Err(BookingError::BookingExpired);
    }
    let is_possible = match action {
        Action::Confirm => booking.status == BookingStatus::Pending,
        Action::Complete | Action::MarkNoShow => booking.status == BookingStatus::Confirmed,
        Action::Cancel => is_open(booking.status),
    };
    if !is_possible {
        return Err(BookingError::WrongStatus);
    }
    let has_begun = booking.starts_at <= now;
    match action {
        Action::Confirm if booking.needs_check => Err(BookingError::AwaitingCheck),
        Action::Complete | Action::MarkNoShow if !has_begun => Err(BookingError::NotBegun),
        Action::Cancel if is_customer && has_begun => Err(BookingError::AlreadyBegun),
        _ => Ok(Outcome::Changes(action.leads_to())),
    }
}

/// Decides on another time, staff member or notes.
///
/// # Errors
/// [`BookingError::BookingExpired`], [`BookingError::WrongStatus`] or [`BookingError::AlreadyBegun`].
pub fn may_be_updated(booking: Standing, actor: ActorKind, now: Instant) -> Result<(), BookingError> {
    if booking.has_expired(now) {
        return Err(BookingError::BookingExpired);
    }
    if !is_open(booking.status) {
        return Err(BookingError::WrongStatus);
    }
    if actor == ActorKind::Customer && booking.starts_at <= now {
        return Err(BookingError::AlreadyBegun);
    }
    Ok(())
}

/// Where a booking stands after it got another time or staff member: what a customer moves, the clinic has to confirm
/// again, and so it has what could not be checked with the vendor service.
pub fn status_after_move(status: BookingStatus, actor: ActorKind, needs_check: bool) -> BookingStatus {
    if actor == ActorKind::Customer || needs_check { BookingStatus::Pending } else { status }
}

/// Whether the visit is still to come about.
pub fn is_open(status: BookingStatus) -> bool {
    matches!(status, BookingStatus::Pending | BookingStatus::Confirmed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ActorKind::{Customer, PlatformAdmin, Staff};
    use BookingStatus::{Cancelled, Completed, Confirmed, NoShow, Pending};
    use subjects::ErrorCode;

    fn at(seconds: i64) -> Instant {
        chrono::DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    const ACTIONS: [Action; 4] = [Action::Confirm, Action::Complete, Action::MarkNoShow, Action::Cancel];

    /// A visit that begins at second 0.
    fn standing(status: BookingStatus) -> Standing {
        let expires_at = (status == Pending).then(|| at(0));
        Standing { status, starts_at: at(0), needs_check: false, holds_its_time: true, expires_at }
    }

    fn check(status: BookingStatus, action: Action, actor: ActorKind, now: i64) -> Result<Outcome, BookingError> {
        decide(standing(status), action, actor, at(now))
    }

    #[test]
    fn staff_take_a_booking_through_its_life() {
        assert_eq!(check(Pending, Action::Confirm, Staff, -60), Ok(Outcome::Changes(Confirmed)));
        assert_eq!(check(Confirmed, Action::Complete, Staff, 60), Ok(Outcome::Changes(Completed)));
        assert_eq!(check(Confirmed, Action::MarkNoShow, PlatformAdmin, 60), Ok(Outcome::Changes(NoShow)));
        assert_eq!(check(Confirmed, Action::Cancel, Staff, 60), Ok(Outcome::Changes(Cancelled)));
    }

    #[test]
    fn nothing_leaves_an_end() {
        for status in [Completed, NoShow, Cancelled] {
            for action in ACTIONS {
                let expected =
                    if action.leads_to() == status { Ok(Outcome::StaysAsItIs) } else { Err(BookingError::WrongStatus) };
                assert_eq!(check(status, action, Staff, 60), expected, "{status} {action:?}");
            }
        }
    }

    #[test]
    fn a_visit_is_not_completed_before_it_begins_nor_unless_confirmed() {
        assert_eq!(check(Confirmed, Action::Complete, Staff, -1), Err(BookingError::NotBegun));
        assert_eq!(check(Confirmed, Action::MarkNoShow, Staff, -1), Err(BookingError::NotBegun));
        assert_eq!(check(Confirmed, Action::Complete, Staff, 0), Ok(Outcome::Changes(Completed)));
        assert_eq!(check(Pending, Action::Complete, Staff, 60), Err(BookingError::WrongStatus));
    }

    #[test]
    fn customers_only_cancel_and_only_before_the_visit() {
        for status in BookingStatus::ALL {
            for action in [Action::Confirm, Action::Complete, Action::MarkNoShow] {
                let refused = check(*status, action, Customer, 60).unwrap_err();
                assert!(matches!(refused, BookingError::Fault(fault) if fault.code == ErrorCode::Forbidden));
            }
        }
        assert_eq!(check(Pending, Action::Cancel, Customer, -1), Ok(Outcome::Changes(Cancelled)));
        assert_eq!(check(Confirmed, Action::Cancel, Customer, 0), Err(BookingError::AlreadyBegun));
        assert_eq!(check(Cancelled, Action::Cancel, Customer, 60), Ok(Outcome::StaysAsItIs));
    }

    #[test]
    fn a_provisional_booking_waits_for_its_check() {
        let provisional = Standing { needs_check: true, ..standing(Pending) };
        assert_eq!(decide(provisional, Action::Confirm, Staff, at(-60)), Err(BookingError::AwaitingCheck));
        assert_eq!(decide(provisional, Action::Cancel, Customer, at(-60)), Ok(Outcome::Changes(Cancelled)));
    }

    #[test]
    fn what_was_not_confirmed_in_time_can_only_be_cancelled() {
        let waiting = Standing { expires_at: Some(at(-600)), ..standing(Pending) };
        let without_time = Standing { holds_its_time: false, ..standing(Pending) };
        let swept = Standing { status: Cancelled, holds_its_time: false, ..waiting };
        assert_eq!(decide(waiting, Action::Confirm, Staff, at(-601)), Ok(Outcome::Changes(Confirmed)));
        for (booking, now) in [(waiting, at(-600)), (without_time, at(-6000)), (swept, at(-600))] {
            assert_eq!(decide(booking, Action::Confirm, Staff, now), Err(BookingError::BookingExpired));
            assert_eq!(may_be_updated(booking, Staff, now), Err(BookingError::BookingExpired));
        }
        assert_eq!(decide(waiting, Action::Cancel, Customer, at(-600)), Ok(Outcome::Changes(Cancelled)));
        assert_eq!(decide(swept, Action::Cancel, Customer, at(-600)), Ok(Outcome::StaysAsItIs));
        // What somebody cancelled was not too late for anything.
        let cancelled = Standing { holds_its_time: false, ..standing(Cancelled) };
        assert_eq!(decide(cancelled, Action::Confirm, Staff, at(-600)), Err(BookingError::WrongStatus));
    }

    #[test]
    fn what_a_customer_moves_is_confirmed_again() {
        assert_eq!(status_after_move(Confirmed, Customer, false), Pending);
        assert_eq!(status_after_move(Confirmed, Staff, false), Confirmed);
        assert_eq!(status_after_move(Confirmed, Staff, true), Pending);
        assert_eq!(status_after_move(Pending, Staff, false), Pending);
    }

    #[test]
    fn only_open_bookings_are_updated() {
        assert_eq!(may_be_updated(standing(Pending), Customer, at(-1)), Ok(()));
        assert_eq!(may_be_updated(standing(Confirmed), Customer, at(1)), Err(BookingError::AlreadyBegun));
        assert_eq!(may_be_updated(standing(Confirmed), Staff, at(1)), Ok(()));
        assert_eq!(may_be_updated(standing(Cancelled), Staff, at(-1)), Err(BookingError::WrongStatus));
    }
}
