//! What other services are told from which they build their read models.

use crate::business::Business;
use crate::world::{Asker, World, platform_admin};
use serde_json::{Value, json};
use subjects::ErrorCode;

const ENTITIES: [&str; 6] = ["vendor", "clinic", "service", "staff", "hours", "membership"];
const BOOKING: Asker = Asker::Service("booking");

/// All that a snapshot tells, asked in pages of so many.
async fn snapshot(world: &World, entity: &str, limit: usize) -> Vec<Value> {
    let mut items = Vec::new();
    let mut after = Value::Null;
    loop {
        let question = json!({ "after": after, "limit": limit });
        let page = world.ask(&format!("{entity}.snapshot"), question).by(&BOOKING).ok().await;
        let part = page["items"].as_array().unwrap();
        assert!(part.len() <= limit);
        items.extend(part.iter().cloned());
        match page.get("next") {
            Some(next) => after = next.clone(),
            None => return items,
        }
    }
}

/// What the last event of each aggregate of an entity has told, by the aggregates' ids, and whether it was of its end.
async fn last_events(world: &World, entity: &str) -> Vec<(Value, bool)> {
    let last = format!(
        "select coalesce(jsonb_agg(jsonb_build_array(body, type) order by aggregate_id), '[]') from (
            select distinct on (aggregate_id) aggregate_id, type, body from outbox
            where split_part(type, '.', 1) = '{entity}' order by aggregate_id, version desc
        ) as last"
    );
    let last: Vec<(Value, String)> = serde_json::from_str(&world.query(&last).await).unwrap();
    let with_its_end = |(body, event_type): (Value, String)| {
        let is_over = body["removed"] == true
            || ["service.removed", "staff.removed", "membership.revoked"].contains(&&*event_type);
        (body, is_over)
    };
    last.into_iter().map(with_its_end).collect()
}

#[tokio::test]
async fn a_snapshot_tells_what_the_last_events_told() {
    let world = World::start().await;
    let mut businesses = Vec::new();
    for place in 0..4 {
        businesses.push(Business::open(&world, &format!("Klinik {place}")).await);
    }
    change(&world, &businesses).await;

    for entity in ENTITIES {
        let told = last_events(&world, entity).await;
        let live: Vec<&Value> = told.iter().filter(|(_, is_over)| !is_over).map(|(state, _)| state).collect();
        assert!(live.len() >= 2, "{entity}");
        for limit in [1, 2, 500] {
            let items = snapshot(&world, entity, limit).await;
            let (ended, items): (Vec<&Value>, Vec<&Value>) = items.iter().partition(|item| item["removed"] == true);
            let states: Vec<&Value> = items.iter().map(|item| &item["state"]).collect();
            assert_eq!(states, live, "{entity} in pages of {limit}");
            // A membership that was revoked is kept, but for those of what is no longer there itself.
            assert_eq!(ended.len(), if entity == "membership" { 1 } else { 0 }, "{entity}");
            let is_told = |item: &&Value| told.iter().any(|(state, is_over)| *is_over && *state == item["state"]);
            assert!(ended.iter().all(is_told), "{ended:?}");
        }
    }
}

/// One of everything is changed or removed.
async fn change(world: &World, businesses: &[Business]) {
    let Business { owner, clinic_id, staff_id, .. } = &businesses[0];
    let hours = json!({
        "clinicId": clinic_id,
        "weekly": [{ "day": "sunday", "opens": "20:00", "closes": "02:00" }],
        "exceptions": [
            { "date": "2026-12-25", "note": "Natal", "intervals": [] },
            { "date": "2026-03-19", "intervals": [{ "opens": "08:00", "closes": "12:00" }] },
        ],
    });
    world.ask("hours.update", hours).by(owner).based_on(2).ok().await;
    let staff = json!({
        "id": staff_id, "displayName": "Anindya", "clinicIds": [clinic_id], "serviceIds": [],
        "hours": [{ "day": "monday", "opens": "09:00", "closes": "11:00" }],
        "exceptions": [{ "date": "2026-03-20", "intervals": [] }], "active": false,
    });
    world.ask("staff.update", staff).by(owner).based_on(1).ok().await;

    let Business { owner, vendor_id, service_id, staff_id, membership_id, .. } = &businesses[1];
    world.ask("service.remove", json!({ "id": service_id })).by(owner).ok().await;
    world.ask("staff.remove", json!({ "id": staff_id })).by(owner).ok().await;
    world.ask("membership.revoke", json!({ "vendorId": vendor_id, "id": membership_id })).by(owner).ok().await;
    world.ask("vendor.suspend", json!({ "id": vendor_id, "reason": "Complaints" })).by(&platform_admin()).ok().await;

    let Business { owner, vendor_id, .. } = &businesses[2];
    world.ask("vendor.remove", json!({ "id": vendor_id })).by(owner).ok().await;
}

#[tokio::test]
async fn only_services_are_told_and_pages_are_bounded() {
    let world = World::start().await;
    for entity in ENTITIES {
        let subject = format!("{entity}.snapshot");
        for limit in [0, 501] {
            let fault = world.ask(&subject, json!({ "limit": limit })).by(&BOOKING).fault().await;
            assert_eq!((fault.code, fault.violations[0].pointer.as_str()), (ErrorCode::BadRequest, "/limit"));
        }
        let fault = world.ask(&subject, json!({ "limit": 1, "after": "first" })).by(&BOOKING).fault().await;
        assert_eq!((fault.code, fault.violations[0].pointer.as_str()), (ErrorCode::BadRequest, "/after"));
        let empty = world.ask(&subject, json!({ "limit": 1 })).by(&BOOKING).ok().await;
        assert_eq!(empty, json!({ "items": [] }));
        // The edge may not even ask.
        for asker in [platform_admin(), Asker::Nobody] {
            let fault = world.ask(&subject, json!({ "limit": 1 })).by(&asker).fault().await;
            assert_eq!(fault.reason, "call_not_permitted");
        }
        // Whoever may ask anything of NATS is no service for that.
        let reply = world.operator().request(subject, json!({ "limit": 1 }).to_string().into()).await.unwrap();
        assert_eq!(reply.headers.unwrap().get("Nats-Service-Error-Code").unwrap().as_str(), "403");
    }
}
