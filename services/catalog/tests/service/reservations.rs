//! How stock is kept for somebody, and for how long.

use crate::stock::{SELLER, Shop, check_stock, commit, expire, numbers, release, reserve, without_sweep};
use crate::world;
use serde_json::{Value, json};
use subjects::ErrorCode;
use subjects::ids::VariantId;
use testmesh::Mesh;

/// The reasons of all movements, in the order in which they happened to each stock.
async fn reasons(mesh: &Mesh) -> String {
    mesh.query("select string_agg(reason, ' ' order by inventory_id, version) from stock_movements").await
}

/// How many pieces are kept at which place.
fn kept(shop: &Shop, reservation: &Value) -> [u64; 2] {
    shop.clinics.map(|clinic_id| {
        let lines = reservation["lines"].as_array().unwrap().iter();
        lines.filter(|line| line["clinicId"] == json!(clinic_id)).map(|line| line["quantity"].as_u64().unwrap()).sum()
    })
}

#[tokio::test]
async fn what_is_kept_is_given_out_or_back() {
    let mesh = world::start().await;
    let shop = Shop::found(&mesh, 1).await;
    shop.keep(&mesh, 0, 0, 4).await;
    shop.keep(&mesh, 0, 1, 6).await;
    // From the fuller place first; from a place that is named, alone.
    let first = reserve(&mesh, &[shop.line(0, 7)]).ok().await;
    assert_eq!(kept(&shop, &first), [1, 6]);
    let second = reserve(&mesh, &[shop.line_at(0, 0, 2)]).ok().await;
    assert_eq!((kept(&shop, &second), numbers(&mesh).await), ([2, 0], "4/3 6/6".to_owned()));
    assert_eq!(
        (&first["status"], &first["service"], &first["version"]),
        (&json!("active"), &json!("booking"), &json!(1))
    );

    let given_out = commit(&mesh, &first).ok().await;
    assert_eq!((&given_out["status"], &given_out["version"]), (&json!("committed"), &json!(2)));
    assert_eq!(numbers(&mesh).await, "3/2 0/0");
    let given_back = release(&mesh, &second).ok().await;
    assert_eq!((&given_back["status"], numbers(&mesh).await), (&json!("released"), "3/0 0/0".to_owned()));

    // Again it changes nothing; the other way it is refused.
    assert_eq!(commit(&mesh, &first).ok().await, given_out);
    assert_eq!(release(&mesh, &second).ok().await, given_back);
    assert_eq!(release(&mesh, &first).refusal().await, "reservation_committed");
    assert_eq!(commit(&mesh, &second).refusal().await, "reservation_released");
    let found = mesh.ask("reservation.findOne", json!({ "id": first["id"] })).by(&SELLER).ok().await;
    assert_eq!(found, given_out);
    assert_eq!(reasons(&mesh).await, "opened reserved reserved committed released opened reserved committed");
    let unknown = json!({ "id": subjects::ids::ReservationId::new() });
    for subject in ["inventory.commit", "inventory.release", "reservation.findOne"] {
        assert_eq!(mesh.ask(subject, unknown.clone()).by(&SELLER).refusal().await, "reservation_not_found");
    }
    check_stock(&mesh).await;
}

