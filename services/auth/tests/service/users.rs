use crate::world::{VENDOR, World};
use serde_json::json;
use testmesh::personal;

#[tokio::test]
async fn an_account_is_seen_and_changed_by_its_owner_admins_and_services() {
    let world = World::start("").await;
    let owner = world.newcomer("sari@example.com").await;
    let stranger = world.newcomer("budi@example.com").await;
    let admin = world.admin().await;
    let id = owner.user()["id"].clone();

    let find = || world.ask("user.findOne", json!({ "id": id }));
    assert_eq!(&find().by(&owner.asker()).ok().await, owner.user());
    assert_eq!(&find().by(&admin.asker()).ok().await, owner.user());
    assert_eq!(&find().by(&VENDOR).ok().await, owner.user());
    assert_eq!(find().by(&stranger.asker()).refusal().await, "forbidden");
    assert_eq!(find().refusal().await, "unauthenticated");

    let rename = |name: &str| world.ask("user.update", json!({ "id": id, "firstName": name, "lastName": null }));
    assert_eq!(rename(&personal::text("Dewi")).by(&owner.asker()).refusal().await, "precondition_required");
    assert_eq!(rename(&personal::text("Dewi")).by(&owner.asker()).based_on(7).refusal().await, "version_mismatch");
    assert_eq!(rename(&personal::text("Dewi")).by(&stranger.asker()).based_on(1).refusal().await, "forbidden");
    let mut events = world.listen().await;
    let renamed = rename(&personal::text("Dewi")).by(&owner.asker()).based_on(1).ok().await;
    assert_eq!((&renamed["firstName"], &renamed["version"]), (&json!(personal::text("Dewi")), &json!(2)));
    assert_eq!(renamed.get("lastName"), None);
    let updated = events.next("user.updated").await;
    assert_eq!((&updated["userId"], &updated["version"]), (&id, &json!(2)));
    assert!(!updated.to_string().contains("Dewi"));
    // What changes nothing is no change.
    assert_eq!(rename(&personal::text("Dewi")).by(&owner.asker()).based_on(2).ok().await, renamed);
}

#[tokio::test]
async fn a_suspended_account_is_out_at_once() {
    let world = World::start("").await;
    let owner = world.newcomer("sari@example.com").await;
    let admin = world.admin().await;
    let set = |status: &str| world.ask("user.update", json!({ "id": owner.user()["id"], "status": status }));
    assert_eq!(set("suspended").by(&owner.asker()).based_on(1).refusal().await, "forbidden");
    assert_eq!(set("pending").by(&admin.asker()).based_on(1).refusal().await, "invalid_request");
    set("suspended").by(&admin.asker()).based_on(1).ok().await;
    world.until_signed_out(&owner).await;
    let refreshed = world.ask("auth.refresh", json!({ "refreshToken": owner.refresh_token() }));
    assert_eq!(refreshed.refusal().await, "invalid_refresh_token");
    set("active").by(&admin.asker()).based_on(2).ok().await;
    world.sign_in("sari@example.com").await;
}

#[tokio::test]
async fn admins_list_accounts_and_give_and_take_roles() {
    let world = World::start("").await;
    let owner = world.newcomer("sari@example.com").await;
    world.register("budi@example.com").await;
    let admin = world.admin().await;

    let find = |filter| world.ask("user.findAll", filter);
    assert_eq!(find(json!({})).by(&owner.asker()).refusal().await, "forbidden");
    let all = find(json!({})).by(&admin.asker()).ok().await;
    let addresses: Vec<_> = all["items"].as_array().unwrap().iter().map(|user| user["email"].clone()).collect();
    assert_eq!(addresses, ["admin@example.com", "budi@example.com", "sari@example.com"]);
    let page = find(json!({ "limit": 1, "role": "customer" })).by(&admin.asker()).ok().await;
    assert_eq!(page["items"][0]["email"], json!("budi@example.com"));
    let next =
        find(json!({ "limit": 1, "role": "customer", "cursor": page["nextCursor"] })).by(&admin.asker()).ok().await;
    assert_eq!((&next["items"][0]["email"], next.get("nextCursor")), (&json!("sari@example.com"), None));
    let exact = find(json!({ "email": "SARI@example.com", "status": "active" })).by(&VENDOR).ok().await;
    assert_eq!(exact["items"].as_array().unwrap().len(), 1);

    let roles = world.ask("role.findAll", json!({})).by(&admin.asker()).ok().await;
    let names: Vec<_> = roles["items"].as_array().unwrap().iter().map(|role| role["name"].clone()).collect();
    assert_eq!(names, ["customer", "platform_admin"]);

    let assign = |roles| world.ask("role.assign", json!({ "id": owner.user()["id"], "roles": roles }));
    assert_eq!(assign(json!(["admin"])).by(&owner.asker()).based_on(1).refusal().await, "forbidden");
    assert_eq!(assign(json!(["admin"])).by(&admin.asker()).refusal().await, "precondition_required");
    // Another role: what the tokens say still holds.
    let promoted = assign(json!(["admin", "user"])).by(&admin.asker()).based_on(1).ok().await;
    assert_eq!(promoted["roles"], json!(["customer", "platform_admin"]));
    world.ask("auth.me", json!({})).by(&owner.asker()).ok().await;
    // One less: it does not.
    assign(json!(["customer"])).by(&admin.asker()).based_on(2).ok().await;
    world.until_signed_out(&owner).await;
}

