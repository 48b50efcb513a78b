//! One-time codes, and passwords that are set by them.

use crate::world::{PASSWORD, SignedIn, VENDOR, World};
use futures::future::join_all;
use serde_json::{Value, json};
use subjects::ErrorCode;
use subjects::ids::CodeId;
use testmesh::{Asker, personal};

const NOTIFIER: Asker = Asker::Service("notification");
const NEW_PASSWORD: &str = "anjing lari di pantai";

/// Asks for a code and answers its id.
async fn request(world: &World, email: &str, purpose: &str) -> Value {
    world.ask("auth.requestCode", json!({ "email": email, "purpose": purpose })).ok().await["codeId"].clone()
}

/// What is sent for a code.
async fn sent(world: &World, code_id: &Value) -> String {
    let to_send = world.ask("auth.codeToSend", json!({ "codeId": code_id })).by(&NOTIFIER).ok().await;
    to_send["code"].as_str().unwrap().to_owned()
}

async fn verify(world: &World, code_id: &Value, code: &str) -> Result<Value, String> {
    let outcome = world.ask("auth.verifyCode", json!({ "codeId": code_id, "code": code })).send().await;
    outcome.map_err(|fault| fault.reason.into_owned())
}

async fn reset(world: &World, token: &Value, password: &str) -> Result<Value, String> {
    let body = json!({ "resetToken": token, "newPassword": password });
    world.ask("auth.resetPassword", body).send().await.map_err(|fault| fault.reason.into_owned())
}

/// A token for another password of an account.
async fn reset_token(world: &World, email: &str) -> Value {
    let code_id = request(world, email, "password_reset").await;
    let code = sent(world, &code_id).await;
    verify(world, &code_id, &code).await.unwrap()["resetToken"].clone()
}

/// A code that another one is not.
fn other_than(code: &str) -> String {
    format!("{:06}", (code.parse::<u32>().unwrap() + 1) % 1_000_000)
}

#[tokio::test]
async fn whoever_gets_the_code_sets_another_password_and_is_alone_then() {
    let world = World::start("").await;
    let elsewhere = world.newcomer("sari@example.com").await;
    let mut events = world.listen().await;
    let code_id = request(&world, "Sari@Example.com", "password_reset").await;
    let told = events.next("notification.requested").await;
    assert_eq!((&told["userId"], &told["codeId"]), (&elsewhere.user()["id"], &code_id));
    assert_eq!((&told["kind"], &told["purpose"]), (&json!("one_time_code"), &json!("password_reset")));
    let to_send = world.ask("auth.codeToSend", json!({ "codeId": code_id })).by(&NOTIFIER).ok().await;
    assert_eq!(
        (&to_send["email"], &to_send["firstName"]),
        (&json!("sari@example.com"), &json!(personal::text("Sari")))
    );
    let code = to_send["code"].as_str().unwrap();
    for secret in [format!("\"{code}\""), "sari".to_owned(), "Sari".to_owned()] {
        assert!(!told.to_string().contains(&secret), "{told}");
    }

    let verified = verify(&world, &code_id, code).await.unwrap();
    assert_eq!(verified["purpose"], "password_reset");
    let token = &verified["resetToken"];
    let stored = world.all_rows().await;
    assert!(!stored.contains(token.as_str().unwrap()) && !stored.contains(&format!("\"{code}\"")));

    // What may not be chosen costs nothing.
    let common = json!({ "resetToken": token, "newPassword": "12345678" });
    let common = world.ask("auth.resetPassword", common).fault().await;
    assert_eq!((common.code, common.violations[0].pointer.as_str()), (ErrorCode::BadRequest, "/newPassword"));
    reset(&world, token, NEW_PASSWORD).await.unwrap();
    assert_eq!(events.next("session.revoked").await["sessionId"], elsewhere.0["sessionId"]);
    assert_eq!(events.next("user.password_changed").await["userId"], elsewhere.user()["id"]);
    world.until_signed_out(&elsewhere).await;
    let login = |password: &str| world.ask("auth.login", json!({ "email": "sari@example.com", "password": password }));
    assert_eq!(login(PASSWORD).refusal().await, "invalid_credentials");
    login(NEW_PASSWORD).ok().await;
    assert_eq!(reset(&world, token, "ikan di dalam kolam").await.unwrap_err(), "invalid_reset_token");
    assert_eq!(verify(&world, &code_id, code).await.unwrap_err(), "invalid_code");
}

