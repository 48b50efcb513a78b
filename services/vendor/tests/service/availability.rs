use crate::business::{Business, new_clinic, new_service, usual_week};
use crate::world::{Asker, World, platform_admin};
use serde_json::{Value, json};
use subjects::ErrorCode;

async fn ask(world: &World, body: Value) -> Value {
    world.ask("vendor.availability", body).by(&Asker::Service("booking")).ok().await
}

#[tokio::test]
async fn booking_learns_in_one_call_all_that_it_needs() {
    let world = World::start().await;
    let business = Business::open(&world, "Klinik Sari").await;
    let Business { clinic_id, vendor_id, service_id, staff_id, owner, .. } = &business;
    // Somebody else, who comes on Monday afternoons only and performs nothing yet.
    let afternoons = json!([{ "day": "monday", "opens": "12:00", "closes": "20:00" }]);
    let second = json!({ "clinicId": clinic_id, "displayName": "Bagas Pranoto", "hours": afternoons });
    let second_id = world.ask("staff.create", second).by(owner).ok().await["id"].clone();

    // 2 March 2026 is a Monday; Jakarta is seven hours ahead.
    let monday = json!({ "from": "2026-03-02T01:00:00Z", "to": "2026-03-02T09:00:00Z" });
    let tuesday = json!({ "from": "2026-03-03T01:00:00Z", "to": "2026-03-03T09:00:00Z" });
    let body = json!({ "serviceId": service_id, "from": "2026-03-02", "to": "2026-03-03" });
    let answer = ask(&world, body).await;
    assert_eq!(answer["staff"], json!([{ "staffId": staff_id, "open": [monday, tuesday] }]));
    assert_eq!((&answer["clinicId"], &answer["vendorId"]), (clinic_id, vendor_id));
    assert_eq!((&answer["scheduleVersion"], &answer["bookable"]), (&json!(2), &json!(true)));
    assert_eq!(answer["timeZone"], "Asia/Jakarta");
    let service = &answer["service"];
    assert_eq!((&service["name"], &service["durationMinutes"]), (&json!("Konsultasi"), &json!(30)));
    assert_eq!((&service["bufferAfterMinutes"], &service["capacity"]), (&json!(10), &json!(1)));
    assert_eq!(service["price"], json!({ "amount": 150_000, "currency": "IDR" }));

    let whole_clinic = ask(&world, json!({ "clinicId": clinic_id, "from": "2026-03-02", "to": "2026-03-03" })).await;
    let afternoon = json!({ "from": "2026-03-02T05:00:00Z", "to": "2026-03-02T09:00:00Z" });
    let open_of = |answer: &Value, id: &Value| {
        let staff = answer["staff"].as_array().unwrap().iter().find(|staff| &staff["staffId"] == id).cloned();
        staff.map(|staff| staff["open"].clone())
    };
    assert_eq!(open_of(&whole_clinic, &second_id), Some(json!([afternoon])));
    assert_eq!(open_of(&whole_clinic, staff_id), Some(json!([monday, tuesday])));
    let one = json!({ "clinicId": clinic_id, "staffId": second_id, "from": "2026-03-03" });
    assert_eq!(ask(&world, one).await["staff"], json!([{ "staffId": second_id, "open": [] }]));

    // An exception replaces its date.
    let closed = json!({ "clinicId": clinic_id, "weekly": usual_week(), "exceptions": [{ "date": "2026-03-02" }] });
    world.ask("hours.update", closed).by(owner).based_on(2).ok().await;
    let body = json!({ "serviceId": service_id, "from": "2026-03-02", "to": "2026-03-03" });
    let answer = ask(&world, body).await;
    assert_eq!((&answer["scheduleVersion"], &answer["staff"][0]["open"]), (&json!(3), &json!([tuesday])));
}

#[tokio::test]
async fn the_words_of_document_003_are_understood() {
    let world = World::start().await;
    let business = Business::open(&world, "Klinik Sari").await;
    let question = json!({ "vendorId": business.vendor_id, "date": "2026-03-02" });
    let by_older_names = world.ask("getVendorAvailability", question.clone()).by(&Asker::Service("booking")).ok().await;
    let by_own_names = ask(&world, json!({ "clinicId": business.clinic_id, "from": "2026-03-02" })).await;
    assert_eq!(by_older_names, by_own_names);
    let vendor = world.ask("getVendorById", json!({ "vendorId": business.vendor_id })).ok().await;
    assert_eq!(vendor["id"], business.vendor_id);

    let second = new_clinic(&business.vendor_id, "Second");
    world.ask("clinic.create", second).by(&business.owner).ok().await;
    let refused = world.ask("vendor.availability", question).by(&Asker::Service("booking"));
    assert_eq!(refused.refusal().await, "clinic_needed");
}

#[tokio::test]
async fn what_takes_no_bookings_says_so() {
    let world = World::start().await;
    let business = Business::found(&world, "Klinik Sari").await;
    let question = || json!({ "serviceId": business.service_id, "from": "2026-03-02" });
    let check = async |expected: bool| {
        let answer = ask(&world, question()).await;
        assert_eq!(answer["bookable"], expected);
        assert_eq!(answer["staff"].as_array().unwrap().is_empty(), !expected);
    };
    check(false).await;
    let id = json!({ "id": business.vendor_id });
    world.ask("vendor.submit", id.clone()).by(&business.owner).ok().await;
    world.ask("vendor.approve", id).by(&platform_admin()).ok().await;
    check(true).await;
    for table in ["clinics", "clinic_services"] {
        world.execute(&format!("update {table} set active = false")).await;
        check(false).await;
        world.execute(&format!("update {table} set active = true")).await;
        check(true).await;
    }
}

#[tokio::test]
async fn bad_questions_are_refused() {
    let world = World::start().await;
    let business = Business::open(&world, "Klinik Sari").await;
    let other = Business::open(&world, "Other").await;
    let refused = async |body: Value| {
        world.ask("vendor.availability", body).by(&Asker::Service("booking")).send().await.unwrap_err()
    };
    let clinic_id = &business.clinic_id;
    for body in [
        json!({ "from": "2026-03-02" }),
        json!({ "clinicId": clinic_id, "from": "2026-03-02", "to": "2026-03-01" }),
        json!({ "clinicId": clinic_id, "from": "2026-03-01", "to": "2026-04-01" }),
        json!({ "clinicId": clinic_id, "from": "+262142-12-31" }),
    ] {
        assert_eq!(refused(body.clone()).await.code, ErrorCode::BadRequest, "{body}");
    }
    let mixed = json!({ "clinicId": clinic_id, "serviceId": other.service_id, "from": "2026-03-02" });
    assert_eq!(refused(mixed).await.reason, "service_not_found");
    let mixed = json!({ "clinicId": clinic_id, "vendorId": other.vendor_id, "from": "2026-03-02" });
    assert_eq!(refused(mixed).await.reason, "clinic_not_found");
    let whole_month = json!({ "clinicId": clinic_id, "from": "2026-03-01", "to": "2026-03-31" });
    assert_eq!(ask(&world, whole_month).await["staff"][0]["open"].as_array().unwrap().len(), 31);

    // A user who finds the subject has no use of it; the edge has not even the right to publish there.
    let by_user = world.ask("vendor.availability", json!({ "clinicId": clinic_id, "from": "2026-03-02" }));
    assert_eq!(by_user.by(&business.owner).refusal().await, "call_not_permitted");
    let create = new_service(clinic_id, "By booking");
    let by_booking = world.ask("service.create", create).by(&Asker::Service("booking"));
    assert_eq!(by_booking.refusal().await, "call_not_permitted");
}
