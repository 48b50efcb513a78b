//! Read models that are built from the owners' snapshots, and compared with them.

use crate::asking::Person;
use crate::clinic::{Clinic, local};
use crate::owners::{MODELS, Owners, pet_of, sit_down, with_owners, without_owners};
use crate::world::World;
use booking::BookingApp;
use platform::Cx;
use std::time::Duration;
use store::projection::{Comparison, compare, list, rebuild_page};
use subjects::booking::{Attention, GetBooking};
use subjects::ids::UserId;
use subjects::ops::{OpsError, RebuildOutcome};
use subjects::profile::{PetCreated, PetRemoved, PetState, PetUpdated};
use subjects::vendor::{
    HoursState, MembershipRevoked, MembershipState, VendorApproved, VendorState, VendorStatus, VendorSuspended,
    WeeklyInterval,
};
use subjects::{ErrorCode, ServiceError as _};
use testmesh::Owned;

const COUNT: usize = 20;

/// Owners with twenty of everything, and an instance of booking that has built all its models from them.
async fn built(owners: &Owners) -> (World, Cx<BookingApp>, platform::runtime::Running) {
    owners.fill(COUNT);
    let world = with_owners(owners, &Clinic::new(&[30], 1)).await;
    let running = world.run_booking().await;
    world.until("select count(*) from booking.built_read_models", 7).await;
    let cx = world.own_cx(booking::app).await;
    (world, cx, running)
}

/// Builds a model to its end.
async fn rebuild(cx: &Cx<BookingApp>, model: &str) -> RebuildOutcome {
    let mut total = RebuildOutcome::default();
    loop {
        let RebuildOutcome { examined, changed, removed, next_cursor } =
            rebuild_page(cx, model, total.next_cursor.as_deref()).await.unwrap();
        total.examined += examined;
        total.changed += changed;
        total.removed += removed;
        total.next_cursor = next_cursor;
        if total.next_cursor.is_none() {
            return total;
        }
    }
}

fn equal(examined: usize) -> Comparison {
    Comparison { examined: examined.try_into().unwrap(), ..Comparison::default() }
}

#[tokio::test]
async fn a_new_service_builds_its_models_once_the_owners_answer() {
    let world = without_owners().await;
    // It is ready without them.
    let _booking = world.run_booking().await;
    assert_eq!(world.number("select count(*) from booking.built_read_models").await, 0);
    let owners = Owners::telling(7, Duration::ZERO);
    owners.fill(COUNT);
    let _owners = sit_down(&world, &owners).await;
    world.until("select count(*) from booking.built_read_models", 7).await;

    let cx = world.own_cx(booking::app).await;
    for model in MODELS {
        assert_eq!(compare(&cx, model).await, Ok(equal(COUNT)), "{model}");
    }
    let listed = list(&*cx.app).await.unwrap();
    // Nobody answers for auth here, and that holds up none of the others.
    let (listed, waiting): (Vec<_>, Vec<_>) = listed.into_iter().partition(|status| status.owner != "auth");
    assert!(waiting.iter().all(|status| status.model == "roles" && status.built_at.is_none()), "{waiting:?}");
    let names: Vec<&str> = listed.iter().map(|status| status.model.as_str()).collect();
    assert_eq!((names.as_slice(), waiting.len()), (MODELS.as_slice(), 1));
    assert!(listed.iter().all(|status| status.rows == 20 && status.built_at.is_some()), "{listed:?}");
    let owner_of = |model: &str| listed.iter().find(|status| status.model == model).map(|status| status.owner.as_str());
    assert_eq!((owner_of("staff"), owner_of("pets")), (Some("vendor"), Some("profile")));
}

/// What each model has beside ids, spoiled.
fn spoiled(model: &str) -> &'static str {
    match model {
        "vendors" => "open_for_business = not open_for_business",
        "clinics" => "time_zone = 'Asia/Makassar'",
        "services" => "price_amount = price_amount + 1",
        "staff" => "exceptions = '[{\"date\": \"2026-03-20\", \"intervals\": []}]'",
        "service_availability" => "hours = jsonb_set(hours, '{weekly}', '[]')",
        "memberships" => "role = 'clinic_admin'",
        "pets" => "shared_with = '[]'",
        other => panic!("{other} is no model"),
    }
}

