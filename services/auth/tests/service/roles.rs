//! Roles that are made, given, changed and removed.

use crate::world::{SignedIn, World};
use serde_json::{Value, json};

/// Somebody who has these roles beside being a customer.
async fn helper(world: &World, admin: &SignedIn, email: &str, roles: &[&str]) -> SignedIn {
    let user = world.register(email).await;
    let all: Vec<&str> = ["customer"].iter().chain(roles).copied().collect();
    let assigned = world.ask("role.assign", json!({ "id": user["id"], "roles": all })).by(&admin.asker());
    assigned.based_on(1).ok().await;
    world.sign_in(email).await
}

async fn make(world: &World, admin: &SignedIn, name: &str, permissions: &[&str]) -> Value {
    let role = json!({ "name": name, "description": "Helps", "permissions": permissions });
    world.ask("role.create", role).by(&admin.asker()).ok().await
}

fn violations(fault: &subjects::Fault) -> Vec<&str> {
    fault.violations.iter().map(|violation| violation.message.as_str()).collect()
}

#[tokio::test]
async fn a_role_lets_its_users_do_what_it_allows_and_no_more_and_changes_hold_at_once() {
    let world = World::start("").await;
    let admin = world.admin().await;
    let mut events = world.listen().await;
    let role = make(&world, &admin, "support", &["user.findAll"]).await;
    assert_eq!((&role["name"], &role["version"], &role["builtIn"]), (&json!("support"), &json!(1), &json!(false)));
    let told = events.next("role.updated").await;
    assert_eq!((&told["roleId"], &told["permissions"]), (&role["id"], &json!(["user.findAll"])));
    assert!(told.get("description").is_none());
    let support = helper(&world, &admin, "sari@example.com", &["support"]).await;
    assert_eq!(support.user()["roles"], json!(["customer", "support"]));

    let list = || world.ask("user.findAll", json!({})).by(&support.asker());
    let one = || world.ask("user.findOne", json!({ "id": admin.user()["id"] })).by(&support.asker());
    list().ok().await;
    assert_eq!(one().refusal().await, "forbidden");

    let replace = |permissions: Value, version| {
        let all = json!({ "id": role["id"], "description": "Helps", "permissions": permissions });
        world.ask("role.update", all).by(&admin.asker()).based_on(version)
    };
    let changed = replace(json!(["user.findOne", "user.findOne"]), 1).ok().await;
    assert_eq!((&changed["permissions"], &changed["version"]), (&json!(["user.findOne"]), &json!(2)));
    one().ok().await;
    assert_eq!(list().refusal().await, "forbidden");
    replace(json!([]), 2).ok().await;
    assert_eq!(one().refusal().await, "forbidden");
    // What changes nothing is no change.
    assert_eq!(replace(json!([]), 3).ok().await["version"], 3);
    assert_eq!(replace(json!([]), 2).refusal().await, "version_mismatch");
}

#[tokio::test]
async fn whoever_loses_a_role_is_out_at_once_also_with_the_token_that_names_it() {
    let world = World::start("").await;
    let admin = world.admin().await;
    make(&world, &admin, "support", &["user.findAll"]).await;
    let support = helper(&world, &admin, "sari@example.com", &["support"]).await;
    world.ask("user.findAll", json!({})).by(&support.asker()).ok().await;
    let taken = world.ask("role.assign", json!({ "id": support.user()["id"], "roles": ["customer"] }));
    taken.by(&admin.asker()).based_on(2).ok().await;
    world.until_signed_out(&support).await;
}

#[tokio::test]
async fn every_violation_is_named() {
    let world = World::start("").await;
    let admin = world.admin().await;
    let create = |name: &str, permissions: Value| {
        let role = json!({ "name": name, "description": "Helps", "permissions": permissions });
        world.ask("role.create", role).by(&admin.asker())
    };
    let fault = create("support", json!(["user.findAll", "user.find", "vendor.aprove"])).fault().await;
    assert_eq!(fault.reason, "invalid_request");
    assert_eq!(violations(&fault), ["there is no permission user.find", "there is no permission vendor.aprove"]);
    for taken in ["customer", "user", "admin", "platform_admin"] {
        assert_eq!(create(taken, json!([])).refusal().await, "role_name_taken", "{taken}");
    }
    make(&world, &admin, "support", &[]).await;
    assert_eq!(create("support", json!([])).refusal().await, "role_name_taken");
    assert_eq!(create("Not A Name", json!([])).refusal().await, "invalid_request");

    let user = world.register("sari@example.com").await;
    let assign = world.ask("role.assign", json!({ "id": user["id"], "roles": ["support", "ghosts", "spirits"] }));
    let fault = assign.by(&admin.asker()).based_on(1).fault().await;
    let mut named = violations(&fault);
    named.sort_unstable();
    assert_eq!(named, ["there is no role ghosts", "there is no role spirits"]);
    let missing = json!({ "id": user["id"], "description": "Helps", "permissions": [] });
    assert_eq!(world.ask("role.update", missing).by(&admin.asker()).based_on(1).refusal().await, "role_not_found");
}

