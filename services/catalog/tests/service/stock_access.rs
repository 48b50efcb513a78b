//! Who may deal with stock.

use crate::stock::{SELLER, Shop, check_stock, commit, employ, numbers, reserve};
use crate::world;
use platform::{App, Cx, Service};
use serde_json::{Value, json};
use subjects::ids::{ClinicId, VendorId};
use subjects::vendor::{Clinic, FindClinic, MembershipRevoked, MembershipState, VendorError};
use subjects::{ErrorCode, MembershipRole};
use testmesh::{Asker, Mesh, customer, platform_admin};

async fn refusal(mesh: &Mesh, asker: &Asker, subject: &str, request: &Value) -> String {
    mesh.ask(subject, request.clone()).by(asker).based_on(1).refusal().await
}

#[tokio::test]
async fn nobody_reaches_the_stock_of_others() {
    let mesh = world::start().await;
    let (shop, other_shop) = (Shop::found(&mesh, 1).await, Shop::found(&mesh, 1).await);
    let stock = shop.keep(&mesh, 0, 0, 5).await;
    other_shop.keep(&mesh, 0, 0, 9).await;
    let next_door = customer();
    employ(&mesh, &next_door, shop.vendor_id, Some(shop.clinics[1]), MembershipRole::ClinicStaff).await;

    let id = json!({ "id": stock["id"] });
    let change = json!({ "id": stock["id"], "change": 1, "reason": "received" });
    let line = json!({ "lines": [shop.line(0, 1)] });
    let line_there = json!({ "lines": [shop.line_at(0, 0, 1)] });
    for stranger in [&other_shop.staff, &next_door, &customer()] {
        assert_eq!(refusal(&mesh, stranger, "inventory.findOne", &id).await, "inventory_not_found");
        assert_eq!(refusal(&mesh, stranger, "inventory.movements", &id).await, "inventory_not_found");
        assert_eq!(refusal(&mesh, stranger, "inventory.update", &change).await, "inventory_not_found");
        assert_eq!(refusal(&mesh, stranger, "inventory.reserve", &line).await, "inventory_not_found");
        assert_eq!(refusal(&mesh, stranger, "inventory.reserve", &line_there).await, "inventory_not_found");
        let listed = mesh.ask("inventory.findAll", json!({ "vendorId": shop.vendor_id })).by(stranger).ok().await;
        assert_eq!(listed, json!({ "items": [] }));
    }
    let opening = json!({ "variantId": shop.variants[0], "clinicId": shop.clinics[0] });
    assert_eq!(refusal(&mesh, &other_shop.staff, "inventory.create", &opening).await, "variant_not_found");
    assert_eq!(refusal(&mesh, &next_door, "inventory.create", &opening).await, "forbidden");
    // A place of one's own does not make another's variant one's own.
    let mixed = json!({ "variantId": shop.variants[0], "clinicId": other_shop.clinics[0] });
    assert_eq!(refusal(&mesh, &other_shop.staff, "inventory.create", &mixed).await, "variant_not_found");

    for (subject, request) in [("inventory.findOne", &id), ("inventory.update", &change), ("inventory.reserve", &line)]
    {
        assert_eq!(refusal(&mesh, &Asker::Nobody, subject, request).await, "unauthenticated");
    }
    assert_ne!(refusal(&mesh, &SELLER, "inventory.update", &change).await, "version_mismatch");
    let admin = platform_admin();
    assert_eq!(mesh.ask("inventory.findOne", id).by(&admin).ok().await, stock);
    mesh.ask("inventory.update", change).by(&admin).based_on(1).ok().await;
    let listed = mesh.ask("inventory.findAll", json!({})).by(&admin).ok().await;
    assert_eq!((listed["items"].as_array().unwrap().len(), numbers(&mesh).await), (2, "6/0 9/0".to_owned()));
    check_stock(&mesh).await;
}

#[tokio::test]
async fn a_membership_that_ends_ends_its_reach() {
    let mesh = world::start().await;
    let shop = Shop::found(&mesh, 1).await;
    let stock = shop.keep(&mesh, 0, 0, 5).await;
    let helper = customer();
    let clinic = Some(shop.clinics[0]);
    let membership = employ(&mesh, &helper, shop.vendor_id, clinic, MembershipRole::ClinicAdmin).await;
    let find = || mesh.ask("inventory.findOne", json!({ "id": stock["id"] })).by(&helper);
    find().ok().await;
    mesh.tell(&MembershipRevoked(MembershipState { active: false, version: 2, ..membership })).await;
    mesh.until_query("select count(*) from memberships where not active", 1).await;
    assert_eq!(find().refusal().await, "inventory_not_found");
}

