//! How stock is kept, changed and listed.

use crate::stock::{Shop, check_stock, expire, numbers, release, reserve};
use crate::world;
use serde_json::{Value, json};
use subjects::ErrorCode;
use testmesh::{Ask, Mesh};

fn update(mesh: &Mesh, shop: &Shop, stock: &Value, change: Value) -> Ask {
    let mut request = change;
    request["id"] = stock["id"].clone();
    mesh.ask("inventory.update", request).by(&shop.staff)
}

#[tokio::test]
async fn stock_is_opened_counted_and_told() {
    let mesh = world::start().await;
    let shop = Shop::found(&mesh, 1).await;
    let mut events = mesh.listen().await;
    let made = shop.keep_above(&mesh, 0, 0, 12, 3).await;
    assert_eq!(made["available"], 12);
    assert_eq!((&made["productId"], &made["vendorId"]), (&json!(shop.product_id), &json!(shop.vendor_id)));
    assert_eq!(mesh.ask("inventory.findOne", json!({ "id": made["id"] })).by(&shop.staff).ok().await, made);
    let told = events.next("inventory.changed").await;
    assert_eq!((&told["inventoryId"], &told["version"], &told["onHand"]), (&made["id"], &json!(1), &json!(12)));

    // By a difference, by a count, and the level alone.
    let received = update(&mesh, &shop, &made, json!({ "change": 8, "reason": "received" })).based_on(1).ok().await;
    assert_eq!((&received["onHand"], &received["version"]), (&json!(20), &json!(2)));
    let counted = json!({ "onHand": 17, "reorderLevel": 5, "reason": "counted" });
    let counted = update(&mesh, &shop, &made, counted).based_on(2).ok().await;
    assert_eq!((&counted["onHand"], &counted["reorderLevel"]), (&json!(17), &json!(5)));
    let levelled = json!({ "reorderLevel": 4, "reason": "corrected" });
    let levelled = update(&mesh, &shop, &made, levelled).based_on(3).ok().await;
    assert_eq!(
        (&levelled["onHand"], &levelled["reorderLevel"], &levelled["version"]),
        (&json!(17), &json!(4), &json!(4))
    );

    let movements = async |cursor: Option<&Value>| {
        let mut question = json!({ "id": made["id"], "limit": 3 });
        if let Some(cursor) = cursor {
            question["cursor"] = cursor.clone();
        }
        mesh.ask("inventory.movements", question).by(&shop.staff).ok().await
    };
    let latest = movements(None).await;
    let rest = movements(Some(&latest["nextCursor"])).await;
    assert!(rest.get("nextCursor").is_none());
    let all: Vec<&Value> = [&latest, &rest].into_iter().flat_map(|page| page["items"].as_array().unwrap()).collect();
    let told: Vec<_> =
        all.iter().map(|row| (row["reason"].as_str().unwrap(), row["onHandChange"].as_i64().unwrap())).collect();
    assert_eq!(told, [("corrected", 0), ("counted", -3), ("received", 8), ("opened", 12)]);
    assert!(all.iter().all(|row| row["actor"] == "staff" && row["actorId"] == json!(shop.staff.id())));
    check_stock(&mesh).await;
}

#[tokio::test]
async fn a_variant_has_one_stock_at_a_place() {
    let mesh = world::start().await;
    let shop = Shop::found(&mesh, 1).await;
    let opening = json!({ "variantId": shop.variants[0], "clinicId": shop.clinics[0], "onHand": 4 });
    let open = || mesh.ask("inventory.create", opening.clone()).by(&shop.staff);
    let racing = futures::future::join_all((0..8).map(|_| open().send())).await;
    assert_eq!(racing.iter().filter(|answer| answer.is_ok()).count(), 1);
    let refused = racing.into_iter().filter_map(Result::err);
    assert!(refused.into_iter().all(|fault| fault.reason == "already_in_stock"));
    // Elsewhere, and under one key however often.
    let elsewhere = json!({ "variantId": shop.variants[0], "clinicId": shop.clinics[1] });
    let open = || mesh.ask("inventory.create", elsewhere.clone()).by(&shop.staff).under_key("k");
    let racing = futures::future::join_all((0..8).map(|_| open().ok())).await;
    assert!(racing.iter().all(|made| *made == racing[0]));
    assert_eq!(numbers(&mesh).await, "4/0 0/0");
    check_stock(&mesh).await;
}