#[tokio::test]
async fn what_is_built_in_stays_and_somebody_always_runs_the_platform() {
    let world = World::start("").await;
    let admin = world.admin().await;
    let roles = world.ask("role.findAll", json!({})).by(&admin.asker()).ok().await;
    let permissions = world.ask("permission.findAll", json!({})).by(&admin.asker()).ok().await;
    let names: Vec<&Value> = permissions["items"].as_array().unwrap().iter().map(|item| &item["name"]).collect();
    let [customer, platform_admin] = roles["items"].as_array().unwrap().as_slice() else { panic!("{roles}") };
    assert_eq!((&customer["permissions"], &customer["builtIn"]), (&json!([]), &json!(true)));
    assert_eq!((&platform_admin["permissions"], &platform_admin["builtIn"]), (&json!(names), &json!(true)));
    for role in [customer, platform_admin] {
        let emptied = json!({ "id": role["id"], "description": "Nothing", "permissions": [] });
        let update = world.ask("role.update", emptied).by(&admin.asker()).based_on(1);
        assert_eq!(update.refusal().await, "role_built_in");
        let remove = world.ask("role.remove", json!({ "id": role["id"] })).by(&admin.asker());
        assert_eq!(remove.refusal().await, "role_built_in");
    }

    let assign = |id: &Value, roles: Value, version| {
        world.ask("role.assign", json!({ "id": id, "roles": roles })).by(&admin.asker()).based_on(version)
    };
    let set = |id: &Value, status: &str, version| {
        world.ask("user.update", json!({ "id": id, "status": status })).by(&admin.asker()).based_on(version)
    };
    let own = &admin.user()["id"];
    assert_eq!(assign(own, json!(["customer"]), 1).refusal().await, "last_platform_admin");
    assert_eq!(set(own, "suspended", 1).refusal().await, "last_platform_admin");
    // One who cannot sign in is nobody to rely on.
    let second = world.register("second@example.com").await;
    assign(&second["id"], json!(["platform_admin"]), 1).ok().await;
    set(&second["id"], "inactive", 2).ok().await;
    assert_eq!(assign(own, json!([]), 1).refusal().await, "last_platform_admin");
    set(&second["id"], "active", 3).ok().await;
    assign(own, json!([]), 1).ok().await;
}

#[tokio::test]
async fn two_who_take_the_platform_from_each_other_at_once_leave_one() {
    let world = World::start("").await;
    let admin = world.admin().await;
    let second = world.register("second@example.com").await;
    let promoted = world.ask("role.assign", json!({ "id": second["id"], "roles": ["platform_admin"] }));
    promoted.by(&admin.asker()).based_on(1).ok().await;
    let second = world.sign_in("second@example.com").await;
    let take = |by: &SignedIn, from: &SignedIn, version| {
        world.ask("role.assign", json!({ "id": from.user()["id"], "roles": [] })).by(&by.asker()).based_on(version)
    };
    let (one, other) = tokio::join!(take(&admin, &second, 2).send(), take(&second, &admin, 1).send());
    let left = world.query("select count(*)::text from user_roles where role = 'platform_admin'").await;
    assert_eq!((left.as_str(), one.is_ok() ^ other.is_ok()), ("1", true), "{one:?} {other:?}");
}

#[tokio::test]
async fn nobody_goes_beyond_their_own_rights_by_way_of_a_role() {
    let world = World::start("").await;
    let admin = world.admin().await;
    make(&world, &admin, "reader", &["user.findAll"]).await;
    let editor = make(&world, &admin, "editor", &["role.create", "role.update", "role.assign", "vendor.approve"]).await;
    let helper_of = helper(&world, &admin, "sari@example.com", &["editor"]).await;
    let create = |permissions: Value| {
        let role = json!({ "name": "mine", "description": "Mine", "permissions": permissions });
        world.ask("role.create", role).by(&helper_of.asker())
    };
    let fault = create(json!(["user.findAll", "vendor.approve", "vendor.reject"])).fault().await;
    assert_eq!(fault.reason, "beyond_own_permissions");
    assert_eq!(violations(&fault), ["you do not have user.findAll", "you do not have vendor.reject"]);
    create(json!(["vendor.approve"])).ok().await;
    let widened = json!({
        "id": editor["id"],
        "description": "Helps",
        "permissions": ["role.create", "role.update", "role.assign", "vendor.approve", "user.findAll"],
    });
    let widen = world.ask("role.update", widened).by(&helper_of.asker()).based_on(1);
    assert_eq!(widen.refusal().await, "beyond_own_permissions");
    let own = &helper_of.user()["id"];
    let assign = |id: &Value, roles: Value, version| {
        world.ask("role.assign", json!({ "id": id, "roles": roles })).by(&helper_of.asker()).based_on(version)
    };
    for beyond in ["platform_admin", "reader"] {
        let refusal = assign(own, json!(["customer", "editor", beyond]), 2).refusal().await;
        assert_eq!(refusal, "beyond_own_permissions", "{beyond}");
    }
    assert_eq!(assign(&admin.user()["id"], json!([]), 1).refusal().await, "beyond_own_permissions");
    assign(own, json!(["customer", "editor", "mine"]), 2).ok().await;
    // Whoever may not edit roles does not.
    let reader = helper(&world, &admin, "budi@example.com", &["reader"]).await;
    let role = json!({ "name": "own", "description": "Own", "permissions": [] });
    assert_eq!(world.ask("role.create", role).by(&reader.asker()).refusal().await, "forbidden");
}