#[tokio::test]
async fn a_refusal_names_every_line_that_is_short_and_keeps_nothing() {
    let mesh = world::start().await;
    let shop = Shop::found(&mesh, 3).await;
    shop.keep(&mesh, 0, 0, 5).await;
    shop.keep(&mesh, 1, 0, 3).await;
    shop.keep(&mesh, 1, 1, 3).await;
    let lines = [
        shop.line(0, 5),
        shop.line(1, 4),
        shop.line_at(1, 0, 3),
        shop.line(2, 1),
        json!({ "variantId": VariantId::new(), "quantity": 2 }),
    ];
    let fault = reserve(&mesh, &lines).under_key("k").fault().await;
    assert_eq!((fault.code, fault.reason.as_ref()), (ErrorCode::Conflict, "out_of_stock"));
    let said: Vec<_> = fault.violations.iter().map(|short| (short.pointer.as_str(), short.message.as_str())).collect();
    let expected = [
        ("/lines/1", "4 wanted, 3 available"),
        ("/lines/3", "1 wanted, 0 available"),
        ("/lines/4", "2 wanted, 0 available"),
    ];
    assert_eq!(said, expected);
    assert_eq!(numbers(&mesh).await, "5/0 3/0 3/0");
    // The same answer under its key, with all that it said, whatever has come since.
    shop.keep(&mesh, 2, 0, 9).await;
    assert_eq!(reserve(&mesh, &lines).under_key("k").fault().await, fault);

    // What a check says beforehand.
    let check = mesh.ask("inventory.check", json!({ "lines": lines })).by(&SELLER).ok().await;
    let enough: Vec<bool> = check["lines"].as_array().unwrap().iter().map(|line| line["enough"] == true).collect();
    assert_eq!((check["enough"] == false, enough), (true, vec![true, false, true, true, false]));
    assert_eq!((&check["lines"][1]["available"], &check["lines"][2]["available"]), (&json!(6), &json!(3)));
    check_stock(&mesh).await;
}

#[tokio::test]
async fn lines_of_one_variant_are_one_demand() {
    let mesh = world::start().await;
    let shop = Shop::found(&mesh, 1).await;
    shop.keep(&mesh, 0, 0, 5).await;
    let refused = reserve(&mesh, &[shop.line(0, 3), shop.line(0, 3)]).fault().await;
    assert_eq!((refused.reason.as_ref(), refused.violations.len()), ("out_of_stock", 2));
    let made = reserve(&mesh, &[shop.line(0, 2), shop.line_at(0, 0, 1), shop.line(0, 2)]).ok().await;
    assert_eq!((made["lines"].as_array().unwrap().len(), kept(&shop, &made)), (1, [5, 0]));
    // One movement for all of them.
    assert_eq!(reasons(&mesh).await, "opened reserved");
    check_stock(&mesh).await;
}

#[tokio::test]
async fn under_a_key_stock_is_kept_once() {
    let mesh = world::start().await;
    let shop = Shop::found(&mesh, 1).await;
    shop.keep(&mesh, 0, 0, 1_000).await;
    let asking = (0..50).map(|_| tokio::spawn(reserve(&mesh, &[shop.line(0, 3)]).under_key("basket-1").ok()));
    let answers = futures::future::join_all(asking.collect::<Vec<_>>()).await;
    let first = answers[0].as_ref().unwrap();
    assert!(answers.iter().all(|answer| answer.as_ref().unwrap() == first));
    assert_eq!(
        (mesh.number("select count(*) from reservations").await, numbers(&mesh).await),
        (1, "1000/3".to_owned())
    );
    let other = reserve(&mesh, &[shop.line(0, 4)]).under_key("basket-1").fault().await;
    assert_eq!(other.code, ErrorCode::Unprocessable);
    check_stock(&mesh).await;
}

#[tokio::test]
async fn whoever_wants_expired_stock_gets_it_at_once() {
    let mesh = without_sweep().await;
    let shop = Shop::found(&mesh, 2).await;
    shop.keep(&mesh, 0, 0, 5).await;
    shop.keep(&mesh, 1, 0, 5).await;
    let forgotten = reserve(&mesh, &[shop.line(0, 5), shop.line(1, 2)]).ok().await;
    let waiting = reserve(&mesh, &[shop.line(1, 1)]).ok().await;
    assert_eq!(reserve(&mesh, &[shop.line(0, 1)]).refusal().await, "out_of_stock");
    expire(&mesh, Some(&forgotten)).await;
    assert_eq!(commit(&mesh, &forgotten).refusal().await, "reservation_expired");
    // It is still there until somebody wants it; then all of it goes.
    assert_eq!(numbers(&mesh).await, "5/5 5/3");
    reserve(&mesh, &[shop.line(0, 4)]).ok().await;
    assert_eq!(numbers(&mesh).await, "5/4 5/1");
    assert_eq!(commit(&mesh, &forgotten).refusal().await, "reservation_expired");
    assert_eq!(release(&mesh, &forgotten).ok().await["status"], "expired");
    // What is past its time and not ended yet can be given back by its maker.
    expire(&mesh, Some(&waiting)).await;
    assert_eq!(release(&mesh, &waiting).ok().await["status"], "released");
    let by_platform = "select count(*) from stock_movements where reason = 'expired' and actor = 'system'";
    assert_eq!(mesh.number(by_platform).await, 2);
    check_stock(&mesh).await;
}

