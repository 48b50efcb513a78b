use crate::business::{Business, new_clinic, new_service};
use crate::world::{Asker, World, customer};
use serde_json::{Value, json};
use subjects::ErrorCode;

fn merged(mut base: Value, more: Value) -> Value {
    base.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    base
}

fn usual_policy() -> Value {
    json!({
        "confirmWithinMinutes": 1440,
        "cancelNoticeMinutes": 0,
        "cancelFeePercent": 0,
        "rescheduleNoticeMinutes": 0,
        "rescheduleFeePercent": 0,
    })
}

#[tokio::test]
async fn a_clinics_policy_is_kept_shown_and_told() {
    let world = World::start().await;
    let business = Business::open(&world, "Klinik Sari").await;
    let Business { owner, vendor_id, .. } = &business;
    let mut events = world.listen().await;
    let strict = json!({
        "confirmWithinMinutes": 60,
        "cancelNoticeMinutes": 1440,
        "cancelFeePercent": 50,
        "rescheduleNoticeMinutes": 720,
        "rescheduleFeePercent": 25,
    });
    let create = merged(new_clinic(vendor_id, "Klinik Dewi"), json!({ "policy": strict }));
    let clinic = world.ask("clinic.create", create).by(owner).ok().await;
    let id = &clinic["id"];
    assert_eq!(clinic["policy"], strict);
    assert_eq!(world.ask("clinic.findOne", json!({ "id": id })).ok().await, clinic);
    let told = events.next("clinic.updated").await;
    assert_eq!((&told["policy"], &told["name"]), (&strict, &json!("Klinik Dewi")));
    let question = json!({ "clinicId": id, "from": "2026-03-02" });
    let availability = world.ask("vendor.availability", question).by(&Asker::Service("booking")).ok().await;
    assert_eq!(availability["policy"], strict);

    // What is left out has its default, of the policy as a whole too.
    let mut change = merged(new_clinic(vendor_id, "Klinik Ratna"), json!({ "id": id, "active": true }));
    change.as_object_mut().unwrap().remove("vendorId");
    change["policy"] = json!({ "cancelFeePercent": 100 });
    let partly = world.ask("clinic.update", change.clone()).by(owner).based_on(1).ok().await;
    assert_eq!(partly["policy"], merged(usual_policy(), json!({ "cancelFeePercent": 100 })));
    let told = events.next("clinic.updated").await;
    assert_eq!((&told["policy"], &told["name"]), (&partly["policy"], &json!("Klinik Ratna")));
    change.as_object_mut().unwrap().remove("policy");
    let usual = world.ask("clinic.update", change).by(owner).based_on(2).ok().await;
    assert_eq!(usual["policy"], usual_policy());
    assert_eq!(events.next("clinic.updated").await["policy"], usual_policy());
}

#[tokio::test]
async fn when_a_service_may_be_booked_is_kept_shown_and_told() {
    let world = World::start().await;
    let business = Business::open(&world, "Klinik Sari").await;
    let Business { owner, clinic_id, .. } = &business;
    let mut events = world.listen().await;
    let rules = |body: &Value| {
        ["slotStepMinutes", "minimumNoticeMinutes", "bookingWindowDays"].map(|field| body[field].as_u64().unwrap())
    };
    let usual = world.ask("service.create", new_service(clinic_id, "Usual")).by(owner).ok().await;
    assert_eq!(rules(&usual), [15, 0, 180]);
    assert_eq!(rules(&events.next("service.updated").await), [15, 0, 180]);

    let own_rules = json!({ "slotStepMinutes": 20, "minimumNoticeMinutes": 43_200, "bookingWindowDays": 730 });
    let mut change = merged(new_service(clinic_id, "Usual"), merged(own_rules, json!({ "id": usual["id"] })));
    change.as_object_mut().unwrap().remove("clinicId");
    let change = merged(change, json!({ "bufferBeforeMinutes": 0, "capacity": 1, "active": true }));
    let updated = world.ask("service.update", change).by(owner).based_on(1).ok().await;
    assert_eq!(rules(&updated), [20, 43_200, 730]);
    assert_eq!(world.ask("service.findOne", json!({ "id": usual["id"] })).ok().await, updated);
    assert_eq!(rules(&events.next("service.updated").await), [20, 43_200, 730]);
    let question = json!({ "serviceId": usual["id"], "from": "2026-03-02" });
    let availability = world.ask("vendor.availability", question).by(&Asker::Service("booking")).ok().await;
    assert_eq!(rules(&availability["service"]), [20, 43_200, 730]);
}

