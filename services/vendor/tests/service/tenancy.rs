//! No role reaches another vendor's rows.

use crate::business::{Business, new_clinic, new_service, new_vendor, usual_week};
use crate::world::{Asker, World, customer, platform_admin};
use serde_json::{Value, json};
use subjects::vendor::OPERATIONS;
use subjects::{ErrorCode, Operation, Who};

/// Everything that the contract lets the members of a vendor write.
pub fn writes_of_members() -> impl Iterator<Item = &'static Operation> {
    OPERATIONS.iter().filter(|operation| {
        let for_members = operation.access.0.iter().any(|who| matches!(who, Who::Member(_) | Who::Owner));
        for_members && !operation.effect.is_read()
    })
}

/// Everything that only the platform may write.
fn writes_of_the_platform() -> impl Iterator<Item = &'static Operation> {
    OPERATIONS.iter().filter(|operation| matches!(operation.access.0, [Who::Permitted]) && !operation.effect.is_read())
}

/// A request that would write the rows of `target`. Every write of the contract must stand here: a new one makes the
/// tests below fail until it does.
pub fn request(subject: &str, target: &Business) -> Value {
    let Business { vendor_id, clinic_id, service_id, staff_id, membership_id, .. } = target;
    let merged = |mut base: Value, more: Value| {
        base.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        base
    };
    let without = |mut base: Value, field: &str| {
        base.as_object_mut().unwrap().remove(field).unwrap();
        base
    };
    match subject {
        "vendor.update" => merged(new_vendor("Taken over"), json!({ "id": vendor_id })),
        "vendor.remove" | "vendor.submit" | "vendor.approve" => json!({ "id": vendor_id }),
        "vendor.reject" | "vendor.suspend" => json!({ "id": vendor_id, "reason": "because" }),
        "membership.invite" => json!({ "vendorId": vendor_id, "userId": customer().id(), "role": "clinic_admin" }),
        "membership.accept" | "membership.revoke" => json!({ "vendorId": vendor_id, "id": membership_id }),
        "membership.update" => json!({ "vendorId": vendor_id, "id": membership_id, "role": "clinic_admin" }),
        "clinic.create" => new_clinic(vendor_id, "Another"),
        "clinic.update" => {
            let changes = json!({ "id": clinic_id, "active": false });
            merged(without(new_clinic(vendor_id, "Taken over"), "vendorId"), changes)
        }
        "clinic.remove" => json!({ "id": clinic_id }),
        "service.create" => new_service(clinic_id, "Another"),
        "service.update" => {
            let changes = json!({ "id": service_id, "bufferBeforeMinutes": 0, "capacity": 1, "active": false });
            merged(without(new_service(clinic_id, "Taken over"), "clinicId"), changes)
        }
        "service.remove" => json!({ "id": service_id }),
        "staff.create" => json!({ "clinicId": clinic_id, "displayName": "Another" }),
        "staff.update" => {
            let links = json!({ "clinicIds": [clinic_id], "serviceIds": [service_id] });
            merged(json!({ "id": staff_id, "displayName": "Taken over", "active": false }), links)
        }
        "staff.remove" => json!({ "id": staff_id }),
        "hours.update" => json!({ "clinicId": clinic_id, "weekly": usual_week() }),
        other => panic!("say here how {other} would write the rows of another vendor"),
    }
}

/// The version that an update has to be based on.
pub fn current_version(subject: &str) -> i64 {
    match subject {
        // Founding a business has set them once.
        "hours.update" => 2,
        _ => 1,
    }
}

/// Each write on the rows of `target` is refused, with one of `codes`, and nothing is written.
async fn check_refused(world: &World, asker: &Asker, target: &Business, codes: &[ErrorCode]) {
    for operation in writes_of_members().chain(writes_of_the_platform()) {
        let before = world.own_rows().await;
        let ask = world.ask(operation.subject, request(operation.subject, target)).by(asker);
        let fault = match ask.based_on(current_version(operation.subject)).send().await {
            Ok(reply) => panic!("{} was not refused: {reply}", operation.subject),
            Err(fault) => fault,
        };
        assert!(codes.contains(&fault.code), "{}: {fault}", operation.subject);
        assert_eq!(before, world.own_rows().await, "{} wrote something", operation.subject);
    }
}

#[tokio::test]
async fn an_admin_of_one_vendor_writes_nothing_of_another() {
    let world = World::start().await;
    let own = Business::open(&world, "Own").await;
    let open = Business::open(&world, "Open to the public").await;
    let codes = [ErrorCode::Forbidden, ErrorCode::NotFound];
    check_refused(&world, &own.owner, &open, &codes).await;

    // Of a vendor that cannot be seen, it must not even be learned that it exists.
    let hidden = Business::found(&world, "A draft").await;
    for operation in writes_of_members() {
        let ask = world.ask(operation.subject, request(operation.subject, &hidden)).by(&own.owner);
        let fault = ask.based_on(1).send().await.unwrap_err();
        assert_eq!(fault.code, ErrorCode::NotFound, "{}", operation.subject);
    }
    check_refused(&world, &own.owner, &hidden, &codes).await;
}