#[tokio::test]
async fn what_nobody_wanted_is_swept_away_once() {
    let settings = "[catalog]\nexpiry_interval_ms = 20\nreservation_minutes = 30";
    let mesh = Mesh::of("catalog").with(catalog::service(), catalog::app).settings(settings).start().await;
    let _another = mesh.start_another(catalog::service(), catalog::app).await;
    let shop = Shop::found(&mesh, 3).await;
    for variant in 0..3 {
        shop.keep(&mesh, variant, 0, 500).await;
    }
    let lasting = reserve(&mesh, &[shop.line(0, 7)]).ok().await;
    let lasts = mesh.query("select expires_at - created_at from reservations").await;
    assert_eq!(lasts, "00:30:00");
    for number in 0..120 {
        reserve(&mesh, &[shop.line(number % 3, 1), shop.line((number + 1) % 3, 1)]).ok().await;
    }
    mesh.execute(&format!(
        "update reservations set expires_at = now() where id <> '{}'",
        lasting["id"].as_str().unwrap()
    ))
    .await;
    mesh.until_query("select count(*) from reservations where status = 'expired' and version = 2", 120).await;
    assert_eq!(numbers(&mesh).await, "500/7 500/0 500/0");
    commit(&mesh, &lasting).ok().await;
    check_stock(&mesh).await;

    let brief = json!({ "lines": [shop.line(0, 1)], "expiresInSeconds": 1 });
    let brief = mesh.ask("inventory.reserve", brief).by(&SELLER).ok().await;
    mesh.until_query(
        &format!("select status from reservations where id = '{}'", brief["id"].as_str().unwrap()),
        "expired",
    )
    .await;
    check_stock(&mesh).await;
}

#[tokio::test]
async fn everything_that_is_wrong_is_said_at_once() {
    let mesh = world::start().await;
    let shop = Shop::found(&mesh, 1).await;
    shop.keep(&mesh, 0, 0, 5).await;
    let wrong = async |request: Value| -> Vec<String> {
        let fault = mesh.ask("inventory.reserve", request).by(&SELLER).fault().await;
        assert_eq!(fault.code, ErrorCode::BadRequest);
        let mut pointers: Vec<String> = fault.violations.into_iter().map(|violation| violation.pointer).collect();
        pointers.sort_unstable();
        pointers.dedup();
        pointers
    };
    assert_eq!(wrong(json!({})).await, ["/lines"]);
    assert_eq!(wrong(json!({ "lines": [] })).await, ["/lines"]);
    assert_eq!(wrong(json!({ "lines": vec![shop.line(0, 1); 101] })).await, ["/lines"]);
    let lines = json!([shop.line(0, 0), shop.line(0, 10_001), { "variantId": "x", "quantity": "two" }]);
    let pointers = wrong(json!({ "lines": lines, "expiresInSeconds": 86_401 })).await;
    let expected =
        ["/expiresInSeconds", "/lines/0/quantity", "/lines/1/quantity", "/lines/2/quantity", "/lines/2/variantId"];
    assert_eq!(pointers, expected);
    assert_eq!(wrong(json!({ "lines": [shop.line(0, 1)], "expiresInSeconds": 0 })).await, ["/expiresInSeconds"]);
    assert_eq!(
        wrong(json!({ "lines": [{ "variantId": shop.variants[0], "quantity": -1 }] })).await,
        ["/lines/0/quantity"]
    );
    assert_eq!(numbers(&mesh).await, "5/0");
}
