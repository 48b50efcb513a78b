use crate::search::{all_pages_of, seeded};
use crate::world::{Asker, World};
use serde_json::{Value, json};

/// The ids of rows in the order of an `order by`.
async fn ids_in_order(world: &World, rows: &str, order: &str) -> Value {
    let ids = world.query(&format!("select json_agg(id order by {order})::text from {rows}")).await;
    serde_json::from_str(&ids).unwrap()
}

/// The ids of a list, gathered from many small pages.
async fn ids_listed(world: &World, asker: &Asker, subject: &str, mut question: Value) -> Value {
    question["limit"] = json!(4);
    let items = all_pages_of(world, asker, subject, question).await;
    assert!(items.len() > 8, "{subject} has only {} items", items.len());
    items.into_iter().map(|item| item["id"].clone()).collect()
}

#[tokio::test]
async fn every_order_is_kept_through_all_pages() {
    let (world, owner) = seeded().await;
    let own_memberships = format!("memberships where user_id = '{}'", owner.id());
    let orders = [
        ("vendor.findAll", "vendors", "name", "name, id"),
        ("vendor.findAll", "vendors", "-name", "name desc, id desc"),
        ("vendor.findAll", "vendors", "-createdAt", "created_at desc, id desc"),
        ("clinic.findAll", "clinics", "name", "name, id"),
        ("clinic.findAll", "clinics", "-name", "name desc, id desc"),
        ("service.findAll", "clinic_services", "name", "name, id"),
        ("service.findAll", "clinic_services", "-name", "name desc, id desc"),
        ("service.findAll", "clinic_services", "price", "price_amount, id"),
        ("service.findAll", "clinic_services", "-price", "price_amount desc, id desc"),
        ("service.findAll", "clinic_services", "durationMinutes", "duration_minutes, id"),
        ("staff.findAll", "staff", "displayName", "display_name, id"),
        ("staff.findAll", "staff", "-displayName", "display_name desc, id desc"),
        ("staff.findAll", "staff", "-createdAt", "created_at desc, id desc"),
        ("membership.findAll", &own_memberships, "createdAt", "created_at, id"),
        ("membership.findAll", &own_memberships, "-createdAt", "created_at desc, id desc"),
    ];
    for (subject, rows, sort, order) in orders {
        let listed = ids_listed(&world, &owner, subject, json!({ "sort": sort })).await;
        assert_eq!(listed, ids_in_order(&world, rows, order).await, "{subject} by {sort}");
    }
    for (subject, rows, usual_order) in [
        ("vendor.findAll", "vendors", "created_at desc, id desc"),
        ("clinic.findAll", "clinics", "name, id"),
        ("service.findAll", "clinic_services", "name, id"),
        ("staff.findAll", "staff", "display_name, id"),
        ("membership.findAll", &own_memberships, "created_at, id"),
    ] {
        let listed = ids_listed(&world, &owner, subject, json!({})).await;
        assert_eq!(listed, ids_in_order(&world, rows, usual_order).await, "{subject}");
    }

    // An order of what was found by words.
    let dearest_first = json!({ "text": "vaksinasi", "sort": "-price" });
    let found = ids_listed(&world, &owner, "service.findAll", dearest_first).await;
    let rows = "clinic_services where name like 'Vaksinasi %'";
    assert_eq!(found, ids_in_order(&world, rows, "price_amount desc, id desc").await);
}

#[tokio::test]
async fn a_cursor_of_another_order_is_refused() {
    let (world, owner) = seeded().await;
    let pointer = async |subject: &str, question: Value| {
        world.ask(subject, question).by(&owner).send().await.unwrap_err().violations[0].pointer.clone()
    };
    for (subject, sort, other_sorts) in [
        ("vendor.findAll", "-createdAt", vec!["name", "-name"]),
        ("clinic.findAll", "name", vec!["-name"]),
        ("service.findAll", "price", vec!["-price", "durationMinutes", "name"]),
        ("staff.findAll", "displayName", vec!["-displayName", "-createdAt"]),
        ("membership.findAll", "createdAt", vec!["-createdAt"]),
    ] {
        let page = world.ask(subject, json!({ "sort": sort, "limit": 2 })).by(&owner).ok().await;
        let cursor = &page["nextCursor"];
        world.ask(subject, json!({ "sort": sort, "limit": 2, "cursor": cursor })).by(&owner).ok().await;
        for other in other_sorts {
            let question = json!({ "sort": other, "limit": 2, "cursor": cursor });
            assert_eq!(pointer(subject, question).await, "/cursor", "{subject}: {sort} as {other}");
        }
        assert_eq!(pointer(subject, json!({ "sort": "colour" })).await, "/sort", "{subject}");
    }

    // One that nobody was given: the order is right, and the place in it is of no such list.
    let id = uuid::Uuid::nil();
    let forged = store::cursor::encode(&json!({ "sort": "price", "value": "cheap", "id": id }));
    assert_eq!(pointer("service.findAll", json!({ "sort": "price", "cursor": forged })).await, "/cursor");
    let forged = store::cursor::encode(&json!({ "sort": "name", "value": "nul\0", "id": id }));
    assert_eq!(pointer("clinic.findAll", json!({ "sort": "name", "cursor": forged })).await, "/cursor");
}
