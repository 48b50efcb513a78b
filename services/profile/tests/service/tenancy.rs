//! Who may do what with a pet.

use crate::household::{Clinic, pet_of, share, tell_booking};
use crate::world;
use serde_json::{Value, json};
use subjects::booking::{BookingState, BookingStatus};
use subjects::vendor::{MembershipRevoked, MembershipState};
use testmesh::{Asker, Mesh, customer, personal, platform_admin};

/// What a person gets for reading the pet, replacing it, sharing it, reading its records and adding to them.
async fn outcomes(mesh: &Mesh, pet: &Value, who: &Asker) -> [String; 5] {
    let id = &pet["id"];
    let version = mesh.number(&format!("select version from pets where id = {}", quoted(id))).await;
    let asked = [
        mesh.ask("pet.findOne", json!({ "id": id })),
        mesh.ask("pet.update", json!({ "id": id, "name": personal::text("Oyen"), "species": "cat" })).based_on(version),
        mesh.ask("petShare.create", json!({ "petId": id, "role": "viewer" })),
        mesh.ask("petRecord.findAll", json!({ "petId": id })),
        mesh.ask("petRecord.create", json!({ "petId": id, "note": personal::text("Sehat") })),
    ];
    let mut outcomes = Vec::new();
    for ask in asked {
        let outcome = ask.by(who).send().await;
        outcomes.push(outcome.map_or_else(|fault| fault.reason.into_owned(), |_| "ok".to_owned()));
    }
    outcomes.try_into().unwrap()
}

fn quoted(id: &Value) -> String {
    format!("'{}'", id.as_str().unwrap())
}

const NOTHING: [&str; 5] = ["pet_not_found"; 5];
const AS_STAFF: [&str; 5] = ["ok", "forbidden", "forbidden", "ok", "ok"];

#[tokio::test]
async fn each_may_what_they_are_to_the_pet() {
    let mesh = world::start().await;
    let (owner, carer, viewer) = (customer(), customer(), customer());
    let pet = pet_of(&mesh, &owner).await;
    share(&mesh, &owner, &pet, "carer", &carer).await;
    share(&mesh, &owner, &pet, "viewer", &viewer).await;
    let clinic = Clinic::new();
    let other_clinic = Clinic { vendor_id: clinic.vendor_id, ..Clinic::new() };
    let (staff, vendor_staff, staff_elsewhere, strange_staff) = (customer(), customer(), customer(), customer());
    clinic.employ(&mesh, staff.id(), Some(clinic.clinic_id)).await;
    clinic.employ(&mesh, vendor_staff.id(), None).await;
    other_clinic.employ(&mesh, staff_elsewhere.id(), Some(other_clinic.clinic_id)).await;
    Clinic::new().employ(&mesh, strange_staff.id(), None).await;

    assert_eq!(outcomes(&mesh, &pet, &owner).await, ["ok"; 5]);
    assert_eq!(outcomes(&mesh, &pet, &carer).await, ["ok", "forbidden", "forbidden", "ok", "ok"]);
    assert_eq!(outcomes(&mesh, &pet, &viewer).await, ["ok", "forbidden", "forbidden", "ok", "forbidden"]);
    assert_eq!(outcomes(&mesh, &pet, &staff).await, NOTHING);
    clinic.book(&mesh, &pet, BookingStatus::Pending, 3).await;
    assert_eq!(outcomes(&mesh, &pet, &staff).await, AS_STAFF);
    assert_eq!(outcomes(&mesh, &pet, &vendor_staff).await, AS_STAFF);
    for nobody_to_it in [staff_elsewhere, strange_staff, customer(), platform_admin()] {
        assert_eq!(outcomes(&mesh, &pet, &nobody_to_it).await, NOTHING);
    }
    assert_eq!(outcomes(&mesh, &pet, &Asker::Nobody).await, ["unauthenticated"; 5]);
    // Another service reads the pet, with whom it is shared, and nothing else.
    let seen = mesh.ask("pet.findOne", json!({ "id": pet["id"] })).by(&Asker::Service("booking")).ok().await;
    assert_eq!((&seen["access"], seen["sharedWith"].as_array().unwrap().len()), (&json!("service"), 2));
    let of_staff = mesh.ask("pet.findOne", json!({ "id": pet["id"] })).by(&staff).ok().await;
    assert_eq!((&of_staff["access"], &of_staff["sharedWith"]), (&json!("staff"), &Value::Null));

    let before = mesh.own_rows().await;
    for stranger in [customer(), carer, staff] {
        let removing = mesh.ask("pet.remove", json!({ "id": pet["id"] })).by(&stranger).refusal().await;
        assert!(["pet_not_found", "forbidden"].contains(&removing.as_str()));
    }
    assert_eq!(mesh.own_rows().await, before);
}

