//! Telling what is kept of a person, and erasing it.

use crate::world::{PASSWORD, World};
use serde_json::json;
use subjects::Role;
use subjects::ids::SessionId;
use testmesh::Asker;

const PROFILE: Asker = Asker::Service("profile");

#[tokio::test]
async fn an_account_is_told_and_then_emptied_for_good() {
    let world = World::start("").await;
    let register = json!({
        "email": "Ratna.Unik@example.com", "password": PASSWORD, "firstName": "Ratnaunik", "lastName": "Wulanunik",
        "phoneNumber": "+62 899 7766 5544",
    });
    let user = world.ask("auth.register", register.clone()).under_key("ratnaunik key").ok().await;
    let id = user["id"].clone();
    let login = json!({ "email": "ratna.unik@example.com", "password": PASSWORD, "device": "Ratnaunik's phone" });
    let tokens = world.ask("auth.login", login.clone()).ok().await;
    let asker = Asker::Token(tokens["accessToken"].as_str().unwrap().to_owned());
    let mut wrong = login.clone();
    wrong["password"] = json!("not this one");
    world.ask("auth.login", wrong).refusal().await;
    let other = world.newcomer("other@example.com").await;
    let kept_of_other = "select u::text || (select count(*) from sessions where user_id = u.id and revoked_at is null) \
        from users as u where email = 'other@example.com'";
    let before = world.query(kept_of_other).await;

    let whole = world.ask("auth.exportPerson", json!({ "userId": id })).by(&PROFILE).ok().await;
    assert_eq!(whole.get("nextCursor"), None);
    let text = whole.to_string();
    for planted in ["ratna.unik@example.com", "Ratnaunik", "Wulanunik", "+62 899 7766 5544", "Ratnaunik's phone"] {
        assert!(text.contains(planted), "{planted}");
    }
    assert!(!text.contains("argon2") && !text.contains("hash"));
    let kinds: Vec<&str> = whole["rows"].as_array().unwrap().iter().map(|row| row["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["account", "session", "signInAttempt", "signInAttempt"]);

    let mut events = world.listen().await;
    let erased = world.ask("auth.erasePerson", json!({ "userId": id })).by(&PROFILE).ok().await;
    assert_eq!(erased, json!({ "complete": true }));
    assert_eq!(events.next("session.revoked").await["userId"], id);
    let updated = events.next("user.updated").await;
    assert_eq!((&updated["status"], &updated["roles"]), (&json!("inactive"), &json!([])));
    let rows = world.all_rows().await.to_lowercase();
    for planted in ["ratna.unik", "ratnaunik", "wulanunik", "899 7766", "8997766"] {
        assert!(!rows.contains(planted), "{planted} is still there");
    }
    assert_eq!(world.number("select count(*) from login_attempts where user_id is not null").await, 1);

    // Nobody gets in, and nothing is left to be told but what was always only an id.
    world.ask("auth.me", json!({})).by(&asker).refusal().await;
    assert_eq!(world.ask("auth.login", login).refusal().await, "invalid_credentials");
    let guess = json!({ "email": format!("erased:{}", id.as_str().unwrap()), "password": PASSWORD });
    assert_eq!(world.ask("auth.login", guess).refusal().await, "invalid_credentials");
    // Doing it again changes nothing, but for what has come since.
    let rows = world.query(&format!("select u::text from users as u where id = '{}'", id.as_str().unwrap())).await;
    world.ask("auth.erasePerson", json!({ "userId": id })).by(&PROFILE).ok().await;
    assert_eq!(world.query("select u::text from users as u where email like 'erased:%'").await, rows);
    assert_eq!(world.query(kept_of_other).await, before);
    world.ask("auth.me", json!({})).by(&other.asker()).ok().await;
    // The address is free again.
    world.ask("auth.register", register).ok().await;
}

#[tokio::test]
async fn what_comes_into_an_emptied_account_is_found_by_the_second_look() {
    let world = World::start("").await;
    let id = world.register("ratna.unik@example.com").await["id"].clone();
    let erase = async || world.ask("auth.erasePerson", json!({ "userId": id })).by(&PROFILE).ok().await;
    erase().await;
    // Their token holds as long as nobody has heard that its session ended; somebody else may be at their account, too.
    let user_id = id.as_str().unwrap().parse().unwrap();
    let own = identity::User { id: user_id, session: SessionId::new(), roles: vec![Role::Customer] };
    let version = world.number("select version from users").await;
    let change = json!({ "id": id, "firstName": "Ratnaunik", "phoneNumber": "+62 899 7766 5544" });
    world.ask("user.update", change).by(&Asker::User(own)).based_on(version).under_key("ratnaunik key").ok().await;
    world.execute("insert into user_roles (user_id, role) select id, 'customer' from users").await;

    let mut events = world.listen().await;
    assert_eq!(erase().await, json!({ "complete": true }));
    let updated = events.next("user.updated").await;
    assert_eq!((&updated["status"], &updated["roles"]), (&json!("inactive"), &json!([])));
    let rows = world.all_rows().await.to_lowercase();
    assert!(!rows.contains("ratnaunik") && !rows.replace(' ', "").contains("77665544"), "{rows}");
    assert_eq!(world.number("select count(*) from user_roles").await, 0);
    // The third look finds nothing to do.
    let account = world.query("select u::text from users as u").await;
    erase().await;
    assert_eq!(world.query("select u::text from users as u").await, account);
}

#[tokio::test]
async fn only_the_keeper_of_requests_is_let_in() {
    let world = World::start("").await;
    let someone = world.newcomer("sari@example.com").await;
    let body = json!({ "userId": someone.user()["id"] });
    for subject in ["auth.exportPerson", "auth.erasePerson"] {
        for asker in [Asker::Service("booking"), Asker::Service("vendor")] {
            assert_eq!(world.ask(subject, body.clone()).by(&asker).refusal().await, "forbidden", "{subject} {asker:?}");
        }
    }
    // Nobody knows this one.
    let stranger = json!({ "userId": "01990000-0000-7000-8000-000000000001" });
    let nothing = world.ask("auth.exportPerson", stranger.clone()).by(&PROFILE).ok().await;
    assert_eq!(nothing, json!({ "rows": [] }));
    world.ask("auth.erasePerson", stranger).by(&PROFILE).ok().await;
    world.ask("auth.me", json!({})).by(&someone.asker()).ok().await;
}
