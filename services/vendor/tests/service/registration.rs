use crate::world::World;
use serde_json::{Value, json};
use subjects::auth::UserStatus;
use testmesh::personal;
use vendor::sweep::{forget_finished, sweep_once};

const PASSWORD: &str = personal::PASSWORD;

fn body(email: &str) -> Value {
    let owner = json!({ "email": email, "password": PASSWORD, "firstName": personal::text("Sari"), "phoneNumber": personal::PHONE });
    json!({ "owner": owner, "name": "Klinik Sejahtera", "kind": "clinic" })
}

/// The invariant: whoever is active runs a vendor that is there.
async fn check_invariant(world: &World) {
    let active: Vec<String> = {
        let accounts = world.auth.0.lock().unwrap();
        let active = accounts.users.values().filter(|user| user.status == UserStatus::Active);
        active.map(|user| user.id.to_string()).collect()
    };
    for id in active {
        let vendors = format!(
            "select count(*)::text from memberships m join vendors v on v.id = m.vendor_id \
             where m.user_id = '{id}' and m.status = 'active' and m.role = 'clinic_admin'"
        );
        assert_eq!(world.query(&vendors).await, "1");
    }
}

/// Lets time pass for every registration that is under way.
async fn age(world: &World) {
    world.execute("update registrations set updated_at = updated_at - interval '5 minutes'").await;
}

async fn steps(world: &World) -> String {
    world.query("select string_agg(step, ' ' order by created_at) from registrations").await
}

#[tokio::test]
async fn a_vendor_and_its_owner_come_to_be_together() {
    let world = World::start().await;
    let mut events = world.listen().await;
    let answer = world.ask("vendor.register", body("sari@example.com")).under_key("key-1").ok().await;
    assert_eq!((&answer["vendor"]["status"], &answer["vendor"]["name"]), (&json!("draft"), &json!("Klinik Sejahtera")));
    assert_eq!(events.next("vendor.registered").await["vendorId"], answer["vendor"]["id"]);
    let membership = events.next("membership.changed").await;
    assert_eq!((&membership["userId"], &membership["active"]), (&answer["userId"], &json!(true)));
    check_invariant(&world).await;
    assert_eq!(steps(&world).await, "done");

    // Asked again with its key it is the same, with another body or password it is refused, without a key the address
    // is taken.
    let again = world.ask("vendor.register", body("sari@example.com")).under_key("key-1").ok().await;
    assert_eq!(again, answer);
    for (pointer, value) in [("/name", "Klinik Lain"), ("/owner/password", "anjing tidur di bawah meja")] {
        let mut other = body("sari@example.com");
        *other.pointer_mut(pointer).unwrap() = json!(value);
        let other = world.ask("vendor.register", other).under_key("key-1");
        assert_eq!(other.refusal().await, "idempotency_key_reused");
    }
    assert_eq!(world.ask("vendor.register", body("sari@example.com")).refusal().await, "email_taken");
    let kept = || world.ask("vendor.register", body("sari@example.com")).under_key("key-2").refusal();
    assert_eq!((kept().await, kept().await), ("email_taken".to_owned(), "email_taken".to_owned()));
    assert_eq!(world.query("select count(*)::text from vendors").await, "1");

    // Nothing of the person is stored here.
    let rows = world.all_rows().await;
    for personal in [PASSWORD, "sari@example.com", "Sari", personal::PHONE] {
        assert!(!rows.contains(personal), "{personal}");
    }
}

#[tokio::test]
async fn two_people_may_choose_the_same_key() {
    let world = World::start().await;
    let one = world.ask("vendor.register", body("sari@example.com")).under_key("key-1").ok().await;
    let other = world.ask("vendor.register", body("dewi@example.com")).under_key("key-1").ok().await;
    assert!(one["vendor"]["id"] != other["vendor"]["id"] && one["userId"] != other["userId"]);
    check_invariant(&world).await;
}

#[tokio::test]
async fn what_is_finished_is_forgotten_in_time() {
    let world = World::start().await;
    let cx = world.own_cx().await;
    world.ask("vendor.register", body("sari@example.com")).under_key("key-1").ok().await;
    assert_eq!(world.ask("vendor.register", body("sari@example.com")).refusal().await, "email_taken");
    assert_eq!(steps(&world).await, "done failed");
    forget_finished(&cx).await.unwrap();
    assert_eq!(steps(&world).await, "done failed");
    world.execute("update registrations set updated_at = updated_at - interval '25 hours'").await;
    forget_finished(&cx).await.unwrap();
    assert_eq!(steps(&world).await, "done");
    world.execute("update registrations set updated_at = updated_at - interval '34 days'").await;
    forget_finished(&cx).await.unwrap();
    assert_eq!(steps(&world).await, "");
}

