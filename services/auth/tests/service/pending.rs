use crate::world::{PASSWORD, VENDOR, World};
use serde_json::{Value, json};
use subjects::ids::UserId;
use testmesh::personal;

fn new_user(id: UserId, email: &str) -> Value {
    json!({ "id": id, "email": email, "password": PASSWORD, "firstName": personal::text("Sari") })
}

#[tokio::test]
async fn a_pending_account_is_none_until_it_is_activated() {
    let world = World::start("").await;
    let mut events = world.listen().await;
    let id = UserId::new();
    let create = |id, email| world.ask("auth.createUser", new_user(id, email)).by(&VENDOR);
    let pending = create(id, "sari@example.com").ok().await;
    assert_eq!((&pending["id"], &pending["status"]), (&json!(id), &json!("pending")));
    assert_eq!(create(id, "Sari@example.com").ok().await, pending);
    assert_eq!(create(id, "dewi@example.com").refusal().await, "email_taken");
    assert_eq!(create(UserId::new(), "sari@example.com").refusal().await, "email_taken");

    let sign_in = || world.ask("auth.login", json!({ "email": "sari@example.com", "password": PASSWORD }));
    assert_eq!(sign_in().refusal().await, "invalid_credentials");
    assert_eq!(world.query("select count(*)::text from outbox").await, "0");

    let activate = |id| world.ask("auth.activateUser", json!({ "id": id })).by(&VENDOR);
    let active = activate(id).ok().await;
    assert_eq!((&active["status"], &active["version"]), (&json!("active"), &json!(2)));
    assert_eq!(activate(id).ok().await, active);
    assert_eq!(events.next("user.registered").await["userId"], json!(id));
    assert_eq!(world.query("select count(*)::text from outbox").await, "1");
    sign_in().ok().await;
    assert_eq!(activate(UserId::new()).refusal().await, "user_not_found");
}

#[tokio::test]
async fn a_pending_account_that_nobody_activates_goes_away() {
    let world = World::start("sweep_seconds = 3600").await;
    let id = UserId::new();
    world.ask("auth.createUser", new_user(id, "sari@example.com")).by(&VENDOR).ok().await;
    world.execute("update users set expires_at = now()").await;
    assert_eq!(world.ask("auth.activateUser", json!({ "id": id })).by(&VENDOR).refusal().await, "user_not_found");
    // Its address is free at once.
    let registered = world.register("sari@example.com").await;
    assert_ne!(registered["id"], json!(id));

    let world = World::start("sweep_seconds = 1").await;
    world.ask("auth.createUser", new_user(id, "sari@example.com")).by(&VENDOR).ok().await;
    world.register("dewi@example.com").await;
    world.execute("update users set expires_at = now() where status = 'pending'").await;
    world.until_query("select string_agg(email, ' ') from users", "dewi@example.com").await;
}

#[tokio::test]
async fn one_sweep_that_fails_keeps_no_other_from_working() {
    let world = World::start("sweep_seconds = 1").await;
    world.newcomer("sari@example.com").await;
    world
        .execute(
            "create function auth.refuse() returns trigger language plpgsql as \
             $$ begin raise 'on purpose'; end $$",
        )
        .await;
    world
        .execute("create trigger refuse before delete on auth.users for each row execute function auth.refuse()")
        .await;
    let id = UserId::new();
    world.ask("auth.createUser", new_user(id, "dewi@example.com")).by(&VENDOR).ok().await;
    world.execute("update users set expires_at = now() where status = 'pending'").await;
    world
        .execute("update sessions set created_at = now() - interval '9 days', expires_at = now() - interval '8 days'")
        .await;
    world.execute("update login_attempts set attempted_at = now() - interval '31 days'").await;
    world.until_query("select count(*)::text from sessions", "0").await;
    world.until_query("select count(*)::text from login_attempts", "0").await;
    assert_eq!(world.query("select count(*)::text from users").await, "2");
}

#[tokio::test]
async fn only_services_make_pending_accounts() {
    let world = World::start("").await;
    let admin = world.admin().await;
    let edge = world.ask("auth.createUser", new_user(UserId::new(), "sari@example.com")).by(&admin.asker());
    // The edge has not even the right to publish there.
    assert_eq!(edge.refusal().await, "call_not_permitted");
}