#[tokio::test]
async fn another_password_ends_waits_and_whoever_set_it_is_known_there() {
    let world = World::start("account_attempts = 2").await;
    world.register("sari@example.com").await;
    let login = |from: &str, password: &str| {
        world.ask("auth.login", json!({ "email": "sari@example.com", "password": password })).from_address(from)
    };
    login("192.0.2.7", PASSWORD).ok().await;
    for _ in 0..2 {
        login("198.51.100.1", "not this one").refusal().await;
    }
    assert_eq!(login("203.0.113.9", PASSWORD).refusal().await, "too_many_attempts");
    let body = json!({ "resetToken": reset_token(&world, "sari@example.com").await, "newPassword": NEW_PASSWORD });
    world.ask("auth.resetPassword", body).from_address("203.0.113.9").ok().await;
    assert_eq!(world.number("select count(*) from attempt_brakes where account <> '' and failures > 1").await, 0);
    // Others go on, also from where the account was known before.
    for from in ["198.51.100.1", "192.0.2.7"] {
        login(from, "not this one").refusal().await;
    }
    assert_eq!(login("192.0.2.7", NEW_PASSWORD).refusal().await, "too_many_attempts");
    login("203.0.113.9", NEW_PASSWORD).ok().await;
}

#[tokio::test]
async fn asking_for_a_code_tells_nothing_of_accounts() {
    let world = World::start("").await;
    world.register("sari@example.com").await;
    world.register("suspended@example.com").await;
    world.execute("update users set status = 'suspended' where email = 'suspended@example.com'").await;
    let mut codes = Vec::new();
    for email in ["sari@example.com", "suspended@example.com", "nobody@example.com"] {
        let ask = || world.ask("auth.requestCode", json!({ "email": email, "purpose": "password_reset" }));
        let requested = ask().ok().await;
        let fields: Vec<&String> = requested.as_object().unwrap().keys().collect();
        assert_eq!(fields, ["codeId", "expiresAt"], "{email}");
        codes.push(requested["codeId"].clone());
        let again = ask().fault().await;
        assert_eq!((again.code, again.reason.as_ref()), (ErrorCode::RateLimited, "too_many_attempts"), "{email}");
        assert!(again.retry_after_ms.is_some_and(|wait| (1..=60_000).contains(&wait)), "{again:?}");
    }
    world.until_query("select count(*)::text from one_time_codes where told_at is null", "0").await;
    let shape = "select string_agg(distinct \
        (to_jsonb(c) - '{id,account,user_id,nonce,created_at,expires_at,told_at}'::text[])::text, ' ') \
        from one_time_codes as c";
    let shapes = world.query(shape).await;
    assert_eq!(shapes.matches("password_reset").count(), 1, "rows differ: {shapes}");
    assert_eq!(world.query("select count(*)::text from outbox where type = 'notification.requested'").await, "1");
    for code_id in &codes[1..] {
        assert_eq!(verify(&world, code_id, "123456").await.unwrap_err(), "invalid_code");
        let to_send = world.ask("auth.codeToSend", json!({ "codeId": code_id })).by(&NOTIFIER);
        assert_eq!(to_send.refusal().await, "code_not_found");
    }
    assert!(!world.all_rows().await.contains("nobody@example.com"));
    // A code that nobody was to get is right for nobody.
    let code = sent(&world, &codes[0]).await;
    world.execute("update one_time_codes set user_id = null").await;
    assert_eq!(verify(&world, &codes[0], &code).await.unwrap_err(), "invalid_code");
}

#[tokio::test]
async fn a_code_can_be_tried_five_times_also_at_once() {
    let world = World::start("").await;
    world.register("sari@example.com").await;
    let code_id = request(&world, "sari@example.com", "password_reset").await;
    let code = sent(&world, &code_id).await;
    let wrong = other_than(&code);
    let outcomes = join_all((0..40).map(|_| verify(&world, &code_id, &wrong))).await;
    assert!(outcomes.iter().all(|outcome| *outcome == Err("invalid_code".to_owned())), "{outcomes:?}");
    assert_eq!(world.number("select tries from one_time_codes").await, 5);
    assert_eq!(verify(&world, &code_id, &code).await.unwrap_err(), "invalid_code");

    // Four wrong ones leave one try, and of all who show the right one at once one is let in.
    world.execute("delete from attempt_brakes").await;
    let code_id = request(&world, "sari@example.com", "password_reset").await;
    let code = sent(&world, &code_id).await;
    verify(&world, &code_id, &other_than(&code)).await.unwrap_err();
    let outcomes = join_all((0..20).map(|_| verify(&world, &code_id, &code))).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
}

