//! What the audit log keeps: who asked for what that is sensitive, and how it ended. Each once, also what was refused.

use crate::world::{PASSWORD, SignedIn, World};
use sea_orm::{ConnectionTrait as _, TransactionTrait as _};
use serde_json::{Value, json};
use subjects::time::Instant;
use testmesh::Asker;

const HERE: &str = "203.0.113.77";
const NOTIFIER: Asker = Asker::Service("notification");

/// What there is to know of an entry: outcome, reason, actor, subject, network.
fn told(entry: &Value) -> [&str; 5] {
    ["outcome", "reason", "actorId", "subjectId", "network"].map(|field| entry[field].as_str().unwrap_or("-"))
}

fn id(user: &Value) -> &str {
    user["id"].as_str().unwrap()
}

fn time(told: &Value) -> Instant {
    told.as_str().unwrap().parse().unwrap()
}

/// The entries of an operation, once there are so many, the first first.
async fn entries(world: &World, admin: &SignedIn, operation: &str, count: usize) -> Vec<Value> {
    world.until_query(&format!("select count(*) from audit_entries where operation = '{operation}'"), count).await;
    let question = json!({ "service": "auth", "operation": operation, "limit": 100 });
    let page = world.ask("audit.findAll", question).by(&admin.asker()).ok().await;
    let mut items = page["items"].as_array().unwrap().clone();
    items.reverse();
    assert!(items.iter().all(|entry| entry["operation"] == operation && entry["service"] == "auth"), "{items:?}");
    items
}

async fn sign_in(world: &World, email: &str, password: &str) -> String {
    let ask = world.ask("auth.login", json!({ "email": email, "password": password })).from_address(HERE);
    ask.send().await.map_or_else(|fault| fault.reason.into_owned(), |tokens| tokens["sessionId"].to_string())
}

#[tokio::test]
async fn every_attempt_to_sign_in_is_kept_and_nothing_personal_with_it() {
    let world = World::start("account_attempts = 2").await;
    let user = world.register("sari@example.com").await;
    let user_id = id(&user);
    let session = sign_in(&world, "sari@example.com", PASSWORD).await;
    assert_eq!(sign_in(&world, "sari@example.com", "not this one").await, "invalid_credentials");
    assert_eq!(sign_in(&world, "nobody@example.com", "not this one").await, "invalid_credentials");
    assert_eq!(sign_in(&world, "sari@example.com", "not this one").await, "invalid_credentials");
    assert_eq!(sign_in(&world, "sari@example.com", PASSWORD).await, "too_many_attempts");
    world.until_query("select count(*) from audit_entries", 5).await;

    let admin = world.admin().await;
    let kept = entries(&world, &admin, "auth.login", 6).await;
    let network = "203.0.113.0/24";
    assert_eq!(told(&kept[0]), ["done", "-", "-", user_id, network]);
    assert_eq!((&kept[0]["via"], kept[0]["details"]["sessionId"].to_string()), (&json!("edge"), session));
    assert_eq!(told(&kept[1]), ["refused", "invalid_credentials", "-", user_id, network]);
    assert_eq!(told(&kept[2]), ["refused", "invalid_credentials", "-", "-", network]);
    assert_eq!(told(&kept[3]), ["refused", "invalid_credentials", "-", user_id, network]);
    // While there is a wait nothing is looked up, not even whose account it is.
    assert_eq!(told(&kept[4]), ["refused", "too_many_attempts", "-", "-", network]);
    let about = json!({ "service": "auth", "subjectId": user_id, "outcome": "refused" });
    let page = world.ask("audit.findAll", about).by(&admin.asker()).ok().await;
    assert_eq!(page["items"].as_array().unwrap().len(), 2);

    let rows = world.all_rows().await;
    let rows: Vec<&str> = rows.lines().filter(|row| row.starts_with("audit_entries")).collect();
    assert!(rows.len() >= 6);
    for personal in ["example.com", "Sari", "Dewi", HERE, "not this one", PASSWORD] {
        assert!(!rows.iter().any(|row| row.contains(personal)), "{personal} in {rows:?}");
    }
}

