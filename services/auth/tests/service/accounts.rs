use crate::world::{PASSWORD, VENDOR, World};
use serde_json::json;
use subjects::ErrorCode;
use testmesh::personal;

#[tokio::test]
async fn a_person_registers_signs_in_and_is_known() {
    let world = World::start("").await;
    let mut events = world.listen().await;
    let user = world.register("Sari@Example.com").await;
    assert_eq!((&user["email"], &user["status"]), (&json!("sari@example.com"), &json!("active")));
    assert_eq!((&user["roles"], &user["version"]), (&json!(["customer"]), &json!(1)));

    let registered = events.next("user.registered").await;
    assert_eq!((&registered["userId"], &registered["version"]), (&user["id"], &json!(1)));
    for personal in ["sari", "Sari", "Dewi"] {
        assert!(!registered.to_string().contains(personal));
    }

    let signed_in = world.sign_in("SARI@example.com").await;
    assert_eq!((&signed_in.0["tokenType"], &signed_in.0["expiresIn"]), (&json!("Bearer"), &json!(900)));
    assert_eq!(signed_in.user(), &user);
    let logged_in = events.next("user.logged_in").await;
    assert_eq!((&logged_in["sessionId"], &logged_in["userId"]), (&signed_in.0["sessionId"], &user["id"]));

    assert_eq!(world.ask("auth.me", json!({})).by(&signed_in.asker()).ok().await, user);
    let known = world.ask("auth.validate", json!({ "token": signed_in.access_token() })).by(&VENDOR).ok().await;
    assert_eq!((&known["userId"], &known["roles"]), (&user["id"], &json!(["customer"])));
    let keys = world.ask("auth.jwks", json!({})).ok().await;
    let [key] = keys["keys"].as_array().unwrap().as_slice() else { panic!("{keys}") };
    assert_eq!((&key["kty"], &key["crv"], &key["alg"]), (&json!("OKP"), &json!("Ed25519"), &json!("EdDSA")));
    assert_eq!(world.ask("auth.me", json!({})).refusal().await, "unauthenticated");
}

#[tokio::test]
async fn an_address_has_one_account_and_a_password_must_not_be_common() {
    let world = World::start("").await;
    world.register("sari@example.com").await;
    let body = |email: &str, password: &str| json!({ "email": email, "password": password, "firstName": "S" });
    let taken = world.ask("auth.register", body("SARI@EXAMPLE.COM", PASSWORD)).send().await.unwrap_err();
    assert_eq!((taken.code, taken.reason.as_ref()), (ErrorCode::Conflict, "email_taken"));

    let common = world.ask("auth.register", body("dewi@example.com", "Password123")).send().await.unwrap_err();
    assert_eq!((common.code, common.violations[0].pointer.as_str()), (ErrorCode::BadRequest, "/password"));

    // At the same time, for one address, in other spellings.
    let racing = ["budi@example.com", "Budi@example.com", "BUDI@example.com", "budi@EXAMPLE.com"];
    let outcomes =
        futures::future::join_all(racing.map(|email| world.ask("auth.register", body(email, PASSWORD)).send()));
    let reasons: Vec<_> = outcomes.await.into_iter().filter_map(Result::err).map(|fault| fault.reason).collect();
    assert_eq!(reasons, ["email_taken"; 3]);
}

#[tokio::test]
async fn a_registration_under_a_key_happens_once() {
    let world = World::start("").await;
    let body = |password: &str| json!({ "email": "sari@example.com", "password": password, "firstName": personal::text("Sari") });
    let ask = |password: &str| world.ask("auth.register", body(password)).under_key("key-1");
    let user = ask(PASSWORD).ok().await;
    assert_eq!(ask(PASSWORD).ok().await, user);
    assert_eq!(ask("another long password").refusal().await, "idempotency_key_reused");
    assert_eq!(world.query("select count(*)::text from outbox").await, "1");
    // A refusal is kept likewise.
    let taken = || world.ask("auth.register", body(PASSWORD)).under_key("key-2").refusal();
    assert_eq!((taken().await, taken().await), ("email_taken".to_owned(), "email_taken".to_owned()));
}

