//! Requests that were right at another time: on an older version, under a key that is taken, out of order.

use super::scene::{Answer, Person, Scene, all};
use super::storage::Storage;
use crate::samples::{Sample, routes};
use crate::world::World;
use platform::validate::{RequestSchema, UnknownFields};
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use subjects::{Effect, Method};

/// Every change of a row says which version it is based on.
pub async fn check_versions(scene: &Scene, world: &World) {
    let changes = routes().into_iter().filter(|sample| matches!(sample.rest.method, Method::Put | Method::Patch));
    let tasks = changes.map(|sample| async move {
        let (real, version) = scene.real(world, sample).await;
        let version = version.unwrap();
        let name = real.name();
        let answer = scene.send(&real, None).await;
        assert_eq!((answer.status, answer.reason()), (428, "precondition_required"), "{name}: {answer:?}");
        for stale in [version - 1, version + 1, 0, i64::MAX] {
            let answer = scene.send(&real, Some(stale)).await;
            assert_eq!((answer.status, answer.reason()), (412, "version_mismatch"), "{name} at {stale}: {answer:?}");
        }
        for malformed in ["*", "1", "\"one\"", "W/\"1\"", "\"1\", \"2\"", "\"99999999999999999999\""] {
            let request = scene.request(&real, scene.rightful_token(&real).as_deref(), None);
            let answer = Answer::to(request.header("If-Match", malformed)).await;
            assert_eq!((answer.status, answer.reason()), (400, "malformed_if_match"), "{name} at {malformed}");
        }
        // It was refused for its version alone.
        (real, version)
    });
    let before = Storage::look(world).await;
    let refused = all(tasks.collect()).await;
    before.check_unchanged(world, "a change on another version").await;
    assert!(refused.len() >= 9, "only {} routes change rows", refused.len());
    println!("{} routes refused changes on other versions", refused.len());
}

/// Under a key that was used no other request is done.
pub async fn check_keys(scene: &Scene, world: &World) {
    let mut pairs = vec![];
    for sample in routes().into_iter().filter(|sample| sample.operation.effect == Effect::Keyed) {
        let (mut real, version) = scene.real(world, sample).await;
        if ["vendor.reject", "vendor.suspend"].contains(&real.operation.subject) {
            // A refusal is kept under its key, too, and the clinic stays open for what follows.
            real = real.with_path("id", &scene.rivals["vendor"]);
        }
        // Its only field is who asks, and nobody else may.
        if real.operation.subject == "privacy.erase" {
            continue;
        }
        let Some(other) = another(&real) else {
            assert!(real.fields().is_empty(), "{} has no other body than {}", real.name(), real.message());
            continue;
        };
        pairs.push((real, other, version));
    }
    assert!(pairs.len() > 10, "only {} routes take keys", pairs.len());
    let keyed = async |sample: &Sample, version: Option<i64>| {
        let token = scene.rightful_token(sample);
        let key = sample.name().replace(' ', ":");
        Answer::to(scene.request(sample, token.as_deref(), version).header("Idempotency-Key", key)).await
    };
    let first = pairs.iter().map(|(real, _, version)| async {
        let answer = keyed(real, *version).await;
        assert_ne!(answer.status, 422, "{}: {answer:?}", real.name());
        (real.name(), answer.status)
    });
    let first = all(first.collect()).await;
    assert!(first.iter().filter(|(_, status)| *status < 300).count() >= 10, "{first:?}");
    let before = Storage::look(world).await;
    let tasks = pairs.iter().zip(&first).map(|((_, other, version), (name, status))| async move {
        let answer = keyed(other, *version).await;
        // What was refused before anything was done has left the key free.
        assert!(answer.status == 422 || (*status >= 400 && answer.status == *status), "{name}: {answer:?}");
    });
    let refused = all(tasks.collect()).await.len();
    before.check_unchanged(world, "another body under the same key").await;
    println!("{refused} routes refused another body under the same key");
    for malformed in ["", "a".repeat(300).as_str(), "é"] {
        let mut headers = HeaderMap::new();
        headers.insert("idempotency-key", reqwest::header::HeaderValue::from_bytes(malformed.as_bytes()).unwrap());
        let request = scene.request(&pairs[0].0, scene.rightful_token(&pairs[0].0).as_deref(), pairs[0].2);
        assert_eq!(Answer::to(request.headers(headers)).await.reason(), "malformed_idempotency_key");
    }
}