#[tokio::test]
async fn passwords_codes_and_ends_of_sessions_are_kept() {
    let world = World::start("refresh_grace_seconds = 0").await;
    let admin = world.admin().await;
    let sari = world.newcomer("sari@example.com").await;
    let user_id = id(sari.user());
    let change = |current: &str, key: &str| {
        let body = json!({ "currentPassword": current, "newPassword": "anjing lari di pantai" });
        world.ask("auth.changePassword", body).by(&sari.asker()).under_key(key)
    };
    assert_eq!(change("not this one", "key-1").refusal().await, "wrong_password");
    change(PASSWORD, "key-2").ok().await;
    change(PASSWORD, "key-2").ok().await;
    let kept = entries(&world, &admin, "auth.changePassword", 2).await;
    assert_eq!(told(&kept[0]), ["refused", "wrong_password", user_id, "-", "-"]);
    assert_eq!(told(&kept[1]), ["done", "-", user_id, "-", "-"]);
    assert_eq!((&kept[1]["sessionId"], &kept[1]["signedBy"]), (&sari.0["sessionId"], &json!("edge")));

    let wish = json!({ "email": "sari@example.com", "purpose": "password_reset" });
    let code_id = world.ask("auth.requestCode", wish).ok().await["codeId"].clone();
    let to_send = world.ask("auth.codeToSend", json!({ "codeId": code_id })).by(&NOTIFIER).ok().await;
    let shown = json!({ "codeId": code_id, "code": to_send["code"] });
    let token = world.ask("auth.verifyCode", shown).ok().await["resetToken"].clone();
    let reset = json!({ "resetToken": token, "newPassword": PASSWORD });
    world.ask("auth.resetPassword", reset.clone()).ok().await;
    assert_eq!(world.ask("auth.resetPassword", reset).refusal().await, "invalid_reset_token");
    for (operation, count) in [("auth.requestCode", 1), ("auth.verifyCode", 1), ("auth.resetPassword", 2)] {
        let kept = entries(&world, &admin, operation, count).await;
        assert_eq!(told(&kept[0]), ["done", "-", "-", user_id, "-"], "{operation}");
    }
    let rows = world.all_rows().await;
    let mut rows = rows.lines().filter(|row| row.starts_with("audit_entries"));
    assert!(!rows.any(|row| row.contains(token.as_str().unwrap()) || row.contains(to_send["code"].as_str().unwrap())));

    let [first, second, third] = [
        world.sign_in("sari@example.com").await,
        world.sign_in("sari@example.com").await,
        world.sign_in("sari@example.com").await,
    ];
    world.ask("auth.revokeSession", json!({ "id": second.0["sessionId"] })).by(&first.asker()).ok().await;
    world.ask("auth.logout", json!({})).by(&first.asker()).ok().await;
    let refresh = || world.ask("auth.refresh", json!({ "refreshToken": third.refresh_token() }));
    refresh().ok().await;
    assert_eq!(refresh().refusal().await, "refresh_token_reused");
    let ended = second.0["sessionId"].as_str().unwrap();
    let kept = entries(&world, &admin, "auth.revokeSession", 1).await;
    assert_eq!(told(&kept[0]), ["done", "-", user_id, ended, "-"]);
    let kept = entries(&world, &admin, "auth.logout", 1).await;
    assert_eq!(told(&kept[0]), ["done", "-", user_id, "-", "-"]);
    // Renewing tokens is nothing out of the ordinary; being refused is.
    let kept = entries(&world, &admin, "auth.refresh", 1).await;
    assert_eq!(told(&kept[0]), ["refused", "refresh_token_reused", "-", user_id, "-"]);
}

