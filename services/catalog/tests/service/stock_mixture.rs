//! Everything that can happen to stock, by many at a time, while the books are looked at.

use crate::stock::{Dice, Shop, check_stock, commit, expire, release, reserve};
use serde_json::{Value, json};
use std::cell::Cell;
use testmesh::Mesh;

/// One who does this and that, and does not wait for the others.
async fn keep_busy(mesh: &Mesh, shop: &Shop, stock: &[Value], mut dice: Dice) {
    let mut kept: Vec<Value> = Vec::new();
    for _ in 0..25 {
        let which = dice.below(10);
        match which {
            0..4 => {
                let count = 1 + dice.below(3);
                let lines: Vec<Value> = dice
                    .some(count, 3)
                    .into_iter()
                    .map(|variant| {
                        let quantity = 1 + u32::try_from(dice.below(4)).unwrap();
                        if dice.below(3) == 0 {
                            shop.line_at(variant, dice.below(2), quantity)
                        } else {
                            shop.line(variant, quantity)
                        }
                    })
                    .collect();
                match reserve(mesh, &lines).send().await {
                    Ok(made) => kept.push(made),
                    Err(fault) => assert_eq!(fault.reason, "out_of_stock", "{fault}"),
                }
            }
            4..7 if !kept.is_empty() => {
                let reservation = kept.swap_remove(dice.below(kept.len()));
                let ended = if which < 6 {
                    commit(mesh, &reservation).send().await
                } else {
                    release(mesh, &reservation).send().await
                };
                if let Err(fault) = ended {
                    assert_eq!(fault.reason, "reservation_expired", "{fault}");
                }
            }
            7 if !kept.is_empty() => expire(mesh, Some(&kept[dice.below(kept.len())])).await,
            _ => {
                let id = &stock[dice.below(stock.len())]["id"];
                let now = mesh.ask("inventory.findOne", json!({ "id": id })).by(&shop.staff).ok().await;
                let change = i64::try_from(dice.below(9)).unwrap() - 3;
                let request =
                    json!({ "id": id, "change": change, "reorderLevel": dice.below(6), "reason": "corrected" });
                let version = now["version"].as_i64().unwrap();
                match mesh.ask("inventory.update", request).by(&shop.staff).based_on(version).send().await {
                    Ok(_) => {}
                    Err(fault) => {
                        assert!(["version_mismatch", "below_reserved"].contains(&fault.reason.as_ref()), "{fault}")
                    }
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_many_do_at_a_time_the_books_are_right() {
    let settings = "[catalog]\nexpiry_interval_ms = 30";
    let mesh = Mesh::of("catalog").with(catalog::service(), catalog::app).settings(settings).start().await;
    let _another = mesh.start_another(catalog::service(), catalog::app).await;
    let shop = Shop::found(&mesh, 3).await;
    let mut stock = Vec::new();
    for variant in 0..3 {
        for clinic in 0..2 {
            stock.push(shop.keep_above(&mesh, variant, clinic, 8, 3).await);
        }
    }
    let all_done = Cell::new(false);
    let busy = async {
        futures::future::join_all((0..24).map(|number| keep_busy(&mesh, &shop, &stock, Dice(100 + number)))).await;
        all_done.set(true);
    };
    // Each rule is one look at what has been committed: it holds at any moment.
    let inspecting = async {
        let mut looks = 0;
        while !all_done.get() {
            check_stock(&mesh).await;
            looks += 1;
        }
        looks
    };
    let ((), looks) = futures::join!(busy, inspecting);
    println!("the books were looked at {looks} times while they were written");
    check_stock(&mesh).await;
    let moved = mesh
        .query(
            "select string_agg(reason || ' ' || count, ', ' order by reason)
        from (select reason, count(*) from stock_movements group by reason) as each_reason",
        )
        .await;
    println!("movements: {moved}");
    assert_eq!(mesh.told("inventory.changed").await, mesh.number("select count(*) from stock_movements").await);
}
