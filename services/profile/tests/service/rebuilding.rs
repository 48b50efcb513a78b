//! Read models that are built from the snapshots of vendor and booking, and compared with them.

use crate::household::{Clinic, pet_of};
use platform::{App, Cx, Service};
use profile::ProfileApp;
use serde_json::Value;
use std::time::Duration;
use store::projection::{Comparison, compare, rebuild_page};
use subjects::booking::{BookingCancelled, BookingSnapshot, BookingState, BookingStatus};
use subjects::ids::{MembershipId, UserId};
use subjects::ops::RebuildOutcome;
use subjects::vendor::{MembershipSnapshot, MembershipState};
use subjects::{MembershipRole, NoError};
use testmesh::{Mesh, Owned, customer};

struct VendorOwner(Owned<MembershipSnapshot>);

impl App for VendorOwner {
    const NAME: &'static str = "vendor";
}
platform::calls!(VendorOwner => []);

struct BookingOwner(Owned<BookingSnapshot>);

impl App for BookingOwner {
    const NAME: &'static str = "booking";
}
platform::calls!(BookingOwner => []);

fn vendor_service() -> Service<VendorOwner> {
    Service::new()
        .on(|cx: Cx<VendorOwner>, asked: MembershipSnapshot| async move {
            Ok::<_, NoError>(cx.app.0.page(asked.after, asked.limit).await)
        })
        .publishes_events()
}

fn booking_service() -> Service<BookingOwner> {
    Service::new()
        .on(|cx: Cx<BookingOwner>, asked: BookingSnapshot| async move {
            Ok::<_, NoError>(cx.app.0.page(asked.after, asked.limit).await)
        })
        .publishes_events()
}

fn membership(clinic: &Clinic) -> MembershipState {
    MembershipState {
        membership_id: MembershipId::new(),
        user_id: UserId::new(),
        vendor_id: clinic.vendor_id,
        clinic_id: Some(clinic.clinic_id),
        role: MembershipRole::ClinicStaff,
        active: true,
        version: 3,
    }
}

/// A booking whose times are as exact as a database keeps them.
fn confirmed(clinic: &Clinic, pet: &Value, days_from_now: i64) -> BookingState {
    let ends_at = store::now() + chrono::TimeDelta::days(days_from_now);
    BookingState { ends_at, ..clinic.booking(pet, BookingStatus::Confirmed, days_from_now) }
}

/// A mesh in which vendor and booking own these, and the service has built its models.
async fn built(memberships: &Owned<MembershipSnapshot>, bookings: &Owned<BookingSnapshot>) -> (Mesh, Cx<ProfileApp>) {
    let (at_vendor, at_booking) = (memberships.clone(), bookings.clone());
    let mesh = Mesh::of("profile")
        .with(vendor_service(), async |_| Ok(VendorOwner(at_vendor)))
        .with(booking_service(), async |_| Ok(BookingOwner(at_booking)))
        .with(profile::service(), profile::app)
        .start()
        .await;
    mesh.until_query("select count(*) from built_read_models", 2).await;
    let cx = mesh.own_cx(profile::app).await;
    (mesh, cx)
}

