//! What other services' events tell. Read models: any order of events leads to the same rows, the highest version stays.

use crate::app::ProfileApp;
use crate::entity::bookings;
use crate::repo::profiles;
use store::{ReadModel, ReadModels, Tx, keep, keep_removed, memberships, roles};
use subjects::Fault;
use subjects::auth::{RoleRemoved, RoleUpdated, UserRegistered, UserState};
use subjects::booking::{
    BookingCancelled, BookingCompleted, BookingConfirmed, BookingCreated, BookingNeedsAttention, BookingNoShow,
    BookingSnapshot, BookingState, BookingUpdated,
};
use subjects::vendor::{MembershipChanged, MembershipRevoked};

/// Every read model. Profiles are none: an account only begins one, which is this service's own from then on, and begins
/// by itself where that was not heard.
pub fn all() -> ReadModels<ProfileApp> {
    ReadModels::none().and::<memberships::Entity>().and::<roles::Entity>().and::<bookings::Entity>()
}

store::read_models! { ProfileApp =>
    user_registered: UserRegistered => begin_profile;
    role_updated: RoleUpdated => keep::<roles::Entity>;
    role_removed: RoleRemoved => keep_removed::<roles::Entity>;
    membership_changed: MembershipChanged => keep::<memberships::Entity>;
    membership_revoked: MembershipRevoked => keep_removed::<memberships::Entity>;
    booking_created: BookingCreated => keep::<bookings::Entity>;
    booking_updated: BookingUpdated => keep::<bookings::Entity>;
    booking_cancelled: BookingCancelled => keep::<bookings::Entity>;
    booking_confirmed: BookingConfirmed => keep::<bookings::Entity>;
    booking_completed: BookingCompleted => keep::<bookings::Entity>;
    booking_no_show: BookingNoShow => keep::<bookings::Entity>;
    booking_needs_attention: BookingNeedsAttention => keep::<bookings::Entity>;
}

/// Whoever has an account has a profile, which is empty until they write it.
async fn begin_profile(tx: &Tx, state: UserState) -> Result<(), Fault> {
    Ok(profiles::begin(tx, state.user_id).await?)
}

impl ReadModel for bookings::Entity {
    type Snapshot = BookingSnapshot;

    /// Only bookings of pets of a profile matter here. A booking's pet never becomes another.
    fn row(state: BookingState, removed: bool) -> Result<Option<bookings::Model>, Fault> {
        let Some(pet_id) = state.pet_id else { return Ok(None) };
        let BookingState { booking_id, version, status, vendor_id, clinic_id, ends_at, .. } = state;
        let removed_at = removed.then(store::now);
        Ok(Some(bookings::Model { id: booking_id, version, removed_at, pet_id, vendor_id, clinic_id, status, ends_at }))
    }
}
