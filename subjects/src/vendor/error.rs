//! What the vendor service refuses.

crate::service_error! {
    /// What the vendor service refuses.
    pub enum VendorError {
        /// No such vendor, or one that the caller may not see.
        VendorNotFound = NotFound, "vendor_not_found", "there is no such vendor";
        /// No such clinic, or one that the caller may not see.
        ClinicNotFound = NotFound, "clinic_not_found", "there is no such clinic";
        /// No such service, or one that the caller may not see.
        ServiceNotFound = NotFound, "service_not_found", "there is no such service";
        /// No such staff member, or one that the caller may not see.
        StaffNotFound = NotFound, "staff_not_found", "there is no such staff member";
        /// No such membership, or one that the caller may not see.
        MembershipNotFound = NotFound, "membership_not_found", "there is no such membership";
        /// The vendor's state does not allow that step of its approval.
        WrongState = Conflict, "vendor_wrong_state", "the vendor's state does not allow that";
        /// Someone has an account with that e-mail address.
        EmailTaken = Conflict, "email_taken", "there is an account with that e-mail address already";
        /// The registration could not be finished; nothing of it remains, so it may be tried again.
        RegistrationFailed = Conflict, "registration_failed", "the registration was not finished in time; please try again";
        /// The clinic has a service of that name.
        ServiceNameTaken = Conflict, "service_name_taken", "the clinic offers a service of that name already";
        /// The user has a membership there, or an invitation to it.
        AlreadyMember = Conflict, "already_member", "that user is a member there already, or invited";
        /// The invitation was accepted or revoked before.
        InvitationNotOpen = Conflict, "invitation_not_open", "the invitation is not open";
        /// A vendor must keep somebody who may run the whole of it.
        LastAdmin = Conflict, "last_admin", "a vendor needs at least one active administrator of all its clinics";
        /// A clinic is named that is not the vendor's.
        UnknownClinic = BadRequest, "unknown_clinic", "a clinic that is named is not one of this vendor's";
        /// A service is named that none of the staff member's clinics offers.
        UnknownService = BadRequest, "unknown_service", "a service that is named is not offered at the staff member's clinics";
        /// The question does not say which of the vendor's clinics is meant.
        ClinicNeeded = BadRequest, "clinic_needed", "say which clinic, or which of its services, is meant";
    }
}