#[tokio::test]
async fn who_gives_and_takes_roles_is_kept_once_with_what_was_before_and_after() {
    let world = World::start("").await;
    let admin = world.admin().await;
    let admin_id = id(admin.user());
    let sari = world.newcomer("sari@example.com").await;
    let user_id = id(sari.user());
    let create = || {
        let role = json!({ "name": "support", "description": "Helps", "permissions": ["user.findAll"] });
        world.ask("role.create", role).by(&admin.asker()).under_key("key-1")
    };
    let role = create().ok().await;
    assert_eq!(create().ok().await, role);
    let kept = entries(&world, &admin, "role.create", 1).await;
    assert_eq!(told(&kept[0]), ["done", "-", admin_id, id(&role), "-"]);
    assert_eq!(kept[0]["details"], json!({ "role": "support", "given": ["user.findAll"], "taken": [] }));

    let assign = |by: &SignedIn, to: &str, roles: Value, version, key: &str| {
        let ask = world.ask("role.assign", json!({ "id": to, "roles": roles })).by(&by.asker());
        ask.based_on(version).under_key(key)
    };
    for _ in 0..2 {
        assign(&admin, user_id, json!(["customer", "support"]), 1, "key-2").ok().await;
    }
    // A refusal that is answered again is not another one either.
    for _ in 0..2 {
        assert_eq!(assign(&admin, admin_id, json!([]), 1, "key-3").refusal().await, "last_platform_admin");
    }
    assert_eq!(assign(&sari, user_id, json!(["platform_admin"]), 2, "key-4").refusal().await, "forbidden");
    let kept = entries(&world, &admin, "role.assign", 3).await;
    assert_eq!(told(&kept[0]), ["done", "-", admin_id, user_id, "-"]);
    assert_eq!(kept[0]["details"], json!({ "before": ["customer"], "after": ["customer", "support"] }));
    assert_eq!(told(&kept[1]), ["refused", "last_platform_admin", admin_id, admin_id, "-"]);
    assert_eq!(told(&kept[2]), ["refused", "forbidden", user_id, user_id, "-"]);
    // The entry stands with the change, under the same id in the logs.
    let told_with = world.query("select headers ->> 'x-correlation-id' from outbox where type = 'role.updated'").await;
    let kept = entries(&world, &admin, "role.create", 1).await;
    assert_eq!(kept[0]["correlationId"], told_with);
}

#[tokio::test]
async fn a_change_that_cannot_be_kept_is_not_made() {
    let world = World::start("").await;
    let admin = world.admin().await;
    world.execute("alter table audit_entries add constraint never check (operation <> 'role.create') not valid").await;
    let role = || {
        let role = json!({ "name": "support", "description": "Helps", "permissions": [] });
        world.ask("role.create", role).by(&admin.asker())
    };
    assert_eq!(role().refusal().await, "internal");
    let left = "select (select count(*) from roles where name = 'support') \
        + (select count(*) from outbox where type = 'role.updated')";
    assert_eq!(world.number(left).await, 0);
    world.execute("alter table audit_entries drop constraint never").await;
    role().ok().await;
    assert_eq!(world.number(left).await, 2);
}

#[tokio::test]
async fn a_code_that_cannot_be_kept_is_not_made() {
    let world = World::start("").await;
    world.register("sari@example.com").await;
    world
        .execute("alter table audit_entries add constraint never check (operation <> 'auth.requestCode') not valid")
        .await;
    let request = || world.ask("auth.requestCode", json!({ "email": "sari@example.com", "purpose": "password_reset" }));
    assert_eq!(request().refusal().await, "internal");
    assert_eq!(world.number("select count(*) from one_time_codes").await, 0);
    world.execute("alter table audit_entries drop constraint never; delete from attempt_brakes").await;
    request().ok().await;
    assert_eq!(world.number("select count(*) from one_time_codes").await, 1);
}