#[tokio::test]
async fn a_lost_change_is_refused() {
    let mesh = world::start().await;
    let shop = Shop::found(&mesh, 1).await;
    let stock = shop.keep(&mesh, 0, 0, 5).await;
    let sell = || update(&mesh, &shop, &stock, json!({ "change": -1, "reason": "sold" }));
    assert_eq!(sell().fault().await.code, ErrorCode::PreconditionRequired);
    assert_eq!(sell().based_on(7).refusal().await, "version_mismatch");
    let racing = futures::future::join_all((0..8).map(|_| sell().based_on(1).send())).await;
    assert_eq!(racing.iter().filter(|answer| answer.is_ok()).count(), 1);
    // Under a key it is done once and answered alike.
    let again = || sell().based_on(2).under_key("k").ok();
    assert_eq!(again().await, again().await);
    assert_eq!(numbers(&mesh).await, "3/0");
    check_stock(&mesh).await;
}

#[tokio::test]
async fn what_is_reserved_stays() {
    let mesh = crate::stock::without_sweep().await;
    let shop = Shop::found(&mesh, 1).await;
    let stock = shop.keep(&mesh, 0, 0, 10).await;
    reserve(&mesh, &[shop.line(0, 6)]).ok().await;
    let expiring = reserve(&mesh, &[shop.line(0, 3)]).ok().await;

    let to = |change: Value| update(&mesh, &shop, &stock, change).based_on(3);
    assert_eq!(to(json!({ "change": -2, "reason": "lost" })).refusal().await, "below_reserved");
    assert_eq!(to(json!({ "onHand": 8, "reason": "counted" })).refusal().await, "below_reserved");
    assert_eq!(to(json!({ "change": 1_000_000, "reason": "received" })).refusal().await, "too_much_stock");
    // What has expired makes way; that is a movement of its own.
    expire(&mesh, Some(&expiring)).await;
    let counted = to(json!({ "onHand": 6, "reason": "counted" })).ok().await;
    assert_eq!((&counted["reserved"], &counted["available"], &counted["version"]), (&json!(6), &json!(0), &json!(5)));
    assert_eq!(release(&mesh, &expiring).ok().await["status"], "expired");
    check_stock(&mesh).await;
}

#[tokio::test]
async fn low_stock_is_told_once_for_each_crossing() {
    let mesh = world::start().await;
    let shop = Shop::found(&mesh, 1).await;
    let stock = shop.keep_above(&mesh, 0, 0, 10, 4).await;
    let told = async || mesh.told("inventory.low").await;

    let first = reserve(&mesh, &[shop.line(0, 5)]).ok().await;
    assert_eq!(told().await, 0);
    let mut events = mesh.listen().await;
    reserve(&mesh, &[shop.line(0, 1)]).ok().await;
    let low = events.next("inventory.low").await;
    assert_eq!((&low["available"], &low["reorderLevel"], &low["version"]), (&json!(4), &json!(4), &json!(3)));
    assert_eq!(events.next("inventory.changed").await, low);
    // Lower still, and not crossed again.
    reserve(&mesh, &[shop.line(0, 2)]).ok().await;
    assert_eq!(told().await, 1);
    // Above it once more, and down.
    release(&mesh, &first).ok().await;
    reserve(&mesh, &[shop.line(0, 7)]).ok().await;
    assert_eq!(told().await, 2);
    // A level that is raised to what is there counts as well.
    let received = json!({ "change": 100, "reason": "received" });
    let version = update(&mesh, &shop, &stock, received).based_on(6).ok().await["version"].as_i64().unwrap();
    let raised = json!({ "reorderLevel": 100, "reason": "corrected" });
    update(&mesh, &shop, &stock, raised).based_on(version).ok().await;
    assert_eq!(told().await, 3);
    check_stock(&mesh).await;
}

