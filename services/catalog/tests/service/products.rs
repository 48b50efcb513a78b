//! Products: who writes them, what they may be, and who sees them.

use crate::selling::{Seller, category, merge, rupiah, tell_status};
use crate::stock::employ;
use crate::world;
use serde_json::{Value, json};
use std::time::Duration;
use subjects::vendor::VendorStatus;
use subjects::{ErrorCode, MembershipRole};
use testmesh::{Asker, customer, platform_admin};

fn pointers(fault: &subjects::Fault) -> Vec<&str> {
    fault.violations.iter().map(|violation| violation.pointer.as_str()).collect()
}

/// What `product.update` asks for to leave a product as it is.
fn unchanged(product: &Value) -> Value {
    let mut update = product.clone();
    let fields = update.as_object_mut().unwrap();
    for field in ["vendorId", "status", "createdAt", "updatedAt", "version"] {
        fields.remove(field);
    }
    for variant in update["variants"].as_array_mut().unwrap() {
        variant.as_object_mut().unwrap().remove("price");
    }
    update
}

#[tokio::test]
async fn a_product_is_written_read_and_told_whole() {
    let mesh = world::start().await;
    let (seller, food) = (Seller::open(&mesh).await, category(&mesh, "food", json!({})).await);
    let mut events = mesh.listen().await;
    let details = json!({
        "brand": "Whiskas",
        "attributes": { "flavour": "tuna", "weightKg": 1.2, "pieces": 3, "grainFree": true },
        "images": [{ "url": "https://cdn.example/1.jpg", "alt": "A bag" }, { "url": "https://cdn.example/2.jpg" }],
        "options": [{ "name": "size", "values": ["S", "L"] }],
        "variants": [
            { "sku": "w-s", "options": { "size": "S" }, "prices": [{ "price": rupiah(20_000) }] },
            { "sku": "w-l", "options": { "size": "L" }, "active": false, "prices": [{ "price": rupiah(50_000) }] },
        ],
    });
    let made = seller.make(&mesh, &food, details.clone()).await;
    for field in ["brand", "attributes", "images", "options"] {
        assert_eq!(made[field], details[field], "{field}");
    }
    assert_eq!(made["variants"][0]["price"], rupiah(20_000));
    assert_eq!((&made["version"], &made["status"]), (&json!(1), &json!("active")));
    let id = json!({ "id": made["id"] });
    assert_eq!(mesh.ask("product.findOne", id.clone()).ok().await, made);
    assert_eq!(mesh.ask("getProduct", json!({ "productId": made["id"] })).ok().await, made);
    let told = events.next("product.created").await;
    assert_eq!((&told["productId"], &told["variants"][1]["sku"]), (&made["id"], &json!("w-l")));

    let same = mesh.ask("product.update", unchanged(&made)).by(&seller.owner).based_on(1).ok().await;
    assert_eq!((&same["variants"], &same["version"]), (&made["variants"], &json!(2)));
    assert_eq!(events.next("product.updated").await["version"], 2);

    mesh.ask("product.remove", id.clone()).by(&seller.owner).based_on(2).ok().await;
    let told = events.next("product.removed").await;
    assert_eq!((&told["version"], &told["status"]), (&json!(3), &json!("archived")));
    assert_eq!(mesh.ask("product.findOne", id.clone()).refusal().await, "product_not_found");
    assert_eq!(mesh.ask("product.findOne", id).by(&seller.owner).ok().await["status"], "archived");
    let late = mesh.ask("product.update", unchanged(&made)).by(&seller.owner).based_on(3).refusal().await;
    assert_eq!(late, "product_archived");
    // Its numbers are free again.
    seller.make(&mesh, &food, details).await;
}

#[tokio::test]
async fn only_those_who_run_the_vendor_write_its_products() {
    let mesh = world::start().await;
    let (seller, other) = (Seller::open(&mesh).await, Seller::open(&mesh).await);
    let (food, staff) = (category(&mesh, "food", json!({})).await, customer());
    employ(&mesh, &staff, seller.vendor_id, None, MembershipRole::ClinicStaff).await;
    let product = seller.product(&food, json!({}));
    assert_eq!(mesh.ask("product.create", product.clone()).refusal().await, "unauthenticated");
    for stranger in [&other.owner, &staff, &customer()] {
        assert_eq!(mesh.ask("product.create", product.clone()).by(stranger).refusal().await, "forbidden");
    }
    let made = mesh.ask("product.create", product).by(&platform_admin()).ok().await;
    for stranger in [&other.owner, &staff, &customer()] {
        let update = mesh.ask("product.update", unchanged(&made)).by(stranger).based_on(1);
        assert_eq!(update.refusal().await, "forbidden");
        let remove = mesh.ask("product.remove", json!({ "id": made["id"] })).by(stranger);
        assert_eq!(remove.refusal().await, "forbidden");
    }
    let unknown = Seller { vendor_id: subjects::ids::VendorId::new(), owner: platform_admin() };
    let nowhere = mesh.ask("product.create", unknown.product(&food, json!({}))).by(&unknown.owner);
    assert_eq!(nowhere.refusal().await, "vendor_not_found");
}