#[tokio::test]
async fn a_model_that_was_spoiled_equals_its_source_again() {
    let owners = Owners::telling(7, Duration::ZERO);
    let (world, cx, _booking) = built(&owners).await;
    // One that its owner keeps although it is over is a tombstone here.
    let ended = owners.memberships.states().remove(0);
    owners.memberships.end(MembershipState { active: false, version: 2, ..ended });
    rebuild(&cx, "memberships").await;
    assert_eq!(world.number("select count(*) from booking.memberships where removed_at is not null").await, 1);

    for model in MODELS {
        let table = format!("booking.{model}");
        // By their places in the order of ids. The tombstone has the first one.
        let some = |place: usize| format!("id in (select id from {table} order by id offset {place} limit 2)");
        for spoil in [
            format!("update {table} set version = 0, {} where {}", spoiled(model), some(2)),
            format!("update {table} set {} where {}", spoiled(model), some(4)),
            format!("update {table} set version = version + 100, {} where {}", spoiled(model), some(6)),
            format!("update {table} set removed_at = now() where {}", some(8)),
            format!("delete from {table} where {}", some(10)),
        ] {
            assert_eq!(world.execute(&spoil).await, 2, "{spoil}");
        }
        let surplus = format!(
            "insert into {table} select (jsonb_populate_record(t, jsonb_build_object('id', gen_random_uuid()))).* \
             from {table} as t where {}",
            some(14)
        );
        assert_eq!(world.execute(&surplus).await, 2);
        let found = Comparison { examined: 20, missing: 2, stale: 8, surplus: 2 };
        assert_eq!(compare(&cx, model).await, Ok(found), "{model}");
        let RebuildOutcome { examined, changed, removed, next_cursor } = rebuild(&cx, model).await;
        assert_eq!((examined, changed, removed, next_cursor), (20, 10, 2, None), "{model}");
        assert_eq!(compare(&cx, model).await, Ok(equal(COUNT)), "{model}");
        // What was surplus stays as a tombstone, which nothing that comes late brings back.
        let tombstones = if model == "memberships" { 3 } else { 2 };
        let count = format!("select count(*) from {table} where removed_at is not null");
        assert_eq!(world.number(&count).await, tombstones, "{model}");
        let RebuildOutcome { changed, removed, .. } = rebuild(&cx, model).await;
        assert_eq!((changed, removed), (0, 0), "{model}");
    }
    assert_eq!(world.number("select count(*) from booking.vendors where open_for_business").await, 20);

    for model in MODELS {
        world.execute(&format!("delete from booking.{model}")).await;
        assert_eq!(rebuild(&cx, model).await.changed, 20, "{model}");
        assert_eq!(compare(&cx, model).await, Ok(equal(COUNT)), "{model}");
    }
}

/// Everything at the owners changes all the time, and is told, while models are spoiled and built.
#[tokio::test]
async fn events_that_come_meanwhile_are_neither_undone_nor_lost() {
    let owners = Owners::telling(3, Duration::from_millis(5));
    let (world, cx, _booking) = built(&owners).await;

    let changing = async {
        for version in 2..12 {
            for vendor in owners.vendors.states() {
                let status = if version % 2 == 0 { VendorStatus::Suspended } else { VendorStatus::Approved };
                let state = VendorState { status, version, ..vendor };
                owners.vendors.put(state.clone());
                if version % 2 == 0 {
                    world.tell(&VendorSuspended(state)).await;
                } else {
                    world.tell(&VendorApproved(state)).await;
                }
            }
            for pet in owners.pets.states() {
                let changed = PetState { shared_with: vec![UserId::new()], version, ..pet };
                owners.pets.put(changed.clone());
                world.tell(&PetUpdated(changed)).await;
            }
            let gone = owners.pets.states().remove(usize::try_from(version).unwrap());
            owners.pets.forget(gone.pet_id);
            world.tell(&PetRemoved(PetState { removed: true, version: version + 1, ..gone })).await;
            let born = PetState { version, ..pet_of(UserId::new()) };
            owners.pets.put(born.clone());
            world.tell(&PetCreated(born)).await;
            let ended = owners.memberships.states().remove(usize::try_from(version).unwrap());
            let ended = MembershipState { active: false, version: 2, ..ended };
            owners.memberships.end(ended.clone());
            world.tell(&MembershipRevoked(ended)).await;
        }
    };
    let building = async {
        for _ in 0..6 {
            world.execute("delete from booking.pets where removed_at is null and random() < 0.2").await;
            world.execute("update booking.vendors set open_for_business = not open_for_business").await;
            for model in ["vendors", "pets", "memberships"] {
                rebuild(&cx, model).await;
            }
        }
    };
    tokio::join!(changing, building);

    // All that was told has been heard.
    world
        .until("select count(*) from booking.inbox where handler in ('pet_updated', 'pet_created')", 10 * 20 + 10)
        .await;
    world.until("select count(*) from booking.inbox where handler in ('pet_removed', 'membership_revoked')", 20).await;
    world.until("select count(*) from booking.inbox where handler like 'vendor_%'", 10 * 20).await;
    // Rows that were deleted by hand after the last building of them come back with the next one.
    for model in ["vendors", "pets", "memberships"] {
        let left = compare(&cx, model).await.unwrap();
        assert_eq!((left.stale, left.surplus), (0, 0), "{model}: {left:?}");
        rebuild(&cx, model).await;
        assert_eq!(compare(&cx, model).await, Ok(equal(COUNT)), "{model}");
    }
    let gone = "select count(*) from booking.pets where removed_at is not null";
    assert_eq!(world.number(gone).await, 10);
}

