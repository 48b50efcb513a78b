//! The audit log as those who run the platform read it: the entries of all services in one list.

use crate::world::World;
use petpro::demo_users::CAT_OWNER;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The list, a page of so many at a time, the latest first.
async fn read(world: &World, token: &str, filter: &str, limit: usize) -> Vec<Value> {
    let (mut entries, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/audit?limit={limit}{filter}{cursor}");
        let page = world.expect(Method::GET, &path, Some(token), None, StatusCode::OK).await;
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= limit, "{page}");
        entries.extend(items.iter().cloned());
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return entries,
        }
    }
}

fn text<'a>(entry: &'a Value, field: &str) -> &'a str {
    entry[field].as_str().unwrap_or("-")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_administrators_do_and_others_try_is_in_one_list_of_all_services() {
    let world = World::start().await;
    let admin = world.sign_in("admin@petpro.example").await;
    let customer = world.sign_in(CAT_OWNER.email).await;
    let (owner_id, nobody) = (CAT_OWNER.id().to_string(), uuid::Uuid::now_v7());
    let vendors = world.expect(Method::GET, "/vendors?limit=1", None, None, StatusCode::OK).await;
    let vendor = vendors["items"][0]["id"].as_str().unwrap();
    let suspend = async |token: &str| {
        let path = format!("/vendors/{vendor}/suspend");
        let request = world.http.post(world.url(&path)).bearer_auth(token).header("Idempotency-Key", "once");
        request.json(&json!({ "reason": "It was asked for" })).send().await.unwrap().status().as_u16()
    };
    // Whoever has no permission gets as far as to the service, whose log keeps it.
    assert_eq!(suspend(&customer).await, 403);
    assert_eq!((suspend(&admin).await, suspend(&admin).await), (200, 200));
    world.expect(Method::GET, &format!("/users/{owner_id}"), Some(&admin), None, StatusCode::OK).await;
    world.expect(Method::GET, &format!("/users/{nobody}"), Some(&admin), None, StatusCode::NOT_FOUND).await;
    world.expect(Method::GET, "/audit", Some(&customer), None, StatusCode::FORBIDDEN).await;
    world.expect(Method::GET, "/audit", None, None, StatusCode::UNAUTHORIZED).await;
    let export = Some(json!({}));
    world.expect(Method::POST, "/privacy/export", Some(&customer), export, StatusCode::ACCEPTED).await;
    let login = json!({ "email": CAT_OWNER.email, "password": "not this one" });
    world.expect(Method::POST, "/auth/login", None, Some(login), StatusCode::UNAUTHORIZED).await;
    // What was refused or only read is written down a moment later.
    let kept = "select (select count(*) from vendor.audit_entries) + (select count(*) from profile.audit_entries) \
        + (select count(*) from auth.audit_entries)";
    world.until("all of it is written down", async || world.count(kept).await == 9).await;

    let all = read(&world, &admin, "", 100).await;
    let told = |entry: &Value| {
        let fields = ["service", "operation", "outcome", "reason", "subjectId"];
        let [service, operation, outcome, reason, subject] = fields.map(|field| text(entry, field).to_owned());
        (service, operation, outcome, reason, subject)
    };
    let mut in_order: Vec<_> = all.iter().map(told).collect();
    in_order.reverse();
    let entry = |service: &str, operation: &str, outcome: &str, reason: &str, subject: &str| {
        (service.to_owned(), operation.to_owned(), outcome.to_owned(), reason.to_owned(), subject.to_owned())
    };
    let admin_id = text(&all[8], "subjectId");
    assert_eq!(
        in_order,
        [
            entry("auth", "auth.login", "done", "-", admin_id),
            entry("auth", "auth.login", "done", "-", &owner_id),
            entry("vendor", "vendor.suspend", "refused", "forbidden", vendor),
            entry("vendor", "vendor.suspend", "done", "-", vendor),
            entry("auth", "user.findOne", "done", "-", &owner_id),
            entry("auth", "user.findOne", "refused", "user_not_found", &nobody.to_string()),
            entry("auth", "audit.findAll", "refused", "forbidden", "-"),
            entry("profile", "privacy.export", "done", "-", "-"),
            entry("auth", "auth.login", "refused", "invalid_credentials", &owner_id),
        ]
    );
    for entry in &all {
        assert_eq!((text(entry, "via"), text(entry, "network")), ("edge", "127.0.0.0/24"), "{entry}");
        let signed_by = if entry["actorId"].is_string() { "edge" } else { "-" };
        assert_eq!(text(entry, "signedBy"), signed_by, "{entry}");
    }
    assert_eq!(text(&all[5], "actorId"), admin_id);
    assert_eq!(text(&all[6], "actorId"), owner_id);

    // Reading it is kept as well: what was there before is asked for.
    let until = format!("&until={}", text(&all[0], "at"));
    let before: Vec<Value> = all.iter().filter(|entry| entry["at"] != all[0]["at"]).cloned().collect();
    assert_eq!(read(&world, &admin, &until, 2).await, before);
    let of_vendor = read(&world, &admin, "&service=vendor", 1).await;
    assert_eq!(of_vendor, [all[5].clone(), all[6].clone()]);
    let of_customer = read(&world, &admin, &format!("&actorId={owner_id}"), 100).await;
    let operations: BTreeSet<&str> = of_customer.iter().map(|entry| text(entry, "operation")).collect();
    assert_eq!(operations, BTreeSet::from(["vendor.suspend", "audit.findAll", "privacy.export"]));
    let about_customer = read(&world, &admin, &format!("&subjectId={owner_id}&outcome=done"), 100).await;
    assert_eq!(about_customer, [all[4].clone(), all[7].clone()]);
    world.stop().await;
}