#[tokio::test]
async fn two_people_with_the_same_key_do_not_meet() {
    let world = World::start("").await;
    let ask = |email: &str| {
        let body = json!({ "email": email, "password": PASSWORD, "firstName": personal::text("Sari") });
        world.ask("auth.register", body).under_key("1").ok()
    };
    let sari = ask("sari@example.com").await;
    let dewi = ask("dewi@example.com").await;
    assert_eq!((&sari["email"], &dewi["email"]), (&json!("sari@example.com"), &json!("dewi@example.com")));
    assert_eq!(ask("sari@example.com").await, sari);
    assert_eq!(ask("dewi@example.com").await, dewi);
    let scopes = world.query("select string_agg(scope, ' ') from idempotency_keys").await;
    assert!(!scopes.contains("example.com"), "{scopes}");
}

#[tokio::test]
async fn a_failed_sign_in_does_not_tell_whether_there_is_an_account() {
    let world = World::start("").await;
    world.register("sari@example.com").await;
    let attempt =
        |email: &str, password: &str| world.ask("auth.login", json!({ "email": email, "password": password })).send();
    let wrong_password = attempt("sari@example.com", "not hers at all").await.unwrap_err();
    let unknown_account = attempt("nobody@example.com", "not hers at all").await.unwrap_err();
    assert_eq!(wrong_password, unknown_account);
    assert_eq!(
        (wrong_password.code, wrong_password.reason.as_ref()),
        (ErrorCode::Unauthenticated, "invalid_credentials")
    );

    world.execute("update users set status = 'suspended'").await;
    assert_eq!(attempt("sari@example.com", "not hers at all").await.unwrap_err(), wrong_password);
    assert_eq!(attempt("sari@example.com", PASSWORD).await.unwrap_err().reason, "account_not_active");

    let outcomes = "select string_agg(outcome, ' ' order by id) from login_attempts";
    let recorded = world.query(outcomes).await;
    assert_eq!(recorded, "wrong_password unknown_account wrong_password not_active");
    assert!(!world.all_rows().await.contains("nobody@example.com"));
}

#[tokio::test]
async fn another_password_ends_the_other_sessions() {
    let world = World::start("").await;
    let here = world.newcomer("sari@example.com").await;
    let elsewhere = world.sign_in("sari@example.com").await;
    let mut events = world.listen().await;
    let change = |current: &str, new: &str| {
        world.ask("auth.changePassword", json!({ "currentPassword": current, "newPassword": new })).by(&here.asker())
    };
    assert_eq!(change("not hers at all", "anjing lari di pantai").refusal().await, "wrong_password");
    let common = change(PASSWORD, "12345678").send().await.unwrap_err();
    assert_eq!(common.violations[0].pointer, "/newPassword");

    change(PASSWORD, "anjing lari di pantai").under_key("key-1").ok().await;
    let changed = events.next("user.password_changed").await;
    assert_eq!((&changed["userId"], &changed["version"]), (&here.user()["id"], &json!(2)));
    let revoked = events.next("session.revoked").await;
    assert_eq!(revoked["sessionId"], elsewhere.0["sessionId"]);
    world.until_signed_out(&elsewhere).await;
    world.ask("auth.me", json!({})).by(&here.asker()).ok().await;

    // The client had lost the answer.
    change(PASSWORD, "anjing lari di pantai").under_key("key-1").ok().await;
    assert_eq!(change(PASSWORD, "anjing lari di pantai").refusal().await, "wrong_password");
    let old = world.ask("auth.login", json!({ "email": "sari@example.com", "password": PASSWORD }));
    assert_eq!(old.refusal().await, "invalid_credentials");
    let new = json!({ "email": "sari@example.com", "password": "anjing lari di pantai" });
    world.ask("auth.login", new).ok().await;
}
