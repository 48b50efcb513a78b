use super::*;
use serde_json::{Value, json};

const ID: &str = "01990000-0000-7000-8000-000000000001";

/// The dotted paths of the fields that break a rule; empty when the message is good.
fn violations<R: crate::Request>(message: Value) -> Vec<String> {
    let request: R = serde_json::from_value(message).unwrap();
    match request.validate() {
        Ok(()) => Vec::new(),
        Err(report) => report.iter().map(|(path, _)| path.to_string()).collect(),
    }
}

fn creating(pet: Value) -> Value {
    let mut message = json!({"serviceId": ID, "startsAt": "2027-03-01T02:00:00Z"});
    message.as_object_mut().unwrap().extend(pet.as_object().unwrap().clone());
    message
}

#[test]
fn a_booking_names_exactly_one_pet_and_that_of_a_walk_in_not_by_its_id() {
    let milo = json!({"name": "Milo", "species": "cat"});
    assert!(violations::<CreateBooking>(creating(json!({"pet": milo}))).is_empty());
    assert!(violations::<CreateBooking>(creating(json!({"petId": ID}))).is_empty());
    assert_eq!(violations::<CreateBooking>(creating(json!({"pet": milo, "petId": ID}))), ["pet"]);
    let of_a_walk_in = json!({"petId": ID, "walkIn": {"name": "Tono"}});
    assert_eq!(violations::<CreateBooking>(creating(of_a_walk_in)), ["pet_id"]);
    assert_eq!(violations::<CreateBooking>(creating(json!({}))), ["pet"]);
}

#[test]
fn a_pet_has_a_name_that_can_be_read_and_stored() {
    for name in ["", "   ", "a\u{0}b", &"x".repeat(81)] {
        let pet = json!({"pet": {"name": name, "species": "dog"}});
        assert!(!violations::<CreateBooking>(creating(pet)).is_empty(), "{name:?}");
    }
    for name in ["Milo", "Ω", "Si Manis", &"é".repeat(80)] {
        let pet = json!({"pet": {"name": name, "species": "dog"}});
        assert!(violations::<CreateBooking>(creating(pet)).is_empty(), "{name:?}");
    }
}

#[test]
fn older_field_names_are_understood() {
    let create: CreateBooking =
        serde_json::from_value(json!({"serviceId": ID, "vendorId": ID, "date": "2027-03-01T02:00:00Z", "petId": ID}))
            .unwrap();
    assert_eq!(create.starts_at.to_rfc3339(), "2027-03-01T02:00:00+00:00");
    let check: FindAvailability =
        serde_json::from_value(json!({"serviceId": ID, "vendorId": ID, "date": "2027-03-01"})).unwrap();
    assert_eq!(check.from.to_string(), "2027-03-01");
}

#[test]
fn availability_spans_one_to_thirty_one_days() {
    let asking = |to: &str| json!({"serviceId": ID, "from": "2027-03-01", "to": to});
    assert!(violations::<FindAvailability>(asking("2027-03-01")).is_empty());
    assert!(violations::<FindAvailability>(asking("2027-03-31")).is_empty());
    assert_eq!(violations::<FindAvailability>(asking("2027-04-01")), ["to"]);
    assert_eq!(violations::<FindAvailability>(asking("2027-02-28")), ["to"]);
    assert!(violations::<FindAvailability>(json!({"serviceId": ID, "from": "2027-03-01"})).is_empty());
}

#[test]
fn every_event_belongs_to_an_entity_of_this_service() {
    assert!(EVENTS.iter().all(|event| event.service == SERVICE && event.entity() == "booking"));
    assert!(OPERATIONS.iter().all(|operation| operation.service == SERVICE));
}

#[test]
fn names_are_read_back() {
    for status in BookingStatus::ALL {
        assert_eq!(BookingStatus::parse(status.as_str()), Some(*status));
        assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
    }
    assert_eq!(Species::parse("unicorn"), None);
}

#[test]
fn a_visit_begins_on_a_whole_minute_that_a_calendar_can_mean() {
    let milo = json!({"name": "Milo", "species": "cat"});
    let at = |starts_at: &str| json!({"serviceId": ID, "startsAt": starts_at, "pet": milo});
    assert!(violations::<CreateBooking>(at("2027-03-01T09:05:00+07:00")).is_empty());
    for starts_at in ["2027-03-01T09:05:01Z", "2027-03-01T09:05:00.5Z", "9999-03-01T09:05:00Z"] {
        assert_eq!(violations::<CreateBooking>(at(starts_at)), ["starts_at"], "{starts_at}");
    }
}