#[tokio::test]
async fn neither_does_anybody_without_the_right_membership() {
    let world = World::start().await;
    let target = Business::open(&world, "Target").await;
    check_refused(&world, &Asker::Nobody, &target, &[ErrorCode::Unauthenticated]).await;
    let codes = [ErrorCode::Forbidden, ErrorCode::NotFound];
    check_refused(&world, &customer(), &target, &codes).await;

    let staff = customer();
    let invitation = json!({ "vendorId": target.vendor_id, "userId": staff.id(), "role": "clinic_staff" });
    let invited = world.ask("membership.invite", invitation).by(&target.owner).ok().await;
    let accept = json!({ "vendorId": target.vendor_id, "id": invited["id"] });
    world.ask("membership.accept", accept).by(&staff).ok().await;
    check_refused(&world, &staff, &target, &codes).await;

    // An admin of another clinic of the same vendor.
    let elsewhere = world.ask("clinic.create", new_clinic(&target.vendor_id, "Elsewhere")).by(&target.owner).ok().await;
    let admin_elsewhere = customer();
    let invitation = json!({
        "vendorId": target.vendor_id, "userId": admin_elsewhere.id(), "role": "clinic_admin", "clinicId": elsewhere["id"],
    });
    let invited = world.ask("membership.invite", invitation).by(&target.owner).ok().await;
    let accept = json!({ "vendorId": target.vendor_id, "id": invited["id"] });
    world.ask("membership.accept", accept).by(&admin_elsewhere).ok().await;
    check_refused(&world, &admin_elsewhere, &target, &codes).await;
    world.ask("service.create", new_service(&elsewhere["id"], "Own")).by(&admin_elsewhere).ok().await;
}

/// The requests above are sound: whoever may, can. Otherwise their refusal would say nothing.
#[tokio::test]
async fn whoever_may_can() {
    let world = World::start().await;
    for operation in writes_of_members() {
        let target = Business::found(&world, "Target").await;
        let asker = if operation.subject == "membership.accept" { &target.invited } else { &target.owner };
        let ask = world.ask(operation.subject, request(operation.subject, &target)).by(asker);
        ask.based_on(current_version(operation.subject)).ok().await;
    }
    let target = Business::found(&world, "Target").await;
    world.ask("vendor.submit", json!({ "id": target.vendor_id })).by(&target.owner).ok().await;
    for subject in ["vendor.approve", "vendor.suspend"] {
        world.ask(subject, request(subject, &target)).by(&platform_admin()).ok().await;
    }
}

#[tokio::test]
async fn no_row_can_be_tied_to_another_vendors() {
    let world = World::start().await;
    let own = Business::open(&world, "Own").await;
    let other = Business::open(&world, "Other").await;
    let before = world.query("select string_agg(t::text, ' ' order by t.id) from staff t").await;
    let refused =
        async |subject: &str, body: Value| world.ask(subject, body).by(&own.owner).based_on(1).refusal().await;

    let at_other_clinic = json!({
        "id": own.staff_id, "displayName": "A", "active": true, "clinicIds": [other.clinic_id], "serviceIds": [],
    });
    assert_eq!(refused("staff.update", at_other_clinic).await, "unknown_clinic");
    let other_service = json!({
        "id": own.staff_id, "displayName": "A", "active": true, "clinicIds": [own.clinic_id],
        "serviceIds": [other.service_id],
    });
    assert_eq!(refused("staff.update", other_service.clone()).await, "unknown_service");
    let new_staff = json!({ "clinicId": own.clinic_id, "displayName": "A", "serviceIds": [other.service_id] });
    assert_eq!(refused("staff.create", new_staff).await, "unknown_service");
    let invitation = json!({
        "vendorId": own.vendor_id, "userId": customer().id(), "role": "clinic_admin", "clinicId": other.clinic_id,
    });
    assert_eq!(refused("membership.invite", invitation).await, "unknown_clinic");
    // A membership of the other vendor under the path of the own one.
    let mixed = json!({ "vendorId": own.vendor_id, "id": other.membership_id, "role": "clinic_admin" });
    assert_eq!(refused("membership.update", mixed.clone()).await, "membership_not_found");
    let mixed = json!({ "vendorId": own.vendor_id, "id": other.membership_id });
    assert_eq!(refused("membership.revoke", mixed).await, "membership_not_found");
    assert_eq!(before, world.query("select string_agg(t::text, ' ' order by t.id) from staff t").await);
}