#[tokio::test]
async fn products_of_vendors_that_are_not_open_are_hidden_from_the_public() {
    let mesh = world::start().await;
    let (seller, food) = (Seller::open(&mesh).await, category(&mesh, "food", json!({})).await);
    let made = seller.make(&mesh, &food, json!({})).await;
    let id = json!({ "id": made["id"] });
    let found = async |asker: &Asker| {
        let page = mesh.ask("product.findAll", json!({ "text": "kucing" })).by(asker).ok().await;
        let one = mesh.ask("product.findOne", id.clone()).by(asker).send().await.is_ok();
        assert_eq!(page["facets"]["total"], page["items"].as_array().unwrap().len());
        (page["items"].as_array().unwrap().len(), one)
    };
    assert_eq!(found(&Asker::Nobody).await, (1, true));
    tell_status(&mesh, seller.vendor_id, VendorStatus::Suspended, 2).await;
    assert_eq!(found(&Asker::Nobody).await, (0, false));
    assert_eq!(found(&customer()).await, (0, false));
    assert_eq!(found(&seller.owner).await, (1, true));
    assert_eq!(found(&platform_admin()).await, (1, true));
    // Who does not see it does not learn of it by writing either.
    let update = mesh.ask("product.update", unchanged(&made)).by(&customer()).based_on(1);
    assert_eq!(update.refusal().await, "product_not_found");
    // An older event changes nothing.
    tell_status(&mesh, seller.vendor_id, VendorStatus::Approved, 1).await;
    mesh.until_outbox_is_empty().await;
    assert_eq!(found(&Asker::Nobody).await, (0, false));
}

#[tokio::test]
async fn all_that_is_wrong_is_told_at_once() {
    let mesh = world::start().await;
    let seller = Seller::open(&mesh).await;
    let animals = category(
        &mesh,
        "animals",
        json!({ "attributeSchema": [
        { "name": "weightKg", "type": "number", "required": true },
    ] }),
    )
    .await;
    let food = category(
        &mesh,
        "food",
        json!({ "parentId": animals["id"], "attributeSchema": [
        { "name": "flavour", "type": "choice", "choices": ["tuna", "ayam"], "filterable": true },
    ] }),
    )
    .await;
    let wrong = seller.product(
        &food,
        json!({
            "attributes": { "flavour": "beef", "free": "anything" },
            "options": [{ "name": "size", "values": ["S"] }],
            "variants": [
                { "sku": "a", "options": { "size": "S" }, "prices": [{ "price": rupiah(1) }, { "price": rupiah(2) }] },
                { "sku": "A", "options": { "size": "XL" }, "prices": [{ "price": rupiah(1) }] },
            ],
        }),
    );
    let fault = mesh.ask("product.create", wrong).by(&seller.owner).fault().await;
    assert_eq!(
        pointers(&fault),
        [
            "/attributes/flavour",
            "/attributes/weightKg",
            "/variants/0/prices/1",
            "/variants/1/sku",
            "/variants/1/options"
        ]
    );
    let fault = mesh
        .ask("product.create", seller.product(&food, json!({ "name": "", "attributes": { "a": [1] }, "variants": [] })))
        .by(&seller.owner)
        .fault()
        .await;
    assert_eq!(fault.code, ErrorCode::BadRequest);
    assert!(["/name", "/attributes/a", "/variants"].iter().all(|at| pointers(&fault).contains(at)), "{fault:?}");
    let nowhere = json!({ "categoryId": subjects::ids::CategoryId::new() });
    let refused = mesh.ask("product.create", seller.product(&food, nowhere)).by(&seller.owner).refusal().await;
    assert_eq!(refused, "unknown_category");
}

