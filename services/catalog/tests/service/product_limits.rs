//! Products at the limits of what can be kept.

use crate::selling::{Seller, category, rupiah, tell_status};
use crate::stock::{check_stock, employ, reserve};
use crate::world;
use identity::keys::Purpose;
use identity::{User, UserTokens};
use sea_orm::{ConnectionTrait as _, TransactionTrait as _};
use serde_json::{Value, json};
use subjects::MembershipRole;
use subjects::ids::ClinicId;
use subjects::vendor::VendorStatus;
use testmesh::{Asker, Mesh, customer};

fn at(instant: &str) -> String {
    format!("2027-03-01T00:00:00.{instant}Z")
}

#[tokio::test]
async fn instants_of_prices_are_judged_as_they_are_stored() {
    let mesh = world::start().await;
    let (seller, food) = (Seller::open(&mesh).await, category(&mesh, "food", json!({})).await);
    let product = |from: &str, to: &str| {
        let price = json!({ "price": rupiah(1), "validFrom": at(from), "validTo": at(to) });
        let variants = json!([{ "sku": format!("p{from}"), "prices": [price] }]);
        mesh.ask("product.create", seller.product(&food, json!({ "variants": variants }))).by(&seller.owner)
    };
    // The two are one instant to the database.
    let refused = product("000000001", "000000002").fault().await;
    assert_eq!(refused.violations[0].pointer, "/variants/0/prices/0/validTo");
    let made = product("0000014", "0000029").ok().await;
    let price = &made["variants"][0]["prices"][0];
    assert_eq!((&price["validFrom"], &price["validTo"]), (&json!(at("000001")), &json!(at("000002"))));
}

/// Many variants, by their place.
fn variants(names: &str, count: usize) -> Value {
    let variant = |place: usize| {
        json!({ "sku": format!("{names}-{place}"), "options": { "no": place.to_string() },
            "prices": [{ "price": rupiah(1) }] })
    };
    Value::from((0..count).map(variant).collect::<Vec<_>>())
}

/// Stock of each variant that has none, as if it had been begun.
async fn stock_everything(mesh: &Mesh) {
    mesh.execute(
        "insert into inventory (id, variant_id, product_id, vendor_id, clinic_id, on_hand, reserved, reorder_level,
            version, updated_at)
         select gen_random_uuid(), id, product_id, vendor_id, gen_random_uuid(), 1, 0, 0, 1, now()
         from product_variants where id not in (select variant_id from inventory)",
    )
    .await;
}

#[tokio::test]
async fn variants_that_stay_for_their_stock_are_bounded() {
    let mesh = world::start().await;
    let (seller, food) = (Seller::open(&mesh).await, category(&mesh, "food", json!({})).await);
    let values: Vec<String> = (0..50).map(|place| place.to_string()).collect();
    let options = json!([{ "name": "no", "values": values }]);
    let made = seller.make(&mesh, &food, json!({ "options": options, "variants": variants("a", 50) })).await;
    let replace = |names: &str, count: usize, version: i64| {
        let update = json!({ "id": made["id"], "categoryId": food["id"], "name": "Makanan", "description": "Makanan",
            "options": options, "variants": variants(names, count) });
        mesh.ask("product.update", update).by(&seller.owner).based_on(version)
    };
    for (version, names) in (1..).zip(["b", "c", "d"]) {
        stock_everything(&mesh).await;
        let kept = replace(names, 50, version).ok().await["variants"].as_array().unwrap().len();
        assert_eq!(kept, 50 * usize::try_from(version + 1).unwrap());
    }
    stock_everything(&mesh).await;
    let rows = mesh.own_rows().await;
    assert_eq!(replace("e", 1, 4).refusal().await, "too_many_variants");
    assert_eq!(mesh.own_rows().await, rows);
    // One that stays comes back by its number, and takes no place.
    replace("a", 50, 4).ok().await;
}

