//! What the audit log keeps of it: a change and its entry together, with who has signed for whoever asked.

use super::dead_letters::{REFUSE_HOURS, TAKE_HOURS, publish_hours};
use super::*;

const KEEP_NOTHING: &str = "alter table booking.audit_entries
    add constraint nothing_for_a_test check (operation not like 'ops.%') not valid";
const KEEP_ALL: &str = "alter table booking.audit_entries drop constraint nothing_for_a_test";
/// Of nothing but its entries: how many handlers are paused, dead letters, read models that were built since, and staff.
const STATE: &str = "select concat_ws(' ', (select count(*) from booking.paused_handlers),
    (select count(*) from booking.dead_letters), (select max(built_at) from booking.built_read_models),
    (select count(*) from booking.staff))";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_operators_change_is_kept_with_the_change() {
    let world = World::start().await;
    let unreadable = publish_hours(&world, "not json").await.to_string();
    execute(&world, REFUSE_HOURS).await;
    change_hours(&world).await;
    let letters = "select count(*) from booking.dead_letters";
    world.until("both are dead letters", async || world.count(letters).await == 2).await;
    execute(&world, TAKE_HOURS).await;
    let refused_id = text(&world, "select event_id::text from booking.dead_letters where reason = 'refused'").await;
    execute(&world, "delete from booking.staff where id = (select min(id::text)::uuid from booking.staff)").await;

    let pause = ["consumers", "pause", "booking", "hours_updated", "--reason", "to see it kept"];
    let resume = ["consumers", "resume", "booking", "hours_updated"];
    let replay = ["dlq", "replay", "--service", "booking", &refused_id];
    let give_up = ["dlq", "drop", "--service", "booking", &unreadable, "--why", "published by a test"];
    let refill = ["outbox", "refill", "booking", "--mode", "all"];
    let rebuild = ["projection", "rebuild", "booking", "staff"];
    execute(&world, KEEP_NOTHING).await;
    let before = text(&world, STATE).await;
    for arguments in [&pause[..], &replay, &give_up, &refill, &rebuild] {
        refused(&world, arguments).await;
    }
    assert_eq!(text(&world, STATE).await, before);
    execute(&world, KEEP_ALL).await;
    let mut outcomes = Vec::new();
    for arguments in [&pause[..], &resume, &replay, &give_up, &refill, &rebuild] {
        outcomes.push(asked(&world, arguments).await);
    }
    let put_back = &outcomes[4]["booking"]["putBack"];

    let admin = world.sign_in("admin@petpro.example").await;
    let path = "/audit?service=booking&outcome=done&limit=100";
    let page = world.expect(Method::GET, path, Some(&admin), None, StatusCode::OK).await;
    let mut kept = page["items"].as_array().unwrap().clone();
    kept.retain(|entry| entry["operation"].as_str().unwrap().starts_with("ops.booking."));
    kept.reverse();
    for entry in &kept {
        assert_eq!((&entry["signedBy"], entry.get("via")), (&json!("operator"), None), "{entry}");
        assert!(entry["actorId"].is_string(), "{entry}");
    }
    let told = kept.iter().map(|entry| {
        let operation = entry["operation"].as_str().unwrap().trim_start_matches("ops.booking.");
        (operation, entry["subjectId"].as_str().unwrap_or("-"), &entry["details"])
    });
    let handler = json!({ "handler": "hours_updated" });
    assert_eq!(
        told.collect::<Vec<_>>(),
        [
            ("consumerPause", "-", &handler),
            ("consumerResume", "-", &handler),
            (
                "deadLetterReplay",
                refused_id.as_str(),
                &json!({ "handler": null, "eventType": null, "dryRun": false, "letters": 1 })
            ),
            ("deadLetterDrop", unreadable.as_str(), &json!({ "handlers": ["hours_updated"], "dropped": 1 })),
            ("outboxRefill", "-", &json!({ "mode": "all", "since": null, "lost": put_back, "putBack": put_back })),
            ("readModelRebuild", "-", &json!({ "model": "staff" })),
        ]
    );
    world.stop().await;
}

async fn text(world: &World, query: &'static str) -> String {
    sqlx::query_scalar(query).fetch_one(&mut world.database().await).await.unwrap()
}