#[tokio::test]
async fn rows_that_know_no_policy_have_the_usual_one() {
    let world = World::start().await;
    let business = Business::open(&world, "Klinik Sari").await;
    // As a replica writes that does not know the new columns yet.
    let id = subjects::ids::ClinicId::new();
    let insert = format!(
        "insert into clinics (id, vendor_id, name, street, city, country, time_zone, active, created_at, updated_at, \
         version, schedule_updated_at, schedule_version) select '{id}', vendor_id, 'Second', street, city, country, \
         time_zone, active, created_at, updated_at, version, schedule_updated_at, schedule_version from clinics"
    );
    assert_eq!(world.execute(&insert).await, 1);
    let clinic = world.ask("clinic.findOne", json!({ "id": id })).ok().await;
    assert_eq!(clinic["policy"], usual_policy());
    let staff = world.ask("staff.findOne", json!({ "id": business.staff_id })).ok().await;
    assert_eq!(staff["exceptions"], json!([]));
}

#[tokio::test]
async fn everything_that_is_wrong_with_the_rules_is_said_at_once() {
    let world = World::start().await;
    let business = Business::found(&world, "Klinik Sari").await;
    let Business { owner, vendor_id, clinic_id, .. } = &business;
    let check = async |subject: &str, body: Value, expected: &[&str]| {
        let fault = world.ask(subject, body).by(owner).send().await.unwrap_err();
        let mut pointers: Vec<&str> = fault.violations.iter().map(|violation| violation.pointer.as_str()).collect();
        pointers.sort_unstable();
        pointers.dedup();
        assert_eq!((fault.code, pointers.as_slice()), (ErrorCode::BadRequest, expected), "{subject}");
    };
    let too_little_and_too_much = json!({
        "confirmWithinMinutes": 4,
        "cancelNoticeMinutes": 43_201,
        "cancelFeePercent": 101,
        "rescheduleNoticeMinutes": 43_201,
        "rescheduleFeePercent": 101,
    });
    let clinic = merged(new_clinic(vendor_id, " "), json!({ "policy": too_little_and_too_much }));
    let expected = [
        "/name",
        "/policy/cancelFeePercent",
        "/policy/cancelNoticeMinutes",
        "/policy/confirmWithinMinutes",
        "/policy/rescheduleFeePercent",
        "/policy/rescheduleNoticeMinutes",
    ];
    check("clinic.create", clinic, &expected).await;
    let clinic = merged(new_clinic(vendor_id, "A"), json!({ "policy": { "confirmWithinMinutes": 20_161 } }));
    check("clinic.create", clinic, &["/policy/confirmWithinMinutes"]).await;

    let expected = ["/bookingWindowDays", "/minimumNoticeMinutes", "/slotStepMinutes"];
    for (step, notice, window) in [(4, 43_201, 0), (1_441, 50_000, 731)] {
        let rules = json!({ "slotStepMinutes": step, "minimumNoticeMinutes": notice, "bookingWindowDays": window });
        check("service.create", merged(new_service(clinic_id, "B"), rules), &expected).await;
    }

    let interval = |opens: &str, closes: &str| json!({ "opens": opens, "closes": closes });
    let exceptions = json!([
        { "date": "2026-03-09", "intervals": [interval("08:00", "10:00"), interval("09:00", "11:00")] },
        { "date": "1999-12-31" },
    ]);
    // At two clinics at a time.
    let weekly = |clinic_id: &Value, opens: &str| json!({ "day": "monday", "opens": opens, "closes": "12:00", "clinicId": clinic_id });
    let other_clinic = json!(customer().id());
    let hours = json!([weekly(clinic_id, "08:00"), weekly(&other_clinic, "11:00")]);
    let staff = json!({ "clinicId": clinic_id, "displayName": "A", "hours": hours, "exceptions": exceptions });
    check("staff.create", staff, &["/exceptions/0/intervals", "/exceptions/1/date", "/hours"]).await;
    let twice = json!([{ "date": "2026-03-09" }, { "date": "2026-03-09" }]);
    let staff = json!({ "clinicId": clinic_id, "displayName": "A", "exceptions": twice });
    check("staff.create", staff, &["/exceptions"]).await;
}