/// The same request with something else in it that the schema takes.
fn another(sample: &Sample) -> Option<Sample> {
    let schema = RequestSchema::of(&sample.operation).unwrap();
    let values = [
        json!("Something else"),
        json!("2031-01-07T09:00:00Z"),
        json!(["customer", "platform_admin"]),
        json!("clinic_admin"),
        json!("clinic_staff"),
        json!("en"),
        json!([]),
        json!({}),
        json!("0190a000-0000-7000-8000-000000000009"),
        json!(7),
    ];
    let inner = sample
        .inner_fields()
        .into_iter()
        .flat_map(|field| values.clone().map(move |value| sample.with_inner(&field, value)));
    // A field that is left out may mean the same as an empty one; of e-mail addresses and time zones the schema knows
    // less than the service.
    let message = sample.message();
    let is_said = |field: &String| !["email", "timeZone"].contains(&field.as_str()) && message.get(field).is_some();
    let outer = sample
        .fields()
        .into_iter()
        .filter(is_said)
        .flat_map(|field| values.clone().map(|value| sample.with(&field, value)));
    outer.flatten().chain(inner).find(|other| {
        let is_taken = schema.violations(&other.message(), UnknownFields::Refuse).is_empty();
        is_taken && other.message() != message
    })
}

/// Steps out of their order.
pub async fn check_order(scene: &Scene, world: &World) {
    let slot = world.free_slot().await;
    let (customer, staff) = (scene.token(Person::Customer), scene.token(Person::Staff));
    let request = world.http.post(world.url("/bookings")).bearer_auth(&customer).json(&slot.wish());
    let booking = Answer::to(request).await;
    assert_eq!(booking.status, 201, "{booking:?}");
    let place = format!("/bookings/{}", booking.body["id"].as_str().unwrap());
    let act = async |action: &str| {
        Answer::to(world.http.post(world.url(&format!("{place}/{action}"))).bearer_auth(&staff)).await
    };
    let cancel = async || Answer::to(world.http.delete(world.url(&place)).bearer_auth(&customer)).await;
    let refused = async |action: &str, reason: &str| {
        let before = Storage::look(world).await;
        let answer = act(action).await;
        assert_eq!((answer.status, answer.reason()), (409, reason), "{action}: {answer:?}");
        before.check_unchanged(world, action).await;
    };
    refused("complete", "wrong_status").await;
    refused("no-show", "wrong_status").await;
    let confirmed = act("confirm").await;
    assert_eq!((confirmed.status, &confirmed.body["status"]), (200, &json!("confirmed")));
    refused("complete", "not_begun").await;
    refused("no-show", "not_begun").await;

    let cancelled = cancel().await;
    assert_eq!((cancelled.status, &cancelled.body["status"]), (200, &json!("cancelled")));
    // Whoever does not know whether it was done may ask again: it stays as it is.
    let before = Storage::look(world).await;
    for answer in [cancel().await, cancel().await] {
        assert_eq!((answer.status, &answer.body), (200, &cancelled.body));
    }
    before.check_unchanged(world, "a second cancellation").await;
    for action in ["confirm", "complete", "no-show"] {
        refused(action, "wrong_status").await;
    }
    let before = Storage::look(world).await;
    let version = format!("\"{}\"", cancelled.body["version"]);
    let body: Value = json!({ "startsAt": slot.starts_at });
    let request = world.http.put(world.url(&place)).bearer_auth(&customer).header("If-Match", version).json(&body);
    let answer = Answer::to(request).await;
    assert_eq!((answer.status, answer.reason()), (409, "wrong_status"), "{answer:?}");
    check_vendor_order(scene, world).await;
    before.check_unchanged(world, "a change after the end").await;
}

/// A draft is neither approved, rejected nor suspended, and what is approved is not submitted.
async fn check_vendor_order(scene: &Scene, world: &World) {
    let reason = json!({ "reason": "for nothing" });
    let approved = scene.row(&routes()[0], "vendor").unwrap();
    let draft = &scene.rivals["vendor"];
    for (vendor, step, person, body) in [
        (draft, "approve", Person::Admin, json!({})),
        (draft, "reject", Person::Admin, reason.clone()),
        (draft, "suspend", Person::Admin, reason.clone()),
        (approved, "submit", Person::Owner, json!({})),
        (approved, "reject", Person::Admin, reason),
    ] {
        let url = world.url(&format!("/vendors/{vendor}/{step}"));
        let answer = Answer::to(world.http.post(url).bearer_auth(scene.token(person)).json(&body)).await;
        assert_eq!(answer.status, 409, "{step}: {answer:?}");
    }
}