#[tokio::test]
async fn asked_many_times_at_once_it_happens_once() {
    let world = World::start().await;
    let ask = || world.ask("vendor.register", body("sari@example.com")).under_key("key-1").send();
    let answers = futures::future::join_all((0..8).map(|_| ask())).await;
    let first = answers[0].as_ref().unwrap();
    assert!(answers.iter().all(|answer| answer.as_ref().unwrap() == first));
    assert_eq!(world.query("select count(*)::text from vendors").await, "1");
    assert_eq!(world.auth.0.lock().unwrap().users.len(), 1);
    check_invariant(&world).await;
}

#[tokio::test]
async fn cut_off_after_the_user_it_is_given_up_or_taken_up_again() {
    let world = World::start().await;
    let cx = world.own_cx().await;
    world.auth.0.lock().unwrap().loses_the_answer_of_create = true;
    let ask = || world.ask("vendor.register", body("sari@example.com")).under_key("key-1");
    assert_eq!(ask().refusal().await, "unavailable");
    assert_eq!(
        (steps(&world).await.as_str(), world.query("select count(*)::text from vendors").await.as_str()),
        ("started", "0")
    );
    check_invariant(&world).await;

    // A sweep leaves it alone for a while, then gives it up.
    sweep_once(&cx).await.unwrap();
    assert_eq!(steps(&world).await, "started");
    age(&world).await;
    sweep_once(&cx).await.unwrap();
    assert_eq!(steps(&world).await, "failed");
    assert!(world.auth.0.lock().unwrap().users.values().all(|user| user.status == UserStatus::Pending));

    // The client comes back with its key: the pending user is still there.
    world.auth.0.lock().unwrap().loses_the_answer_of_create = false;
    ask().ok().await;
    assert_eq!(steps(&world).await, "done");
    check_invariant(&world).await;
}

#[tokio::test]
async fn cut_off_after_the_vendor_it_is_finished_by_the_sweep() {
    let world = World::start().await;
    let cx = world.own_cx().await;
    world.auth.0.lock().unwrap().cannot_activate = true;
    let ask = || world.ask("vendor.register", body("sari@example.com")).under_key("key-1");
    assert_eq!(ask().refusal().await, "unavailable");
    assert_eq!(steps(&world).await, "vendor_created");
    age(&world).await;
    sweep_once(&cx).await.unwrap();
    assert_eq!(steps(&world).await, "vendor_created");
    check_invariant(&world).await;

    world.auth.0.lock().unwrap().cannot_activate = false;
    age(&world).await;
    sweep_once(&cx).await.unwrap();
    assert_eq!(steps(&world).await, "done");
    assert!(world.auth.0.lock().unwrap().users.values().all(|user| user.status == UserStatus::Active));
    check_invariant(&world).await;
    let answer = ask().ok().await;
    assert_eq!(world.query("select id::text from vendors").await, answer["vendor"]["id"].as_str().unwrap());
}

#[tokio::test]
async fn where_the_pending_user_is_gone_the_vendor_goes_too() {
    let world = World::start().await;
    let cx = world.own_cx().await;
    world.auth.0.lock().unwrap().cannot_activate = true;
    let ask = || world.ask("vendor.register", body("sari@example.com")).under_key("key-1");
    assert_eq!(ask().refusal().await, "unavailable");
    let old_user_id = world.query("select user_id::text from registrations").await;
    {
        // Auth removes a pending user after 15 minutes.
        let mut accounts = world.auth.0.lock().unwrap();
        accounts.users.clear();
        accounts.cannot_activate = false;
    }
    age(&world).await;
    let mut events = world.listen().await;
    sweep_once(&cx).await.unwrap();
    assert_eq!(steps(&world).await, "failed");
    assert_eq!(world.query("select count(*)::text from vendors").await, "0");
    assert_eq!(events.next("membership.revoked").await["active"], false);
    let removed = events.next("vendor.updated").await;
    assert_eq!((&removed["removed"], &removed["version"]), (&json!(true), &json!(2)));

    // Asked again it begins anew, with another vendor id: the old one's last event was its end; and with another user
    // id: the old one may yet be activated.
    let answer = ask().ok().await;
    assert_ne!(answer["vendor"]["id"], removed["vendorId"]);
    assert_ne!(answer["userId"], json!(old_user_id));
    check_invariant(&world).await;
}

#[tokio::test]
async fn what_is_wrong_with_the_owner_is_said_of_the_owner() {
    let world = World::start().await;
    let mut bad = body("nobody");
    bad["owner"]["password"] = json!("short");
    let fault = world.ask("vendor.register", bad).send().await.unwrap_err();
    let mut pointers: Vec<&str> = fault.violations.iter().map(|violation| violation.pointer.as_str()).collect();
    pointers.sort_unstable();
    pointers.dedup();
    assert_eq!(pointers, ["/owner/email", "/owner/password"]);
    assert_eq!(world.query("select count(*)::text from registrations").await, "0");
}
