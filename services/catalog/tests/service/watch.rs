//! Who sees what of stock as it changes.

use crate::stock::{Shop, check_stock, commit, employ, reserve};
use crate::world;
use subjects::MembershipRole;
use subjects::catalog::{InventoryItem, WatchInventory};
use subjects::ids::ClinicId;
use testmesh::{Asker, customer, platform_admin};

fn numbers(item: &InventoryItem) -> (i64, i32, i32, i32) {
    let stock = &item.0;
    (stock.version, stock.on_hand, stock.reserved, stock.available)
}

#[tokio::test]
async fn stock_is_watched_while_it_is_reserved_and_sold() {
    let mesh = world::start().await;
    let (shop, other_shop) = (Shop::found(&mesh, 2).await, Shop::found(&mesh, 1).await);
    shop.keep_above(&mesh, 0, 0, 10, 8).await;
    shop.keep(&mesh, 1, 1, 5).await;
    other_shop.keep(&mesh, 0, 0, 9).await;
    let mut watched = mesh.watch(&WatchInventory::default(), &shop.staff).await.unwrap();
    let before: Vec<_> = watched.snapshot().await.iter().map(numbers).collect();
    assert_eq!(before, [(1, 10, 0, 10), (1, 5, 0, 5)]);

    // Somebody else's comes in between and is not told.
    let reservation = reserve(&mesh, &[shop.line(0, 3)]).ok().await;
    reserve(&mesh, &[other_shop.line(0, 1)]).ok().await;
    assert_eq!(numbers(&watched.change().await), (2, 10, 3, 7));
    commit(&mesh, &reservation).ok().await;
    assert_eq!(numbers(&watched.change().await), (3, 7, 0, 7));
    // What was told of the same version by `inventory.low` is not told again.
    reserve(&mesh, &[shop.line(1, 5)]).ok().await;
    assert_eq!(numbers(&watched.change().await), (2, 5, 5, 0));
    check_stock(&mesh).await;
}

#[tokio::test]
async fn nobody_watches_the_stock_of_others() {
    let mesh = world::start().await;
    let shop = Shop::found(&mesh, 1).await;
    shop.keep(&mesh, 0, 0, 5).await;
    shop.keep(&mesh, 0, 1, 6).await;
    let everything = WatchInventory::default();
    let refused = mesh.watch(&everything, &Asker::Nobody).await.err().unwrap();
    assert_eq!(refused.reason, "unauthenticated");

    // A stranger names the shop; a neighbour works at one of its places alone.
    let (stranger, neighbour) = (customer(), customer());
    employ(&mesh, &neighbour, shop.vendor_id, Some(shop.clinics[1]), MembershipRole::ClinicStaff).await;
    let of_the_shop = WatchInventory { vendor_id: Some(shop.vendor_id), ..WatchInventory::default() };
    let mut nothing = mesh.watch(&of_the_shop, &stranger).await.unwrap();
    assert_eq!(nothing.snapshot().await, []);
    let mut of_one_place = mesh.watch(&of_the_shop, &neighbour).await.unwrap();
    assert_eq!(of_one_place.snapshot().await.len(), 1);
    let elsewhere = WatchInventory { clinic_id: Some(ClinicId::new()), ..WatchInventory::default() };
    assert_eq!(mesh.watch(&elsewhere, &shop.staff).await.unwrap().snapshot().await, []);
    assert_eq!(mesh.watch(&everything, &platform_admin()).await.unwrap().snapshot().await.len(), 2);
    // Who sees the stock of others is kept, and whose it is.
    mesh.watch(&of_the_shop, &platform_admin()).await.unwrap();
    let kept = format!("select count(*) from audit_entries where subject_id = '{}'", shop.vendor_id);
    mesh.until_query(&kept, 1).await;

    reserve(&mesh, &[shop.line_at(0, 0, 1)]).ok().await;
    reserve(&mesh, &[shop.line_at(0, 1, 2)]).ok().await;
    assert_eq!(numbers(&of_one_place.change().await), (2, 6, 2, 4));
    // The first that the stranger hears is what becomes theirs to see at the next lease, which is not yet.
    let waited = tokio::time::timeout(std::time::Duration::from_millis(200), nothing.change()).await;
    assert!(waited.is_err(), "a stranger heard of {waited:?}");
}
