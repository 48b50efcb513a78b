//! The services that keep anything of persons, and how each is asked.

use super::own;
use crate::Cx;
use subjects::Fault;
use subjects::ids::UserId;
use subjects::privacy::{
    ErasePersonFromAuth, ErasePersonFromBooking, ErasePersonFromCatalog, ErasePersonFromVendor, Erasure,
    ExportPersonOfAuth, ExportPersonOfBooking, ExportPersonOfCatalog, ExportPersonOfVendor, PersonPage,
};

/// A service that keeps something of persons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Participant {
    /// Accounts and sessions.
    Auth,
    /// Memberships and staff.
    Vendor,
    /// Bookings.
    Booking,
    /// Stock.
    Catalog,
    /// This service.
    Profile,
}

impl Participant {
    /// All, in the order in which they are asked: whoever is to be erased is signed out first, so that nothing new comes
    /// in; the request itself is kept here, so this service is the last.
    pub const IN_ORDER: [Participant; 5] =
        [Participant::Auth, Participant::Vendor, Participant::Booking, Participant::Catalog, Participant::Profile];

    /// The service's name.
    pub fn service(self) -> &'static str {
        match self {
            Participant::Auth => "auth",
            Participant::Vendor => "vendor",
            Participant::Booking => "booking",
            Participant::Catalog => "catalog",
            Participant::Profile => "profile",
        }
    }

    /// The participant of a name.
    pub fn named(service: &str) -> Option<Participant> {
        Participant::IN_ORDER.into_iter().find(|participant| participant.service() == service)
    }

    /// Those of a lower rank have erased before this one is asked to.
    pub fn rank(self) -> u8 {
        match self {
            Participant::Auth => 0,
            Participant::Vendor | Participant::Booking | Participant::Catalog => 1,
            Participant::Profile => 2,
        }
    }

    /// What the service keeps of a person, from a cursor on.
    ///
    /// # Errors
    /// The service's, or that it does not answer.
    pub async fn export(self, cx: &Cx, user_id: UserId, cursor: Option<String>) -> Result<PersonPage, Fault> {
        let told = match self {
            Participant::Auth => cx.call(&ExportPersonOfAuth { user_id, cursor }).await,
            Participant::Vendor => cx.call(&ExportPersonOfVendor { user_id, cursor }).await,
            Participant::Booking => cx.call(&ExportPersonOfBooking { user_id, cursor }).await,
            Participant::Catalog => cx.call(&ExportPersonOfCatalog { user_id, cursor }).await,
            Participant::Profile => return own::export(cx, user_id, cursor).await,
        };
        told.map_err(|refusal| refusal.0)
    }

    /// Has the service erase a person, or a part of it.
    ///
    /// # Errors
    /// The service's, or that it does not answer.
    pub async fn erase(self, cx: &Cx, user_id: UserId) -> Result<Erasure, Fault> {
        let told = match self {
            Participant::Auth => cx.call(&ErasePersonFromAuth { user_id }).await,
            Participant::Vendor => cx.call(&ErasePersonFromVendor { user_id }).await,
            Participant::Booking => cx.call(&ErasePersonFromBooking { user_id }).await,
            Participant::Catalog => cx.call(&ErasePersonFromCatalog { user_id }).await,
            Participant::Profile => return own::erase(cx, user_id).await,
        };
        told.map_err(|refusal| refusal.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use subjects::catalogue;

    #[test]
    fn every_service_is_asked_and_can_be() {
        let asked: BTreeSet<&str> = Participant::IN_ORDER.iter().map(|participant| participant.service()).collect();
        assert_eq!(asked, BTreeSet::from(catalogue::SERVICES));
        for participant in Participant::IN_ORDER {
            let service = participant.service();
            assert_eq!(Participant::named(service), Some(participant));
            for verb in ["exportPerson", "erasePerson"] {
                let is_there = catalogue::find(&format!("{service}.{verb}")).is_some();
                assert_eq!(is_there, participant != Participant::Profile, "{service}.{verb}");
            }
        }
    }
}