#[tokio::test]
async fn lists_are_whole_in_every_order_and_keep_to_their_filters() {
    let mesh = world::start().await;
    let shop = Shop::found(&mesh, 9).await;
    for variant in 0..9 {
        for clinic in 0..2 {
            let on_hand = i32::try_from((variant * 5 + clinic) % 7).unwrap();
            shop.keep_above(&mesh, variant, clinic, on_hand, 2).await;
        }
    }
    let listed = async |mut question: Value| {
        let mut ids = Vec::new();
        loop {
            let page = mesh.ask("inventory.findAll", question.clone()).by(&shop.staff).ok().await;
            ids.extend(page["items"].as_array().unwrap().iter().map(|item| item["id"].clone()));
            match page.get("nextCursor") {
                Some(cursor) => question["cursor"] = cursor.clone(),
                None => return Value::Array(ids),
            }
        }
    };
    let expected = async |rows: &str, order: &str| -> Value {
        let ids = mesh.query(&format!("select json_agg(id order by {order}) from inventory where {rows}")).await;
        serde_json::from_str(&ids).unwrap()
    };
    for (sort, order) in
        [("createdAt", "id"), ("available", "available, id"), ("-updatedAt", "updated_at desc, id desc")]
    {
        let question = json!({ "sort": sort, "limit": 4 });
        assert_eq!(listed(question).await, expected("true", order).await, "{sort}");
        let low = json!({ "sort": sort, "limit": 4, "low": true, "clinicId": shop.clinics[1] });
        let rows = format!("available <= 2 and clinic_id = '{}'", shop.clinics[1]);
        assert_eq!(listed(low).await, expected(&rows, order).await, "low by {sort}");
    }
    assert_eq!(listed(json!({})).await, expected("true", "id").await);
    assert_eq!(listed(json!({ "low": false, "limit": 100 })).await, expected("available > 2", "id").await);
    let of_variant = json!({ "variantId": shop.variants[3], "productId": shop.product_id, "vendorId": shop.vendor_id });
    let rows = format!("variant_id = '{}'", shop.variants[3]);
    assert_eq!(listed(of_variant).await, expected(&rows, "id").await);
    assert_eq!(listed(json!({ "productId": subjects::ids::ProductId::new() })).await, json!([]));

    // A cursor serves its own order alone.
    let page = mesh.ask("inventory.findAll", json!({ "limit": 2 })).by(&shop.staff).ok().await;
    let elsewhere = json!({ "limit": 2, "sort": "available", "cursor": page["nextCursor"] });
    let fault = mesh.ask("inventory.findAll", elsewhere).by(&shop.staff).fault().await;
    assert_eq!(fault.violations[0].pointer, "/cursor");
}

#[tokio::test]
async fn everything_that_is_wrong_is_said_at_once() {
    let mesh = world::start().await;
    let shop = Shop::found(&mesh, 1).await;
    let stock = shop.keep(&mesh, 0, 0, 5).await;
    let id = &stock["id"];
    let wrong = async |subject: &str, request: Value| -> Vec<String> {
        let fault = mesh.ask(subject, request).by(&shop.staff).based_on(1).fault().await;
        assert_eq!(fault.code, ErrorCode::BadRequest);
        let mut pointers: Vec<String> = fault.violations.into_iter().map(|violation| violation.pointer).collect();
        pointers.sort_unstable();
        pointers.dedup();
        pointers
    };
    let opening = json!({ "variantId": "x", "clinicId": shop.clinics[1], "onHand": -1, "reorderLevel": 1_000_001 });
    assert_eq!(wrong("inventory.create", opening).await, ["/onHand", "/reorderLevel", "/variantId"]);
    let nothing = json!({ "id": id, "reason": "counted" });
    assert_eq!(wrong("inventory.update", nothing).await, ["/reorderLevel"]);
    let both = json!({ "id": id, "onHand": 1, "change": 1, "reason": "counted" });
    assert_eq!(wrong("inventory.update", both).await, ["/change"]);
    let bounds = json!({ "id": id, "onHand": 1_000_001, "reorderLevel": -1, "reason": "reserved" });
    assert_eq!(wrong("inventory.update", bounds).await, ["/onHand", "/reason", "/reorderLevel"]);
    let bounds = json!({ "id": id, "change": -1_000_001, "reason": "lost" });
    assert_eq!(wrong("inventory.update", bounds).await, ["/change"]);
    assert_eq!(wrong("inventory.update", json!({ "id": id, "change": 1.5, "reason": "lost" })).await, ["/change"]);
    assert_eq!(wrong("inventory.update", json!({ "id": id, "change": 1 })).await, ["/reason"]);
    assert_eq!(wrong("inventory.findAll", json!({ "limit": 0, "sort": "colour" })).await, ["/limit", "/sort"]);
    assert_eq!(wrong("inventory.findAll", json!({ "cursor": "no cursor" })).await, ["/cursor"]);
    assert_eq!(wrong("inventory.movements", json!({ "id": id, "cursor": "" })).await, ["/cursor"]);
    assert_eq!(numbers(&mesh).await, "5/0");
}

#[tokio::test]
async fn movements_only_grow() {
    let mesh = world::start().await;
    let shop = Shop::found(&mesh, 1).await;
    shop.keep(&mesh, 0, 0, 5).await;
    let cx = mesh.own_cx(catalog::app).await;
    for rewriting in ["update stock_movements set on_hand_change = 6", "delete from stock_movements"] {
        let refused =
            sea_orm::ConnectionTrait::execute_unprepared(store::HasStore::store(&*cx.app).read(), rewriting).await;
        assert!(refused.unwrap_err().to_string().contains("stock_movements only grows"));
    }
    check_stock(&mesh).await;
}
