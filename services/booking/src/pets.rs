//! Whose pet is booked for: as the events of profile have told or, where they have not told enough, as profile says.

use crate::Cx;
use crate::repo::pets::{Known, known};
use store::HasStore as _;
use subjects::ServiceError as _;
use subjects::booking::BookingError;
use subjects::ids::{PetId, UserId};
use subjects::profile::{FindPet, ProfileError};

/// Refuses a pet that is neither the person's own nor shared with them. A pet that was made or shared a moment ago is
/// not refused because its event is still under way.
///
/// # Errors
/// [`BookingError::PetNotFound`]; `unavailable` where the events do not tell and profile does not answer.
pub async fn check(cx: &Cx, pet_id: PetId, user_id: UserId) -> Result<(), BookingError> {
    match known(cx.app.store().read(), pet_id, user_id).await? {
        Known::OfHousehold => return Ok(()),
        Known::Removed => return Err(BookingError::PetNotFound),
        Known::NotYet => {}
    }
    // Half of the time that is left stays for what comes after.
    match cx.call_within(&FindPet { id: pet_id }, cx.remaining() / 2).await {
        Ok(pet) => {
            let shared_with = pet.shared_with.unwrap_or_default();
            let may_book = pet.owner_id == user_id || shared_with.contains(&user_id);
            if may_book { Ok(()) } else { Err(BookingError::PetNotFound) }
        }
        Err(ProfileError::PetNotFound) => Err(BookingError::PetNotFound),
        Err(error) => Err(error.into_fault().into()),
    }
}