#[tokio::test]
async fn looking_at_others_is_kept_and_looking_at_oneself_is_not() {
    let world = World::start("").await;
    let admin = world.admin().await;
    let (sari, budi) = (world.newcomer("sari@example.com").await, world.newcomer("budi@example.com").await);
    let look =
        |by: &SignedIn, at: &SignedIn| world.ask("user.findOne", json!({ "id": at.user()["id"] })).by(&by.asker());
    look(&sari, &sari).ok().await;
    look(&admin, &sari).ok().await;
    assert_eq!(look(&sari, &budi).refusal().await, "forbidden");
    let kept = entries(&world, &admin, "user.findOne", 2).await;
    assert_eq!(told(&kept[0]), ["done", "-", id(admin.user()), id(sari.user()), "-"]);
    assert_eq!(told(&kept[1]), ["refused", "forbidden", id(sari.user()), id(budi.user()), "-"]);
    world.ask("user.findAll", json!({ "email": "sari@example.com" })).by(&admin.asker()).ok().await;
    let kept = entries(&world, &admin, "user.findAll", 1).await;
    assert_eq!(told(&kept[0]), ["done", "-", id(admin.user()), "-", "-"]);
}

#[tokio::test]
async fn whoever_is_refused_does_not_wait_for_the_log_and_is_in_it_all_the_same() {
    let world = World::start("").await;
    let admin = world.admin().await;
    let locks = world.database().begin().await.unwrap();
    locks.execute_unprepared("lock table audit_entries in access exclusive mode").await.unwrap();
    for _ in 0..3 {
        assert_eq!(sign_in(&world, "nobody@example.com", "not this one").await, "invalid_credentials");
    }
    locks.rollback().await.unwrap();
    let kept = entries(&world, &admin, "auth.login", 4).await;
    assert!(kept[1..].iter().all(|entry| entry["reason"] == "invalid_credentials"), "{kept:?}");
}

#[tokio::test]
async fn only_who_has_the_permission_reads_it_a_page_at_a_time() {
    let world = World::start("").await;
    let admin = world.admin().await;
    let sari = world.newcomer("sari@example.com").await;
    let read = |by: &SignedIn, question: Value| world.ask("audit.findAll", question).by(&by.asker());
    assert_eq!(read(&sari, json!({ "service": "auth" })).refusal().await, "forbidden");
    assert_eq!(world.ask("audit.findAll", json!({})).refusal().await, "unauthenticated");
    let kept = entries(&world, &admin, "audit.findAll", 1).await;
    assert_eq!(told(&kept[0])[..3], ["refused", "forbidden", id(sari.user())]);

    let role = json!({ "name": "auditor", "description": "Looks", "permissions": ["audit.findAll"] });
    world.ask("role.create", role).by(&admin.asker()).ok().await;
    let given = world.ask("role.assign", json!({ "id": id(sari.user()), "roles": ["customer", "auditor"] }));
    given.by(&admin.asker()).based_on(1).ok().await;
    let auditor = world.sign_in("sari@example.com").await;
    for _ in 0..5 {
        sign_in(&world, "nobody@example.com", "not this one").await;
    }
    // The two who signed in, the auditor again, and those five.
    let all = entries(&world, &admin, "auth.login", 8).await;
    let mut paged = Vec::new();
    let mut cursor = Value::Null;
    loop {
        let mut question = json!({ "service": "auth", "operation": "auth.login", "limit": 3 });
        if cursor.is_string() {
            question["cursor"] = cursor;
        }
        let page = read(&auditor, question).ok().await;
        paged.extend(page["items"].as_array().unwrap().clone());
        cursor = page["nextCursor"].clone();
        if cursor.is_null() {
            break;
        }
    }
    paged.reverse();
    assert_eq!(paged, all);
    let (from, until) = (&all[2]["at"], &all[5]["at"]);
    let between = json!({ "service": "auth", "operation": "auth.login", "from": from, "until": until });
    let page = read(&auditor, between).ok().await;
    let expected = all.iter().filter(|entry| time(from) <= time(&entry["at"]) && time(&entry["at"]) < time(until));
    assert_eq!(page["items"].as_array().unwrap().len(), expected.count());
    for wrong in [json!({ "operation": "auth login" }), json!({ "service": "edge" }), json!({ "cursor": "x" })] {
        assert_eq!(read(&auditor, wrong).refusal().await, "invalid_request");
    }
    // Of those who are away nothing can be told, and nothing is left out in silence.
    assert_eq!(read(&auditor, json!({})).refusal().await, "unavailable");
}