#[tokio::test]
async fn a_code_ends_with_its_time_and_with_the_next_one() {
    let world = World::start("").await;
    world.register("sari@example.com").await;
    let waits_end = async || world.execute("update attempt_brakes set locked_until = null").await;
    let former = request(&world, "sari@example.com", "password_reset").await;
    let code = sent(&world, &former).await;
    waits_end().await;
    let other_purpose = request(&world, "sari@example.com", "email_verification").await;
    waits_end().await;
    let next = request(&world, "sari@example.com", "password_reset").await;
    assert_eq!(verify(&world, &former, &code).await.unwrap_err(), "invalid_code");
    let code = sent(&world, &next).await;
    world.execute("update one_time_codes set created_at = now() - interval '1 hour', expires_at = now()").await;
    assert_eq!(verify(&world, &next, &code).await.unwrap_err(), "invalid_code");
    for gone in [&former, &next, &other_purpose, &json!(CodeId::new())] {
        let to_send = world.ask("auth.codeToSend", json!({ "codeId": gone })).by(&NOTIFIER);
        assert_eq!(to_send.refusal().await, "code_not_found");
    }
    // The wait doubles with each code, and whoever has got one may have the next one at once.
    let wait = "select extract(epoch from max(locked_until) - max(forgotten_at) + interval '24 hours')::int::text \
        from attempt_brakes where locked_until > now()";
    for seconds in ["480", "960", "1920", "3600", "3600"] {
        waits_end().await;
        request(&world, "sari@example.com", "password_reset").await;
        assert_eq!(world.query(wait).await, seconds);
    }
    waits_end().await;
    let last = request(&world, "sari@example.com", "password_reset").await;
    verify(&world, &last, &sent(&world, &last).await).await.unwrap();
    request(&world, "sari@example.com", "password_reset").await;
}

#[tokio::test]
async fn of_two_who_reset_at_once_one_wins() {
    let world = World::start("").await;
    world.register("sari@example.com").await;
    let token = reset_token(&world, "sari@example.com").await;
    let passwords: Vec<String> = (0..8).map(|number| format!("{NEW_PASSWORD} {number}")).collect();
    let outcomes = join_all(passwords.iter().map(|password| reset(&world, &token, password))).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
    let refusals: Vec<&String> = outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).collect();
    assert!(refusals.iter().all(|reason| *reason == "invalid_reset_token"), "{refusals:?}");
    let winner = &passwords[outcomes.iter().position(Result::is_ok).unwrap()];
    world.ask("auth.login", json!({ "email": "sari@example.com", "password": winner })).ok().await;

    let late = reset_token(&world, "sari@example.com").await;
    world.execute("update one_time_codes set reset_expires_at = now()").await;
    assert_eq!(reset(&world, &late, PASSWORD).await.unwrap_err(), "invalid_reset_token");
    assert_eq!(reset(&world, &json!("nonsense"), PASSWORD).await.unwrap_err(), "invalid_reset_token");
    world.execute("delete from attempt_brakes").await;
    let suspended = reset_token(&world, "sari@example.com").await;
    world.execute("update users set status = 'suspended'").await;
    assert_eq!(reset(&world, &suspended, PASSWORD).await.unwrap_err(), "invalid_reset_token");
}

#[tokio::test]
async fn an_address_is_verified_by_a_code_and_needs_no_second_one() {
    let world = World::start("").await;
    let signed_in = world.newcomer("sari@example.com").await;
    assert_eq!(signed_in.user().get("emailVerifiedAt"), None);
    let code_id = request(&world, "sari@example.com", "email_verification").await;
    let code = sent(&world, &code_id).await;
    let mut events = world.listen().await;
    let verified = verify(&world, &code_id, &code).await.unwrap();
    assert_eq!(verified, json!({ "purpose": "email_verification" }));
    assert_eq!(events.next("user.updated").await["version"], 2);
    let user = world.ask("auth.me", json!({})).by(&signed_in.asker()).ok().await;
    assert!(user["emailVerifiedAt"].is_string() && user["version"] == 2, "{user}");
    let another = request(&world, "sari@example.com", "email_verification").await;
    let to_send = world.ask("auth.codeToSend", json!({ "codeId": another })).by(&NOTIFIER);
    assert_eq!(to_send.refusal().await, "code_not_found");
}

