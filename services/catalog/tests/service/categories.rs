//! The tree of categories.

use crate::selling::{Seller, category};
use crate::world;
use serde_json::{Value, json};
use subjects::ErrorCode;
use testmesh::{Mesh, customer, platform_admin};

/// Asks to move a category below another one.
fn moving(mesh: &Mesh, what: &Value, parent: Option<&Value>, version: i64) -> testmesh::Ask {
    let mut update = json!({ "id": what["id"], "name": what["name"], "slug": what["slug"] });
    if let Some(parent) = parent {
        update["parentId"] = parent["id"].clone();
    }
    mesh.ask("category.update", update).by(&platform_admin()).based_on(version)
}

#[tokio::test]
async fn the_tree_is_told_in_its_order() {
    let mesh = world::start().await;
    let mut events = mesh.listen().await;
    let dogs = category(&mesh, "dogs", json!({ "position": 2 })).await;
    let cats = category(&mesh, "cats", json!({ "position": 1 })).await;
    let food = category(&mesh, "cat-food", json!({ "parentId": cats["id"] })).await;
    assert_eq!(events.next("category.updated").await["categoryId"], dogs["id"]);
    let tree = mesh.ask("category.findAll", json!({})).ok().await;
    assert_eq!(tree["items"], json!([cats, food, dogs]));
    assert_eq!(mesh.ask("category.findOne", json!({ "id": food["id"] })).ok().await, food);

    let taken = json!({ "name": "Cats again", "slug": "cats" });
    assert_eq!(mesh.ask("category.create", taken.clone()).by(&platform_admin()).refusal().await, "slug_taken");
    assert_eq!(mesh.ask("category.create", taken).by(&customer()).refusal().await, "forbidden");
    let stale = moving(&mesh, &food, None, 7).fault().await;
    assert_eq!(stale.code, ErrorCode::PreconditionFailed);
}

#[tokio::test]
async fn a_category_never_stands_below_itself_however_many_move_at_once() {
    let mesh = world::start().await;
    let mut chain = vec![category(&mesh, "level-1", json!({})).await];
    for level in 2..=6 {
        let above = chain.last().unwrap()["id"].clone();
        chain.push(category(&mesh, &format!("level-{level}"), json!({ "parentId": above })).await);
    }
    let too_deep = json!({ "name": "7", "slug": "level-7", "parentId": chain[5]["id"] });
    assert_eq!(mesh.ask("category.create", too_deep).by(&platform_admin()).refusal().await, "category_too_deep");
    assert_eq!(moving(&mesh, &chain[0], Some(&chain[3]), 1).refusal().await, "category_cycle");
    assert_eq!(moving(&mesh, &chain[0], Some(&chain[0]), 1).refusal().await, "category_cycle");

    let (one, other) = (category(&mesh, "one", json!({})).await, category(&mesh, "other", json!({})).await);
    for _ in 0..5 {
        let (first, second) = tokio::join!(
            moving(&mesh, &one, Some(&other), version(&mesh, &one).await).send(),
            moving(&mesh, &other, Some(&one), version(&mesh, &other).await).send(),
        );
        assert!(first.is_ok() != second.is_ok(), "{first:?} {second:?}");
        for each in [&one, &other] {
            moving(&mesh, each, None, version(&mesh, each).await).ok().await;
        }
    }
    let tree = mesh.ask("category.findAll", json!({})).ok().await;
    assert_eq!(tree["items"].as_array().unwrap().len(), 8);
}

async fn version(mesh: &Mesh, category: &Value) -> i64 {
    mesh.ask("category.findOne", json!({ "id": category["id"] })).ok().await["version"].as_i64().unwrap()
}

#[tokio::test]
async fn only_an_empty_category_is_removed() {
    let mesh = world::start().await;
    let seller = Seller::open(&mesh).await;
    let cats = category(&mesh, "cats", json!({})).await;
    let food = category(&mesh, "food", json!({ "parentId": cats["id"] })).await;
    seller.make(&mesh, &food, json!({})).await;
    let remove = |what: &Value| mesh.ask("category.remove", json!({ "id": what["id"] })).by(&platform_admin());
    assert_eq!(remove(&cats).refusal().await, "category_not_empty");
    assert_eq!(remove(&food).refusal().await, "category_not_empty");
    let empty = category(&mesh, "empty", json!({})).await;
    let mut events = mesh.listen().await;
    remove(&empty).ok().await;
    assert_eq!(events.next("category.updated").await["removed"], true);
    assert_eq!(remove(&empty).refusal().await, "category_not_found");
}

#[tokio::test]
async fn products_are_found_by_the_new_name_of_a_category_above_them() {
    let mesh = world::start().await;
    let seller = Seller::open(&mesh).await;
    let cats = category(&mesh, "cats", json!({})).await;
    let food = category(&mesh, "food", json!({ "parentId": cats["id"] })).await;
    seller.make(&mesh, &food, json!({})).await;
    let found = async |text: &str| {
        let page = mesh.ask("product.findAll", json!({ "text": text })).ok().await;
        page["items"].as_array().unwrap().len()
    };
    assert_eq!((found("cats").await, found("reptil").await), (1, 0));
    let mut update = json!({ "id": cats["id"], "name": "Reptil", "englishName": "Reptiles", "slug": "cats" });
    update["attributeSchema"] = json!([]);
    mesh.ask("category.update", update).by(&platform_admin()).based_on(1).ok().await;
    let renamed = "select count(*) from product_search where words @@ word_query('reptil')";
    mesh.until_query(renamed, 1).await;
    assert_eq!((found("reptil").await, found("reptiles").await, found("cats").await), (1, 1, 0));
}