#[tokio::test]
async fn a_role_that_somebody_has_is_not_removed() {
    let world = World::start("").await;
    let admin = world.admin().await;
    let role = make(&world, &admin, "support", &["user.findAll"]).await;
    let support = helper(&world, &admin, "sari@example.com", &["support"]).await;
    let remove = || world.ask("role.remove", json!({ "id": role["id"] })).by(&admin.asker());
    assert_eq!(remove().refusal().await, "role_in_use");
    let taken = world.ask("role.assign", json!({ "id": support.user()["id"], "roles": ["customer"] }));
    taken.by(&admin.asker()).based_on(2).ok().await;
    let mut events = world.listen().await;
    remove().ok().await;
    let told = events.next("role.removed").await;
    assert_eq!((&told["roleId"], &told["version"]), (&role["id"], &json!(2)));
    assert_eq!(remove().refusal().await, "role_not_found");
}

#[tokio::test]
async fn a_role_made_twice_under_one_key_is_one() {
    let world = World::start("").await;
    let admin = world.admin().await;
    let create = || {
        let role = json!({ "name": "support", "description": "Helps", "permissions": ["user.findAll"] });
        world.ask("role.create", role).by(&admin.asker()).under_key("key-1")
    };
    let made = create().ok().await;
    assert_eq!(create().ok().await, made);
    assert_eq!(world.query("select count(*)::text from outbox where type = 'role.updated'").await, "1");
}

#[tokio::test]
async fn what_was_taken_a_moment_ago_is_gone_though_no_replica_has_heard_of_it() {
    let world = World::start("").await;
    let admin = world.admin().await;
    let other = world.register("second@example.com").await;
    let promote = world.ask("role.assign", json!({ "id": other["id"], "roles": ["platform_admin"] }));
    promote.by(&admin.asker()).based_on(1).ok().await;
    let other = world.sign_in("second@example.com").await;
    let id = &other.user()["id"];
    let give_back = || world.ask("role.assign", json!({ "id": id, "roles": ["platform_admin"] })).by(&other.asker());
    let unlock = || world.ask("user.update", json!({ "id": id, "status": "active" })).by(&other.asker());
    let create = || {
        let role = json!({ "name": "mine", "description": "Mine", "permissions": ["user.findAll"] });
        world.ask("role.create", role).by(&other.asker())
    };

    // As it is in the database before anything is published: the token still says what it did.
    let own = id.as_str().unwrap();
    world.execute(&format!("update user_roles set role = 'customer' where user_id = '{own}'")).await;
    assert_eq!(give_back().based_on(2).refusal().await, "beyond_own_permissions");
    assert_eq!(unlock().based_on(2).refusal().await, "forbidden");
    assert_eq!(create().refusal().await, "beyond_own_permissions");
    let ended = "update sessions set revoked_at = now(), revoked_reason = 'role_removed'";
    world.execute(&format!("{ended} where user_id = '{own}'")).await;
    assert_eq!(give_back().based_on(2).refusal().await, "session_revoked");
    assert_eq!(unlock().based_on(2).refusal().await, "session_revoked");
    assert_eq!(create().refusal().await, "session_revoked");
}

#[tokio::test]
async fn nobody_locks_or_signs_out_those_who_may_do_more() {
    let world = World::start("").await;
    let admin = world.admin().await;
    make(&world, &admin, "support", &["user.update", "role.assign"]).await;
    let support = helper(&world, &admin, "sari@example.com", &["support"]).await;
    let second = world.register("second@example.com").await;
    let set_roles = |by: &SignedIn, id: &Value, roles: Value, version| {
        world.ask("role.assign", json!({ "id": id, "roles": roles })).by(&by.asker()).based_on(version)
    };
    let set_status = |by: &SignedIn, id: &Value, status: &str, version| {
        world.ask("user.update", json!({ "id": id, "status": status })).by(&by.asker()).based_on(version)
    };
    set_roles(&admin, &second["id"], json!(["customer", "platform_admin"]), 1).ok().await;
    let beyond = "beyond_own_permissions";
    assert_eq!(set_status(&support, &second["id"], "suspended", 2).refusal().await, beyond);
    assert_eq!(set_roles(&support, &second["id"], json!(["platform_admin"]), 2).refusal().await, beyond);
    // Nor do they let back in whom those who run the platform have locked out.
    set_status(&admin, &second["id"], "suspended", 2).ok().await;
    assert_eq!(set_status(&support, &second["id"], "active", 3).refusal().await, beyond);
    let customer = world.register("budi@example.com").await;
    set_status(&support, &customer["id"], "suspended", 1).ok().await;
    set_status(&support, &customer["id"], "active", 2).ok().await;
}
