//! What other services are told from which they build their read models of bookings.

use crate::asking::Person;
use crate::clinic::{Clinic, local};
use crate::vendor_seat;
use crate::world::World;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use subjects::ErrorCode;
use subjects::booking::{CancelBooking, ConfirmBooking};
use testmesh::{Asker, platform_admin};

const PROFILE: Asker = Asker::Service("profile");

#[tokio::test]
async fn the_snapshot_tells_what_the_last_events_of_bookings_told() {
    let world = World::start().await;
    let _booking = world.run_booking().await;
    let clinic = Clinic::new(&[30], 2);
    clinic.tell(&world).await;
    let _vendor = vendor_seat::sit_down(&world, Arc::new(Mutex::new(clinic.clone()))).await;
    let customer = Person::customer(&world);
    let clerk = Person::customer(&world);
    clinic.employ(&world, clerk.id).await;
    let mut made = Vec::new();
    for hour in 9..14 {
        made.push(customer.book(clinic.service(0), None, local(3, hour, 0)).await.unwrap());
    }
    customer.ask(&CancelBooking { id: made[1].id, reason: Some("Moved away".into()) }).await.unwrap();
    clerk.ask(&ConfirmBooking { id: made[2].id }).await.unwrap();

    let last = "select jsonb_agg(body order by aggregate_id) from (
            select distinct on (aggregate_id) aggregate_id, body from booking.outbox
            where type like 'booking.%' order by aggregate_id, version desc
        ) as last";
    let last: Vec<Value> = serde_json::from_str(&world.query(last).await).unwrap();
    assert_eq!(last.len(), 5);
    for limit in [2, 500] {
        let mut items: Vec<Value> = Vec::new();
        let mut after = Value::Null;
        while after != json!("end") {
            let question = json!({ "after": after, "limit": limit });
            let page = world.ask("booking.snapshot", question).by(&PROFILE).ok().await;
            items.extend(page["items"].as_array().unwrap().iter().cloned());
            after = page.get("next").cloned().unwrap_or(json!("end"));
        }
        assert!(items.iter().all(|item| item["removed"] == false));
        let states: Vec<&Value> = items.iter().map(|item| &item["state"]).collect();
        assert_eq!(states, last.iter().collect::<Vec<_>>(), "in pages of {limit}");
        assert!(!serde_json::to_string(&states).unwrap().contains("Moved away"));
    }

    let fault = world.ask("booking.snapshot", json!({ "limit": 501 })).by(&PROFILE).fault().await;
    assert_eq!((fault.code, fault.violations[0].pointer.as_str()), (ErrorCode::BadRequest, "/limit"));
    let by_admin = world.ask("booking.snapshot", json!({ "limit": 1 })).by(&platform_admin());
    assert_eq!(by_admin.refusal().await, "call_not_permitted");
}