#[tokio::test]
async fn both_models_equal_their_sources() {
    let memberships = Owned::in_pages(4, Duration::ZERO);
    let bookings: Owned<BookingSnapshot> = Owned::in_pages(4, Duration::ZERO);
    let clinic = Clinic::new();
    let pet = Value::from_iter([("id", UserId::new().to_string())]);
    for place in 0..10 {
        memberships.put(membership(&clinic));
        let booking = confirmed(&clinic, &pet, place);
        bookings.put(booking.clone());
        // Of a walk-in, whose pet has no profile.
        bookings.put(BookingState { pet_id: None, booking_id: subjects::ids::BookingId::new(), ..booking });
    }
    let over = memberships.states().remove(0);
    memberships.end(MembershipState { active: false, version: 4, ..over });
    let (mesh, cx) = built(&memberships, &bookings).await;

    // Times come as they are kept, and rows of bookings without a pet do not come at all.
    assert_eq!(mesh.number("select count(*) from bookings").await, 10);
    let all = |examined| Ok(Comparison { examined, ..Comparison::default() });
    assert_eq!((compare(&cx, "memberships").await, compare(&cx, "bookings").await), (all(10), all(20)));
    assert_eq!(mesh.number("select count(*) from memberships where removed_at is not null and not active").await, 1);

    let (some, others) =
        ("id in (select id from {} order by id limit 2)", "id in (select id from {} order by id desc limit 3)");
    for (model, spoil) in [("bookings", "status = 'no_show'"), ("memberships", "user_id = gen_random_uuid()")] {
        mesh.execute(&format!("update {model} set {spoil} where {}", some.replace("{}", model))).await;
        mesh.execute(&format!("delete from {model} where {}", others.replace("{}", model))).await;
        let surplus = "(jsonb_populate_record(t, jsonb_build_object('id', gen_random_uuid()))).*";
        mesh.execute(&format!("insert into {model} select {surplus} from {model} as t limit 4")).await;
        let examined = if model == "bookings" { 20 } else { 10 };
        let found = compare(&cx, model).await.unwrap();
        // The tombstone's copies are none of anything, which is no harm.
        assert_eq!((found.missing, found.stale), (3, 2), "{model}: {found:?}");
        let built = rebuild_page(&cx, model, None).await.unwrap();
        let outcome = RebuildOutcome { examined, changed: 5, removed: found.surplus, next_cursor: None };
        assert_eq!(built, outcome, "{model}");
        assert_eq!(compare(&cx, model).await, all(examined), "{model}");
    }
}

#[tokio::test]
async fn an_event_that_comes_while_the_model_is_built_is_not_undone() {
    let memberships = Owned::in_pages(5, Duration::ZERO);
    let bookings: Owned<BookingSnapshot> = Owned::in_pages(5, Duration::from_millis(20));
    let clinic = Clinic::new();
    let pet = Value::from_iter([("id", UserId::new().to_string())]);
    for place in 0..20 {
        bookings.put(confirmed(&clinic, &pet, place));
    }
    let (mesh, cx) = built(&memberships, &bookings).await;
    let changing = async {
        for version in 2..8 {
            for booking in bookings.states() {
                let changed = BookingState { status: BookingStatus::Cancelled, version, ..booking };
                bookings.put(changed.clone());
                mesh.tell(&BookingCancelled(changed)).await;
            }
        }
    };
    let building = async {
        for _ in 0..5 {
            mesh.execute("delete from bookings where random() < 0.3").await;
            rebuild_page(&cx, "bookings", None).await.unwrap();
        }
    };
    tokio::join!(changing, building);
    mesh.until_query("select count(*) from inbox where handler = 'booking_cancelled'", 6 * 20).await;
    assert_eq!(compare(&cx, "bookings").await, Ok(Comparison { examined: 20, ..Comparison::default() }));
    assert_eq!(mesh.number("select count(*) from bookings where version = 7").await, 20);
}

/// Staff read a pet's records as long as a booking says so, also where the model had to be built anew.
#[tokio::test]
async fn what_staff_may_read_comes_back_with_the_model() {
    let memberships = Owned::in_pages(5, Duration::ZERO);
    let bookings = Owned::in_pages(5, Duration::ZERO);
    let (mesh, cx) = built(&memberships, &bookings).await;
    let (sari, vet) = (customer(), customer());
    let pet = pet_of(&mesh, &sari).await;
    let clinic = Clinic::new();
    let read = || mesh.ask("petRecord.findAll", serde_json::json!({ "petId": pet["id"] })).by(&vet);
    assert_eq!(read().refusal().await, "pet_not_found");
    // Neither event is ever heard.
    memberships.put(MembershipState { user_id: vet.id(), ..membership(&clinic) });
    bookings.put(confirmed(&clinic, &pet, 1));
    for model in ["memberships", "bookings"] {
        rebuild_page(&cx, model, None).await.unwrap();
    }
    read().ok().await;
}
