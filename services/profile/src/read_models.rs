//! What other services' events tell. Read models: any order of events leads to the same rows, the highest version stays.

use crate::app::ProfileApp;
use crate::entity::bookings::{Column, Entity, Model};
use crate::repo::profiles;
use store::{Tx, memberships, store_if_newer};
use subjects::Fault;
use subjects::auth::{UserRegistered, UserState};
use subjects::booking::{
    BookingCancelled, BookingCompleted, BookingConfirmed, BookingCreated, BookingNeedsAttention, BookingNoShow,
    BookingState, BookingUpdated,
};
use subjects::vendor::{MembershipChanged, MembershipRevoked};

store::read_models! { ProfileApp =>
    user_registered: UserRegistered => begin_profile;
    membership_changed: MembershipChanged => memberships::store;
    membership_revoked: MembershipRevoked => memberships::revoke;
    booking_created: BookingCreated => store_booking;
    booking_updated: BookingUpdated => store_booking;
    booking_cancelled: BookingCancelled => store_booking;
    booking_confirmed: BookingConfirmed => store_booking;
    booking_completed: BookingCompleted => store_booking;
    booking_no_show: BookingNoShow => store_booking;
    booking_needs_attention: BookingNeedsAttention => store_booking;
}

/// Whoever has an account has a profile, which is empty until they write it.
async fn begin_profile(tx: &Tx, state: UserState) -> Result<(), Fault> {
    Ok(profiles::begin(tx, state.user_id).await?)
}

/// Only bookings of pets of a profile matter here. A booking's pet never becomes another.
async fn store_booking(tx: &Tx, state: BookingState) -> Result<(), Fault> {
    let Some(pet_id) = state.pet_id else { return Ok(()) };
    let BookingState { booking_id, version, status, vendor_id, clinic_id, ends_at, .. } = state;
    let row = Model { id: booking_id, version, removed_at: None, pet_id, vendor_id, clinic_id, status, ends_at };
    store_if_newer::<Entity, _>(tx, row, Column::Id, Column::Version).await?;
    Ok(())
}