#[tokio::test]
async fn staff_deal_with_a_pet_only_while_it_has_a_booking_with_them() {
    let mesh = world::start().await;
    let (owner, staff) = (customer(), customer());
    let clinic = Clinic::new();
    let membership = clinic.employ(&mesh, staff.id(), None).await;
    let cases = [
        (BookingStatus::Pending, 10, true),
        (BookingStatus::Confirmed, 10, true),
        (BookingStatus::Completed, -29, true),
        (BookingStatus::Completed, -31, false),
        // Nobody ever said that it took place.
        (BookingStatus::Confirmed, -31, false),
        (BookingStatus::Cancelled, 10, false),
        (BookingStatus::NoShow, -1, false),
    ];
    for (status, days, may) in cases {
        let pet = pet_of(&mesh, &owner).await;
        clinic.book(&mesh, &pet, status, days).await;
        let expected = if may { AS_STAFF } else { NOTHING };
        assert_eq!(outcomes(&mesh, &pet, &staff).await, expected, "{status} {days}");
    }

    let pet = pet_of(&mesh, &owner).await;
    let booking = clinic.book(&mesh, &pet, BookingStatus::Confirmed, 1).await;
    assert_eq!(outcomes(&mesh, &pet, &staff).await, AS_STAFF);
    let cancelled = BookingState { status: BookingStatus::Cancelled, version: 3, ..booking.clone() };
    tell_booking(&mesh, &cancelled).await;
    assert_eq!(outcomes(&mesh, &pet, &staff).await, NOTHING);
    // What comes late changes nothing.
    mesh.tell(&subjects::booking::BookingConfirmed(BookingState { version: 2, ..booking })).await;
    clinic.book(&mesh, &pet_of(&mesh, &owner).await, BookingStatus::Pending, 1).await;
    assert_eq!(outcomes(&mesh, &pet, &staff).await, NOTHING);

    let booked_again = pet_of(&mesh, &owner).await;
    clinic.book(&mesh, &booked_again, BookingStatus::Confirmed, 1).await;
    assert_eq!(outcomes(&mesh, &booked_again, &staff).await, AS_STAFF);
    mesh.tell(&MembershipRevoked(MembershipState { active: false, version: 2, ..membership })).await;
    mesh.until_query("select count(*) from memberships where active", 0).await;
    assert_eq!(outcomes(&mesh, &booked_again, &staff).await, NOTHING);
}

#[tokio::test]
async fn bookings_without_a_pet_of_a_profile_are_not_kept() {
    let mesh = world::start().await;
    let pet = pet_of(&mesh, &customer()).await;
    let clinic = Clinic::new();
    let walk_in = BookingState { pet_id: None, ..clinic.booking(&pet, BookingStatus::Pending, 1) };
    mesh.tell(&subjects::booking::BookingCreated(walk_in)).await;
    mesh.until_query("select count(*) from inbox where handler = 'booking_created'", 1).await;
    assert_eq!(mesh.query("select count(*) from bookings").await, "0");
}
