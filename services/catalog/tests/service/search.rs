//! Finding products.

use crate::selling::{Seller, category, merge, rupiah, tell_status};
use crate::world;
use catalog::seed::{DemoShop, Seeded, category_id, demo_products};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use subjects::ids::{ClinicId, VendorId};
use subjects::vendor::VendorStatus;
use testmesh::Mesh;

/// A mesh with demo products of two vendors that are open for business.
async fn with_demo(count: usize) -> (Mesh, Vec<DemoShop>) {
    let mesh = world::start().await;
    let mut shops = Vec::new();
    for clinics in [2, 0] {
        let vendor_id = VendorId::new();
        tell_status(&mesh, vendor_id, VendorStatus::Approved, 1).await;
        shops.push(DemoShop { vendor_id, clinic_ids: (0..clinics).map(|_| ClinicId::new()).collect() });
    }
    let cx = mesh.own_cx(catalog::app).await;
    let made = demo_products(&cx, &shops, count).await.unwrap();
    assert_eq!((made.products_made, made.products_found), (count, 0));
    (mesh, shops)
}

/// All pages of a search, one after the other.
pub async fn all(mesh: &Mesh, mut question: Value) -> Vec<Value> {
    let mut items = Vec::new();
    loop {
        let page = mesh.ask("product.findAll", question.clone()).ok().await;
        items.extend(page["items"].as_array().unwrap().iter().cloned());
        match page.get("nextCursor") {
            Some(cursor) => question["cursor"] = cursor.clone(),
            None => return items,
        }
    }
}