#[tokio::test]
async fn stock_of_a_variant_that_is_just_leaving_is_refused() {
    let mesh = world::start().await;
    let (seller, food) = (Seller::open(&mesh).await, category(&mesh, "food", json!({})).await);
    let (staff, clinic_id) = (customer(), ClinicId::new());
    employ(&mesh, &staff, seller.vendor_id, Some(clinic_id), MembershipRole::ClinicStaff).await;
    let variant_id = seller.make(&mesh, &food, json!({})).await["variants"][0]["id"].clone();

    let leaving = mesh.database().begin().await.unwrap();
    let gone = format!("delete from product_variants where id = '{}'", variant_id.as_str().unwrap());
    leaving.execute_unprepared(&gone).await.unwrap();
    let opening = mesh.ask("inventory.create", json!({ "variantId": variant_id, "clinicId": clinic_id })).by(&staff);
    let opening = tokio::spawn(opening.refusal());
    let waiting = "select count(*) from pg_stat_activity
        where wait_event_type = 'Lock' and query like '%inventory%' and datname = current_database()";
    mesh.until_query(waiting, 1).await;
    leaving.commit().await.unwrap();
    assert_eq!(opening.await.unwrap(), "variant_not_found");
    assert_eq!(mesh.number("select count(*) from inventory").await, 0);
    check_stock(&mesh).await;
}

/// What a user is told who asks over NATS: the edge has no route to it.
async fn check_as_neighbours_do(mesh: &Mesh, user: &User, lines: &Value) -> Value {
    let key = mesh.setup("edge").await.keys.signing_key("edge", Purpose::User).unwrap();
    let token = UserTokens::new(key).issue(user, chrono::Utc::now());
    let mut headers = async_nats::HeaderMap::new();
    headers.insert("Authorization", format!("Bearer {token}"));
    let asked = mesh.operator().request_with_headers("inventory.check", headers, lines.to_string().into());
    serde_json::from_slice(&asked.await.unwrap().payload).unwrap()
}

#[tokio::test]
async fn a_check_of_stock_tells_nobody_of_what_is_hidden_from_them() {
    let mesh = world::start().await;
    let (seller, food) = (Seller::open(&mesh).await, category(&mesh, "food", json!({})).await);
    let made = seller.make(&mesh, &food, json!({})).await;
    stock_everything(&mesh).await;
    let lines = json!({ "lines": [{ "variantId": made["variants"][0]["id"], "quantity": 1 }] });
    let available = async |asker: &Asker| {
        let check = match asker {
            Asker::User(user) => check_as_neighbours_do(&mesh, user, &lines).await,
            _ => mesh.ask("inventory.check", lines.clone()).by(asker).ok().await,
        };
        assert_eq!(check["enough"], check["lines"][0]["enough"]);
        check["lines"][0]["available"].as_i64().unwrap()
    };
    let (anybody, service) = (customer(), Asker::Service("booking"));
    assert_eq!((available(&anybody).await, available(&service).await), (1, 1));
    tell_status(&mesh, seller.vendor_id, VendorStatus::Suspended, 2).await;
    assert_eq!((available(&anybody).await, available(&service).await), (0, 1));
    assert_eq!(available(&seller.owner).await, 1);
    tell_status(&mesh, seller.vendor_id, VendorStatus::Approved, 3).await;
    mesh.ask("product.remove", json!({ "id": made["id"] })).by(&seller.owner).ok().await;
    assert_eq!((available(&anybody).await, available(&service).await), (0, 1));
}

#[tokio::test]
async fn prices_that_begin_to_hold_and_stock_that_goes_do_not_wait_in_a_circle() {
    let mesh = world::start().await;
    let (seller, food) = (Seller::open(&mesh).await, category(&mesh, "food", json!({})).await);
    let first = seller.make(&mesh, &food, json!({})).await;
    let second = seller.make(&mesh, &food, json!({})).await;
    stock_everything(&mesh).await;
    let id = first["id"].as_str().unwrap();
    // Written anew, the first one's row stands behind the second one's.
    let of_first = format!("where product_id = '{id}'");
    mesh.execute(&format!("update product_search set words_written_at = now() {of_first}")).await;
    let waiting =
        "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()";

    let holding = mesh.database().begin().await.unwrap();
    holding.execute_unprepared(&format!("select from product_search {of_first} for update")).await.unwrap();
    let line = |product: &Value| json!({ "variantId": product["variants"][0]["id"], "quantity": 1 });
    let last_pieces = tokio::spawn(reserve(&mesh, &[line(&first), line(&second)]).ok());
    mesh.until_query(waiting, 1).await;
    mesh.execute("update products set next_price_at = now()").await;
    mesh.until_query(waiting, 2).await;
    holding.commit().await.unwrap();
    last_pieces.await.unwrap();
    mesh.until_query("select string_agg(version::text, ' ') from products", "2 2").await;
    let deadlocks = "select deadlocks from pg_stat_database where datname = current_database()";
    assert_eq!(mesh.number(deadlocks).await, 0);
}
