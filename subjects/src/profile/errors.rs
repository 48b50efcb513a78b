//! What the profile service refuses.

use crate::service_error;

service_error! {
    /// What the profile service refuses.
    pub enum ProfileError {
        /// No such pet, or none that the caller may know of.
        PetNotFound = NotFound, "pet_not_found", "there is no such pet";
    }
}