async fn names(mesh: &Mesh, question: Value) -> Vec<String> {
    all(mesh, question).await.iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn words_are_found_in_both_languages_and_with_typing_errors() {
    let mesh = world::start().await;
    let (seller, food) = (Seller::open(&mesh).await, category(&mesh, "pakan", json!({ "englishName": "Feed" })).await);
    for (name, brand, description) in [
        ("Makanan kucing kering", "Royal Canin", "Complete food for adult cats"),
        ("Makanan anjing", "Pedigree", "Complete food for active dogs"),
        ("Kandang besi", "Rimba", "A cage for rabbits; kandang untuk kelinci"),
    ] {
        seller.make(&mesh, &food, json!({ "name": name, "brand": brand, "description": description })).await;
    }
    for (text, expected) in [
        ("royal canin", "Makanan kucing kering"),
        ("royal cannin", "Makanan kucing kering"),
        ("makanan kucng", "Makanan kucing kering"),
        ("MAKANAN untuk KÚCING", "Makanan kucing kering"),
        ("pedigre", "Makanan anjing"),
        ("food for a dog", "Makanan anjing"),
        ("cages", "Kandang besi"),
        ("rabit", "Kandang besi"),
        ("kandnag", "Kandang besi"),
    ] {
        assert_eq!(names(&mesh, json!({ "text": text })).await, [expected], "{text}");
    }
    // A name weighs more than a description, and all words have to be there.
    assert_eq!(names(&mesh, json!({ "text": "makanan" })).await.len(), 2);
    assert_eq!(names(&mesh, json!({ "text": "feed" })).await.len(), 3);
    for text in ["xyzzy", "kucing pedigree", "%_!", "'; drop table products; --"] {
        assert_eq!(names(&mesh, json!({ "text": text })).await, [""; 0], "{text}");
    }
    let unsorted = mesh.ask("product.findAll", json!({ "sort": "relevance" })).fault().await;
    assert_eq!(unsorted.violations[0].pointer, "/sort");
}

#[tokio::test]
async fn every_order_has_pages_without_gap_or_repeat() {
    let (mesh, _) = with_demo(120).await;
    let whole = mesh.ask("product.findAll", json!({ "limit": 100, "facets": false })).ok().await;
    assert!(whole.get("facets").is_none());
    let mut questions = vec![json!({ "text": "kucing", "sort": "relevance" })];
    for sort in ["price", "-price", "-createdAt"] {
        questions.push(json!({ "sort": sort }));
        questions.push(json!({ "sort": sort, "text": "kucing", "available": true }));
    }
    for question in questions {
        let (mut small, mut large) = (question.clone(), question.clone());
        small["limit"] = json!(7);
        large["limit"] = json!(100);
        let (small, large) = (all(&mesh, small).await, all(&mesh, large).await);
        assert_eq!(small, large, "{question}");
        let ids: BTreeSet<String> = small.iter().map(|item| item["id"].to_string()).collect();
        assert_eq!(ids.len(), small.len(), "{question}");
        let prices: Vec<i64> = small.iter().map(|item| item["priceFrom"]["amount"].as_i64().unwrap()).collect();
        match question["sort"].as_str() {
            Some("price") => assert!(prices.is_sorted()),
            Some("-price") => assert!(prices.iter().rev().is_sorted()),
            _ => {}
        }
        if question.get("text").is_none() {
            assert_eq!(small.len(), 120);
        }
    }
    let by_price = mesh.ask("product.findAll", json!({ "sort": "price", "limit": 2 })).ok().await;
    let other =
        mesh.ask("product.findAll", json!({ "sort": "-price", "cursor": by_price["nextCursor"] })).fault().await;
    assert_eq!(other.violations[0].pointer, "/cursor");
}

/// What a product is to a filter.
struct Known {
    item: Value,
    attributes: BTreeMap<String, String>,
}

impl Known {
    fn price(&self) -> i64 {
        self.item["priceFrom"]["amount"].as_i64().unwrap()
    }

    /// Whether it fits a question, some of whose parts are left out.
    fn fits(&self, question: &Value, left_out: &str) -> bool {
        let asks = |field: &str| (field != left_out).then(|| question.get(field)).flatten();
        let price_fits = left_out == "price"
            || (question.get("priceMin").is_none_or(|least| self.price() >= least.as_i64().unwrap())
                && question.get("priceMax").is_none_or(|most| self.price() <= most.as_i64().unwrap()));
        let mut wanted: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for pair in question.get("attributes").and_then(Value::as_array).into_iter().flatten() {
            let (name, value) = pair.as_str().unwrap().split_once(':').unwrap();
            wanted.entry(name).or_default().push(value);
        }
        let attributes_fit = wanted.iter().all(|(name, values)| {
            *name == left_out || self.attributes.get(*name).is_some_and(|own| values.contains(&own.as_str()))
        });
        price_fits
            && attributes_fit
            && asks("vendorId").is_none_or(|vendor_id| self.item["vendorId"] == *vendor_id)
            && asks("available").is_none_or(|available| self.item["available"] == *available)
    }
}

#[tokio::test]
async fn facets_are_what_counting_gives() {
    let (mesh, shops) = with_demo(200).await;
    let mut known = Vec::new();
    for item in all(&mesh, json!({ "limit": 100 })).await {
        let product = mesh.ask("product.findOne", json!({ "id": item["id"] })).ok().await;
        let attributes = product["attributes"].as_object().unwrap().iter();
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        known.push(Known { item, attributes: attributes.map(|(name, value)| (name.clone(), text(value))).collect() });
    }
    for question in [
        json!({}),
        json!({ "available": true }),
        json!({ "vendorId": shops[0].vendor_id, "priceMin": 30_000 }),
        json!({ "attributes": ["flavour:tuna", "flavour:ayam"], "priceMax": 90_000 }),
        json!({ "attributes": ["flavour:tuna", "weightKg:0.5"], "available": false }),
        json!({ "attributes": ["colour:merah", "nothing:such"], "vendorId": shops[1].vendor_id }),
    ] {
        let facets = mesh.ask("product.findAll", question.clone()).ok().await["facets"].clone();
        let count = |left_out: &str, is: &dyn Fn(&Known) -> bool| {
            known.iter().filter(|each| each.fits(&question, left_out) && is(each)).count()
        };
        assert_eq!((&facets["total"], &facets["exact"]), (&json!(count("", &|_| true)), &json!(true)), "{question}");
        assert_eq!(all(&mesh, question.clone()).await.len(), count("", &|_| true));
        let available = |wanted: bool| count("available", &|each| each.item["available"] == wanted);
        assert_eq!(facets["available"], json!({ "yes": available(true), "no": available(false) }), "{question}");
        for shop in &shops {
            let expected = count("vendorId", &|each| each.item["vendorId"] == json!(shop.vendor_id));
            let told = facets["vendors"].as_array().unwrap().iter().find(|it| it["vendorId"] == json!(shop.vendor_id));
            assert_eq!(told.map_or(0, |it| it["count"].as_u64().unwrap()), expected as u64, "{question}");
        }
        for range in facets["prices"].as_array().unwrap() {
            let (from, to) = (range["from"].as_i64().unwrap(), range["to"].as_i64().unwrap_or(i64::MAX));
            let expected = count("price", &|each| (from..to).contains(&each.price()));
            assert_eq!(range["count"], expected, "{question}");
        }
        let mut told_values = 0;
        for facet in facets["attributes"].as_array().unwrap() {
            let name = facet["name"].as_str().unwrap();
            for value in facet["values"].as_array().unwrap() {
                let text = value["value"].as_str().unwrap();
                let expected = count(name, &|each| each.attributes.get(name).is_some_and(|own| own == text));
                assert_eq!(value["count"], expected, "{name} {text} {question}");
                told_values += 1;
            }
        }
        let distinct: BTreeSet<(&String, &String)> = known
            .iter()
            .flat_map(|each| each.attributes.iter().filter(|(name, _)| each.fits(&question, name)))
            .collect();
        assert_eq!(told_values, distinct.len(), "{question}");
        for told in facets["categories"].as_array().unwrap() {
            let within = all(&mesh, with(&question, json!({ "categoryId": told["categoryId"] }))).await;
            assert_eq!(told["count"], within.len(), "{question}");
        }
    }
}

fn with(question: &Value, changes: Value) -> Value {
    let mut changed = question.clone();
    merge(&mut changed, changes);
    changed
}

#[tokio::test]
async fn with_a_category_chosen_those_above_it_are_not_counted() {
    let (mesh, _) = with_demo(120).await;
    let ids = |page: &Value| -> BTreeSet<String> {
        let categories = page["facets"]["categories"].as_array().unwrap();
        categories.iter().map(|told| told["categoryId"].as_str().unwrap().to_owned()).collect()
    };
    let tree = mesh.ask("category.findAll", json!({})).ok().await;
    let children_of = |id: &str| -> Vec<String> {
        let categories = tree["items"].as_array().unwrap().iter();
        let below = categories.filter(|category| category["parentId"] == id);
        below.map(|category| category["id"].as_str().unwrap().to_owned()).collect()
    };
    let top = category_id("kucing").to_string();
    let page = mesh.ask("product.findAll", json!({ "categoryId": top })).ok().await;
    let mut below = vec![top];
    for index in 0.. {
        let Some(id) = below.get(index).cloned() else { break };
        below.extend(children_of(&id));
    }
    assert!(ids(&page).len() > 1 && ids(&page).iter().all(|id| below.contains(id)), "{page}");
    let lowest = below.last().unwrap();
    let page = mesh.ask("product.findAll", json!({ "categoryId": lowest })).ok().await;
    assert_eq!(ids(&page), BTreeSet::from([lowest.clone()]));
}

#[tokio::test]
async fn a_product_without_a_price_stands_last_and_is_in_no_range() {
    let mesh = world::start().await;
    let (seller, food) = (Seller::open(&mesh).await, category(&mesh, "food", json!({})).await);
    let later = json!([{ "price": rupiah(1), "validFrom": "2199-01-01T00:00:00Z" }]);
    let unpriced = seller.make(&mesh, &food, json!({ "variants": [{ "sku": "later", "prices": later }] })).await;
    seller.make(&mesh, &food, json!({})).await;
    for sort in ["price", "-price"] {
        let items = all(&mesh, json!({ "sort": sort, "limit": 1 })).await;
        assert_eq!((items.len(), &items[1]["id"]), (2, &unpriced["id"]), "{sort}");
        assert!(items[1].get("priceFrom").is_none());
    }
    assert_eq!(all(&mesh, json!({ "priceMin": 0 })).await.len(), 1);
}

#[tokio::test]
async fn the_demo_is_the_same_each_time_and_told_whole() {
    let (mesh, shops) = with_demo(300).await;
    crate::stock::check_stock(&mesh).await;
    let rows = mesh.own_rows().await;
    let cx = mesh.own_cx(catalog::app).await;
    let again = demo_products(&cx, &shops, 300).await.unwrap();
    assert_eq!(again, Seeded { categories_made: 0, products_made: 0, products_found: 300 });
    assert_eq!(rows, mesh.own_rows().await);
    assert_eq!((mesh.told("product.created").await, mesh.told("category.updated").await), (300, 16));
    let cats = json!({ "categoryId": category_id("kucing"), "text": "royal cannin", "available": true });
    assert!(!all(&mesh, cats).await.is_empty());
}