#[tokio::test]
async fn variants_keep_their_ids_and_those_with_stock_stay() {
    let mesh = world::start().await;
    let (seller, food) = (Seller::open(&mesh).await, category(&mesh, "food", json!({})).await);
    let sized =
        |sku: &str, size: &str| json!({ "sku": sku, "options": { "size": size }, "prices": [{ "price": rupiah(9) }] });
    let sizes = json!([{ "name": "size", "values": ["S", "M", "L", "XL"] }]);
    let variants = json!([sized("s", "S"), sized("m", "M"), sized("l", "L")]);
    let made = seller.make(&mesh, &food, json!({ "options": sizes, "variants": variants })).await;
    let id = |product: &Value, index: usize| product["variants"][index]["id"].clone();
    mesh.execute(&format!(
        "insert into inventory (id, variant_id, product_id, vendor_id, clinic_id, on_hand, reserved, reorder_level, version,
            updated_at)
         values (gen_random_uuid(), {}, {}, '{}', gen_random_uuid(), 5, 0, 0, 1, now())",
        id(&made, 2).to_string().replace('"', "'"),
        made["id"].to_string().replace('"', "'"),
        seller.vendor_id
    ))
    .await;
    let mut update = unchanged(&made);
    // Two change their numbers, a new one comes, one without stock goes and one with stock stays.
    let mut first = sized("m", "S");
    first["id"] = id(&made, 0);
    let mut second = sized("s", "M");
    second["id"] = id(&made, 1);
    update["variants"] = json!([first, second, sized("xl", "XL")]);
    let swapped = mesh.ask("product.update", update.clone()).by(&seller.owner).based_on(1).ok().await;
    let skus: Vec<&str> =
        swapped["variants"].as_array().unwrap().iter().map(|it| it["sku"].as_str().unwrap()).collect();
    assert_eq!(skus, ["m", "s", "xl", "l"]);
    assert_eq!((id(&swapped, 0), id(&swapped, 1), id(&swapped, 3)), (id(&made, 0), id(&made, 1), id(&made, 2)));
    assert_eq!((&swapped["variants"][3]["active"], &swapped["variants"][2]["active"]), (&json!(false), &json!(true)));
    // What goes without stock is gone; by its number a variant is the same again.
    update["variants"] = json!([sized("l", "L")]);
    let back = mesh.ask("product.update", update).by(&seller.owner).based_on(2).ok().await;
    assert_eq!((back["variants"].as_array().unwrap().len(), id(&back, 0)), (1, id(&made, 2)));
    // A number is one vendor's once.
    let again = seller.product(&food, json!({ "variants": [{ "sku": "L", "prices": [{ "price": rupiah(1) }] }] }));
    assert_eq!(mesh.ask("product.create", again).by(&seller.owner).refusal().await, "sku_taken");
}

#[tokio::test]
async fn a_change_says_what_it_is_based_on_and_is_made_once() {
    let mesh = world::start().await;
    let (seller, food) = (Seller::open(&mesh).await, category(&mesh, "food", json!({})).await);
    let product = seller.product(&food, json!({}));
    let first = mesh.ask("product.create", product.clone()).by(&seller.owner).under_key("k").ok().await;
    let again = mesh.ask("product.create", product).by(&seller.owner).under_key("k").ok().await;
    assert_eq!(first, again);
    assert_eq!(mesh.number("select count(*) from products").await, 1);
    let update = unchanged(&first);
    let without = mesh.ask("product.update", update.clone()).by(&seller.owner).fault().await;
    assert_eq!(without.code, ErrorCode::PreconditionRequired);
    let writers = (0..8).map(|index| {
        let mut update = update.clone();
        merge(&mut update, json!({ "name": format!("Makanan {index}") }));
        mesh.ask("product.update", update).by(&seller.owner).based_on(1).send()
    });
    let outcomes = join_all(writers).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    let stale = mesh.ask("product.remove", json!({ "id": first["id"] })).by(&seller.owner).based_on(1).fault().await;
    assert_eq!(stale.code, ErrorCode::PreconditionFailed);
}

async fn join_all<F>(futures: impl Iterator<Item = F>) -> Vec<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let tasks: Vec<_> = futures.map(tokio::spawn).collect();
    let mut outputs = Vec::new();
    for task in tasks {
        outputs.push(task.await.unwrap());
    }
    outputs
}

#[tokio::test]
async fn a_price_begins_to_hold_at_its_instant_and_is_told() {
    let mesh = world::start().await;
    let (seller, food) = (Seller::open(&mesh).await, category(&mesh, "food", json!({})).await);
    let mut events = mesh.listen().await;
    let boundary = chrono::Utc::now() + Duration::from_secs(3);
    let prices = json!([
        { "price": rupiah(40_000), "validTo": boundary },
        { "price": rupiah(70_000), "validFrom": boundary },
    ]);
    let made = seller.make(&mesh, &food, json!({ "variants": [{ "sku": "p", "prices": prices }] })).await;
    assert_eq!(made["variants"][0]["price"], rupiah(40_000));
    events.next("product.created").await;
    let told = events.next("product.updated").await;
    assert!(chrono::Utc::now() >= boundary);
    assert_eq!((&told["version"], &told["variants"][0]["price"]), (&json!(2), &rupiah(70_000)));
    let read = mesh.ask("product.findOne", json!({ "id": made["id"] })).ok().await;
    assert_eq!((&read["version"], &read["variants"][0]["price"]), (&json!(2), &rupiah(70_000)));
    let found = mesh.ask("product.findAll", json!({ "priceMin": 70_000 })).ok().await;
    assert_eq!(found["items"][0]["priceFrom"], rupiah(70_000));
}
