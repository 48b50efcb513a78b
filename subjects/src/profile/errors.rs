//! What the profile service refuses.

use crate::service_error;

service_error! {
    /// What the profile service refuses.
    pub enum ProfileError {
        /// No such person, or none that the caller may know of.
        ProfileNotFound = NotFound, "profile_not_found", "there is no such profile";
        /// No such address, or not the caller's.
        AddressNotFound = NotFound, "address_not_found", "there is no such address";
        /// The person has as many addresses as one may have.
        TooManyAddresses = Conflict, "too_many_addresses", "you have as many addresses as one may have";
        /// Of somebody's addresses one is the default: another one can be made it, but it cannot just stop being it.
        DefaultNeeded = Conflict, "default_needed", "one address must be the default: make another one the default instead";
        /// No such pet, or none that the caller may know of.
        PetNotFound = NotFound, "pet_not_found", "there is no such pet";
        /// The person has as many pets as one may have.
        TooManyPets = Conflict, "too_many_pets", "you have as many pets as one may have";
        /// Another pet has that microchip.
        MicrochipTaken = Conflict, "microchip_taken", "another pet is registered with that microchip";
        /// No such entry in the pet's records.
        RecordNotFound = NotFound, "record_not_found", "there is no such entry in the pet's records";
        /// The entry was corrected already: correct the later one.
        RecordReplaced = Conflict, "record_replaced", "that entry was corrected already: correct the later one";
        /// A correction is about what it corrects.
        WrongKind = Conflict, "wrong_kind", "a correction must be of the same kind as what it corrects";
        /// The pet's records hold as much as they may.
        TooManyRecords = Conflict, "too_many_records", "the pet's records hold as many entries as they may";
        /// No such share, or none that the caller may know of.
        ShareNotFound = NotFound, "share_not_found", "there is no such share";
        /// No invitation has that code, or it was used, taken back, or has expired.
        CodeNotFound = NotFound, "code_not_found", "there is no open invitation with that code";
        /// The pet is the caller's own.
        OwnPet = Conflict, "own_pet", "the pet is your own";
        /// The pet is shared with the caller already.
        AlreadyShared = Conflict, "already_shared", "the pet is shared with you already";
        /// The pet is shared with as many as it may be, open invitations among them.
        TooManyShares = Conflict, "too_many_shares", "the pet is shared with as many people as it may be";
        /// No such request for privacy, or not the caller's.
        PrivacyRequestNotFound = NotFound, "privacy_request_not_found", "there is no such request";
        /// Somebody can have only themselves erased.
        NotYourself = Forbidden, "not_yourself", "you can have only yourself erased: send your own id";
        /// The request asks for no export, or the export is still being collected.
        ExportNotReady = Conflict, "export_not_ready", "there is no export to read yet";
        /// The export was there for seven days, or its owner had themselves erased since.
        ExportOver = Gone, "export_over", "the export cannot be read any longer: ask for another one";
    }
}