#[tokio::test]
async fn accounts_are_listed_by_their_age_either_way() {
    let world = World::start("").await;
    for name in ["sari", "budi", "dewi", "bagas", "ratna"] {
        world.register(&format!("{name}@example.com")).await;
    }
    // Two of one age, and one whose id does not tell it.
    world
        .execute("update users set created_at = '2026-01-01' where email in ('budi@example.com', 'dewi@example.com')")
        .await;
    world.execute("update users set created_at = '2025-01-01' where email = 'ratna@example.com'").await;
    let admin = world.admin().await;
    let pages = async |mut question: serde_json::Value| {
        let mut ids = Vec::new();
        loop {
            let page = world.ask("user.findAll", question.clone()).by(&admin.asker()).ok().await;
            ids.extend(page["items"].as_array().unwrap().iter().map(|user| user["id"].clone()));
            match page.get("nextCursor") {
                Some(cursor) => question["cursor"] = cursor.clone(),
                None => return ids,
            }
        }
    };
    let in_order = async |order: &str| {
        let ids = world.query(&format!("select json_agg(id order by {order})::text from users")).await;
        serde_json::from_str::<Vec<serde_json::Value>>(&ids).unwrap()
    };
    let (oldest_first, newest_first) = (in_order("created_at, id").await, in_order("created_at desc, id desc").await);
    assert_eq!(oldest_first.len(), 6);
    assert_eq!(pages(json!({ "limit": 1, "sort": "createdAt" })).await, oldest_first);
    assert_eq!(pages(json!({ "limit": 2, "sort": "-createdAt" })).await, newest_first);
    assert_eq!(pages(json!({ "limit": 2 })).await, newest_first);

    let page = world.ask("user.findAll", json!({ "limit": 1 })).by(&admin.asker()).ok().await;
    let other_order = json!({ "limit": 1, "sort": "createdAt", "cursor": page["nextCursor"] });
    let fault = world.ask("user.findAll", other_order).by(&admin.asker()).send().await.unwrap_err();
    assert_eq!(fault.violations[0].pointer, "/cursor");
}

#[tokio::test]
async fn a_change_repeated_under_its_key_is_made_once() {
    let world = World::start("").await;
    let owner = world.newcomer("sari@example.com").await;
    let admin = world.admin().await;
    let id = &owner.user()["id"];
    let told = async || world.query("select count(*)::text from outbox where type = 'user.updated'").await;

    let rename = |version| {
        let ask = world.ask("user.update", json!({ "id": id, "firstName": personal::text("Dewi") })).by(&owner.asker());
        ask.based_on(version).under_key("key-1")
    };
    let renamed = rename(1).ok().await;
    assert_eq!((rename(1).ok().await, told().await), (renamed, "1".to_owned()));
    assert_eq!(rename(2).refusal().await, "idempotency_key_reused");

    let assign = || {
        let ask =
            world.ask("role.assign", json!({ "id": id, "roles": ["platform_admin", "customer"] })).by(&admin.asker());
        ask.based_on(2).under_key("key-1")
    };
    let promoted = assign().ok().await;
    assert_eq!(promoted["version"], 3);
    assert_eq!((assign().ok().await, told().await), (promoted, "2".to_owned()));
}
