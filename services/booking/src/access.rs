//! What a caller is to a booking or a clinic. Whoever is nothing to a booking does not learn that it exists.

use crate::entity::bookings;
use identity::{Caller, memberships};
use sea_orm::ConnectionTrait;
use subjects::booking::{ActorKind, BookingError};
use subjects::ids::{ClinicId, UserId, VendorId};
use subjects::{Fault, MembershipRole};

/// Someone who may deal with a booking.
#[derive(Debug, Clone, Copy)]
pub struct Actor {
    /// In what capacity.
    pub kind: ActorKind,
    /// Who.
    pub user_id: UserId,
}

/// In what capacity the caller may change a booking: the one that allows most.
///
/// # Errors
/// [`BookingError::BookingNotFound`] where there is none.
pub async fn actor(db: &impl ConnectionTrait, caller: &Caller, row: &bookings::Model) -> Result<Actor, BookingError> {
    let user = caller.user()?;
    let kind = if is_staff_of(db, user.id, row.vendor_id, row.clinic_id).await? {
        ActorKind::Staff
    } else if caller.is_permitted() {
        ActorKind::PlatformAdmin
    } else if row.customer_id == Some(user.id) {
        ActorKind::Customer
    } else {
        return Err(BookingError::BookingNotFound);
    };
    Ok(Actor { kind, user_id: user.id })
}

/// Whether the caller may see a booking.
///
/// # Errors
/// [`BookingError::BookingNotFound`] where not.
pub async fn may_see(db: &impl ConnectionTrait, caller: &Caller, row: &bookings::Model) -> Result<(), BookingError> {
    let user = caller.user()?;
    // What the row and the token tell needs no query.
    if row.customer_id == Some(user.id) || caller.is_permitted() {
        return Ok(());
    }
    if is_staff_of(db, user.id, row.vendor_id, row.clinic_id).await? {
        return Ok(());
    }
    Err(BookingError::BookingNotFound)
}

/// Whether a user works at a clinic.
pub async fn is_staff_of(
    db: &impl ConnectionTrait,
    user_id: UserId,
    vendor_id: VendorId,
    clinic_id: ClinicId,
) -> Result<bool, Fault> {
    let held = store::memberships::at_vendor(db, user_id, vendor_id).await?;
    Ok(memberships::allows(&held, vendor_id, Some(clinic_id), MembershipRole::ClinicStaff))
}