#[tokio::test]
async fn building_goes_on_from_its_cursor_and_from_no_other() {
    // Four pages that take longer than one request builds.
    let owners = Owners { pets: Owned::in_pages(5, Duration::from_millis(700)), ..Owners::telling(5, Duration::ZERO) };
    let (world, cx, _booking) = built(&owners).await;
    world.execute("delete from booking.pets").await;
    let first = rebuild_page(&cx, "pets", None).await.unwrap();
    let cursor = first.next_cursor.as_deref();
    assert!(cursor.is_some() && first.examined < 20 && first.examined == first.changed, "{first:?}");
    let count = i64::try_from(first.examined).unwrap();
    assert_eq!(world.number("select count(*) from booking.pets").await, count);

    for (model, cursor) in [("vendors", cursor), ("pets", Some("nonsense")), ("pets", Some(""))] {
        let refused = rebuild_page(&cx, model, cursor).await.unwrap_err().into_fault();
        assert_eq!((refused.code, refused.violations[0].pointer.as_str()), (ErrorCode::BadRequest, "/cursor"));
    }
    let (mut examined, mut next) = (first.examined, first.next_cursor);
    while next.is_some() {
        let part = rebuild_page(&cx, "pets", next.as_deref()).await.unwrap();
        examined += part.examined;
        next = part.next_cursor;
    }
    assert_eq!((examined, compare(&cx, "pets").await), (20, Ok(equal(COUNT))));
    assert_eq!(compare(&cx, "bookings").await, Err(OpsError::ReadModelNotFound));
    assert_eq!(rebuild_page(&cx, "bookings", None).await, Err(OpsError::ReadModelNotFound));
}

/// As when its event is older than the stream, and was never handled.
#[tokio::test]
async fn bookings_under_a_change_that_was_never_heard_of_are_noticed_when_the_model_is_built() {
    let owners = Owners::telling(100, Duration::ZERO);
    let clinic = Clinic::new(&[30], 1);
    owners.own(&clinic);
    let world = with_owners(&owners, &clinic).await;
    let _booking = world.run_booking().await;
    world.until("select count(*) from booking.built_read_models", 7).await;
    let customer = Person::customer(&world);
    let made = customer.book(clinic.service(0), None, local(3, 15, 0)).await.unwrap();
    world.until("select count(*) from booking.bookings where schedule_changed", 0).await;

    let closes = subjects::vendor::WallTime::new(12, 0).unwrap();
    let mut changed: HoursState = owners.hours.states().remove(0);
    changed.hours.weekly = changed.hours.weekly.iter().map(|day| WeeklyInterval { closes, ..*day }).collect();
    owners.hours.put(HoursState { version: 2, ..changed });
    let cx = world.own_cx(booking::app).await;
    assert_eq!(rebuild(&cx, "service_availability").await.changed, 1);
    world.until("select count(*) from booking.bookings where version > 1", 1).await;
    let now = customer.ask(&GetBooking { id: made.id }).await.unwrap();
    assert_eq!(now.attention, Some(Attention::OutsideHours));
}