#[tokio::test]
async fn a_reservation_is_for_its_maker() {
    let mesh = world::start().await;
    let (shop, other_shop) = (Shop::found(&mesh, 1).await, Shop::found(&mesh, 1).await);
    shop.keep(&mesh, 0, 0, 5).await;
    shop.keep(&mesh, 0, 1, 5).await;
    other_shop.keep(&mesh, 0, 0, 9).await;
    let next_door = customer();
    employ(&mesh, &next_door, shop.vendor_id, Some(shop.clinics[1]), MembershipRole::ClinicStaff).await;
    let other_service = Asker::Service("profile");

    // One that a service made, of stock of two vendors.
    let sold = reserve(&mesh, &[shop.line_at(0, 0, 1), other_shop.line(0, 2)]).ok().await;
    let id = json!({ "id": sold["id"] });
    let find = |asker: &Asker| mesh.ask("reservation.findOne", id.clone()).by(asker);
    assert_eq!(find(&other_service).refusal().await, "reservation_not_found");
    assert_eq!(find(&next_door).refusal().await, "reservation_not_found");
    assert_eq!(find(&customer()).refusal().await, "reservation_not_found");
    // Those who keep the stock see what is kept of it, and cannot give it to anybody.
    let seen = find(&shop.staff).ok().await;
    assert_eq!((seen["lines"].as_array().unwrap().len(), &seen["lines"][0]["quantity"]), (1, &json!(1)));
    for subject in ["inventory.commit", "inventory.release"] {
        assert_eq!(refusal(&mesh, &shop.staff, subject, &id).await, "forbidden");
        assert_eq!(refusal(&mesh, &platform_admin(), subject, &id).await, "forbidden");
        assert_eq!(refusal(&mesh, &other_service, subject, &id).await, "reservation_not_found");
        assert_eq!(refusal(&mesh, &Asker::Nobody, subject, &id).await, "unauthenticated");
    }
    commit(&mesh, &sold).ok().await;

    // One that somebody of the shop made: for all who work at its places.
    let by_hand = json!({ "lines": [shop.line_at(0, 0, 1), shop.line_at(0, 1, 1)] });
    let by_hand = mesh.ask("inventory.reserve", by_hand).by(&shop.staff).ok().await;
    assert_eq!((&by_hand["userId"], by_hand.get("service")), (&json!(shop.staff.id()), None));
    let id = json!({ "id": by_hand["id"] });
    assert_eq!(refusal(&mesh, &next_door, "inventory.commit", &id).await, "forbidden");
    assert_eq!(refusal(&mesh, &other_shop.staff, "inventory.commit", &id).await, "reservation_not_found");
    assert_eq!(refusal(&mesh, &SELLER, "inventory.commit", &id).await, "reservation_not_found");
    let colleague = customer();
    employ(&mesh, &colleague, shop.vendor_id, None, MembershipRole::ClinicStaff).await;
    mesh.ask("inventory.release", id).by(&colleague).ok().await;

    // Somebody who works at one place takes from there, however much there is elsewhere.
    let line = |quantity| json!({ "lines": [shop.line(0, quantity)] });
    let taken = mesh.ask("inventory.reserve", line(5)).by(&next_door).ok().await;
    assert_eq!(taken["lines"][0]["clinicId"], json!(shop.clinics[1]));
    assert_eq!(refusal(&mesh, &next_door, "inventory.reserve", &line(1)).await, "out_of_stock");
    check_stock(&mesh).await;
}

/// Answers `clinic.findOne` as the vendor service does.
struct VendorStandIn {
    vendor_id: VendorId,
    clinic_id: ClinicId,
}

impl App for VendorStandIn {
    const NAME: &'static str = "vendor";
}

platform::calls!(VendorStandIn => []);

async fn find_clinic(cx: Cx<VendorStandIn>, request: FindClinic) -> Result<Clinic, VendorError> {
    let VendorStandIn { vendor_id, clinic_id } = *cx.app;
    if request.id != clinic_id {
        return Err(VendorError::ClinicNotFound);
    }
    let clinic = json!({
        "id": clinic_id, "vendorId": vendor_id, "kind": "clinic", "name": "Klinik Sari",
        "address": { "street": "Jl. Cikini 1", "city": "Jakarta", "province": "DKI Jakarta", "postalCode": "10330",
            "country": "ID" },
        "timeZone": "Asia/Jakarta", "policy": {}, "active": false, "version": 1,
        "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z",
    });
    serde_json::from_value(clinic).map_err(|error| VendorError::Fault(subjects::Fault::internal(error)))
}

#[tokio::test]
async fn a_place_is_one_of_the_vendors_clinics() {
    let vendor = Service::new().on(find_clinic);
    let mesh = Mesh::of("catalog").with(catalog::service(), catalog::app).knowing(&vendor).start().await;
    let shop = Shop::found(&mesh, 1).await;
    let owner = customer();
    employ(&mesh, &owner, shop.vendor_id, None, MembershipRole::ClinicAdmin).await;
    let clinic_id = ClinicId::new();
    let open = |asker: &Asker, clinic_id: ClinicId| {
        let opening = json!({ "variantId": shop.variants[0], "clinicId": clinic_id });
        mesh.ask("inventory.create", opening).by(asker)
    };
    // Those who work at a place need nobody to say that it is one; for others the vendor service does.
    open(&shop.staff, shop.clinics[0]).ok().await;
    assert_eq!(open(&owner, clinic_id).fault().await.code, ErrorCode::Unavailable);

    let stand_in = VendorStandIn { vendor_id: shop.vendor_id, clinic_id };
    let _vendor = mesh.start_another(vendor, async move |_: &_| Ok(stand_in)).await;
    assert_eq!(open(&owner, ClinicId::new()).refusal().await, "clinic_not_found");
    let opened = open(&owner, clinic_id).ok().await;
    assert_eq!(opened["clinicId"], json!(clinic_id));
    let other_shop = Shop::found(&mesh, 1).await;
    let opening = json!({ "variantId": other_shop.variants[0], "clinicId": clinic_id });
    assert_eq!(mesh.ask("inventory.create", opening).by(&platform_admin()).refusal().await, "clinic_not_found");
    check_stock(&mesh).await;
}