#[tokio::test]
async fn wrong_codes_count_for_the_address_that_they_come_from() {
    let world = World::start("address_attempts = 3").await;
    let show = |from: &str| {
        world.ask("auth.verifyCode", json!({ "codeId": CodeId::new(), "code": "123456" })).from_address(from)
    };
    for _ in 0..3 {
        assert_eq!(show("203.0.113.9").refusal().await, "invalid_code");
    }
    assert_eq!(show("203.0.113.9").refusal().await, "too_many_attempts");
    assert_eq!(show("198.51.100.1").refusal().await, "invalid_code");
    // Who asks for codes of many is held up, too.
    let asked = |number: usize| {
        let body = json!({ "email": format!("nobody{number}@example.com"), "purpose": "password_reset" });
        world.ask("auth.requestCode", body).from_address("198.51.100.1")
    };
    for number in 0..20 {
        asked(number).ok().await;
    }
    assert_eq!(asked(20).refusal().await, "too_many_attempts");
}

#[tokio::test]
async fn nobody_but_the_notifier_is_told_a_code() {
    let world = World::start("").await;
    let admin: SignedIn = world.admin().await;
    let code_id = request(&world, "admin@example.com", "password_reset").await;
    let ask = || world.ask("auth.codeToSend", json!({ "codeId": code_id }));
    for service in [&VENDOR, &Asker::Service("profile")] {
        assert_eq!(ask().by(service).refusal().await, "forbidden", "{service:?}");
    }
    assert_eq!(ask().by(&admin.asker()).refusal().await, "call_not_permitted");
}

#[tokio::test]
async fn codes_go_with_their_time_and_with_their_person() {
    let world = World::start("sweep_seconds = 1").await;
    let id = world.register("sari@example.com").await["id"].clone();
    world.register("dewi@example.com").await;
    for email in ["sari@example.com", "dewi@example.com", "nobody@example.com"] {
        request(&world, email, "password_reset").await;
    }
    let profile = Asker::Service("profile");
    let export = world.ask("auth.exportPerson", json!({ "userId": id })).by(&profile).ok().await;
    let codes: Vec<&Value> =
        export["rows"].as_array().unwrap().iter().filter(|row| row["kind"] == "oneTimeCode").collect();
    assert!(codes.len() == 1 && codes[0]["data"]["purpose"] == "password_reset", "{export}");
    world.ask("auth.erasePerson", json!({ "userId": id })).by(&profile).ok().await;
    assert_eq!(world.number("select count(*) from one_time_codes").await, 2);
    assert_eq!(world.number("select count(*) from attempt_brakes").await, 2);
    world
        .execute(
            "update one_time_codes set created_at = now() - interval '3 hours', expires_at = now() - interval '2 hours'",
        )
        .await;
    world.until_query("select count(*)::text from one_time_codes", "0").await;
}

#[tokio::test]
async fn whoever_changes_the_password_makes_codes_and_what_was_given_for_them_void() {
    let world = World::start("").await;
    let sari = world.newcomer("sari@example.com").await;
    let token = reset_token(&world, "sari@example.com").await;
    for address in ["203.0.113.1", "203.0.113.2"] {
        let login = world.ask("auth.login", json!({ "email": "sari@example.com", "password": PASSWORD }));
        login.from_address(address).ok().await;
    }
    let change = json!({ "currentPassword": PASSWORD, "newPassword": NEW_PASSWORD });
    world.ask("auth.changePassword", change).by(&sari.asker()).from_address("203.0.113.1").ok().await;
    let refused = reset(&world, &token, "burung hantu terbang malam").await;
    assert_eq!(refused, Err("invalid_reset_token".to_owned()));
    // Where somebody else may have signed in is no longer known as the user's.
    assert_eq!(world.query("select count(*)::text from familiar_addresses").await, "1");
}
