//! Many at once, on two instances.

use crate::stock::{Dice, SELLER, Shop, check_stock, commit, numbers, release, reserve};
use serde_json::{Value, json};
use std::time::Instant;
use subjects::Fault;
use testmesh::Mesh;

/// Each basket by a request of its own, all at once, each under a key as the edge gives one.
async fn all_at_once(mesh: &Mesh, baskets: &[Vec<Value>]) -> Vec<Result<Value, Fault>> {
    let asking = baskets
        .iter()
        .enumerate()
        .map(|(number, lines)| reserve(mesh, lines).under_key(&format!("basket-{number}")).coming_again().send())
        .map(tokio::spawn);
    let answers = futures::future::join_all(asking.collect::<Vec<_>>()).await;
    answers.into_iter().map(Result::unwrap).collect()
}

/// What was made; whatever was refused must have been short of something.
#[track_caller]
fn made(answers: &[Result<Value, Fault>]) -> Vec<&Value> {
    for fault in answers.iter().filter_map(|answer| answer.as_ref().err()) {
        assert_eq!(fault.reason, "out_of_stock", "{fault}");
        assert!(!fault.violations.is_empty());
    }
    answers.iter().filter_map(|answer| answer.as_ref().ok()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_hundred_who_want_the_last_ten_exactly_ten_get_one() {
    let mesh = crate::world::start().await;
    let _another = mesh.start_another(catalog::service(), catalog::app).await;
    let shop = Shop::found(&mesh, 6).await;
    shop.keep(&mesh, 0, 0, 4).await;
    shop.keep(&mesh, 0, 1, 6).await;
    for variant in 1..6 {
        shop.keep(&mesh, variant, variant % 2, 10_000).await;
    }
    // Baskets overlap, and name what they want in any order.
    let mut dice = Dice(1);
    let baskets: Vec<Vec<Value>> = (0..200)
        .map(|_| {
            let others = dice.below(4);
            let mut variants: Vec<usize> = dice.some(others, 5).into_iter().map(|variant| variant + 1).collect();
            variants.insert(dice.below(variants.len() + 1), 0);
            variants.into_iter().map(|variant| shop.line(variant, 1)).collect()
        })
        .collect();
    let begun = Instant::now();
    let answers = all_at_once(&mesh, &baskets).await;
    println!("200 reservations of the last 10 pieces, two instances: {:?}", begun.elapsed());

    assert_eq!(made(&answers).len(), 10);
    let scarce =
        format!("select sum(on_hand) || '/' || sum(reserved) from inventory where variant_id = '{}'", shop.variants[0]);
    assert_eq!(mesh.query(&scarce).await, "10/10");
    assert_eq!(mesh.number("select count(*) from reservations").await, 10);
    check_stock(&mesh).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn baskets_that_overlap_sell_everything_and_no_more() {
    let mesh = crate::world::start().await;
    let _another = mesh.start_another(catalog::service(), catalog::app).await;
    let shop = Shop::found(&mesh, 5).await;
    for variant in 0..5 {
        shop.keep(&mesh, variant, 0, 7).await;
        shop.keep(&mesh, variant, 1, 5).await;
    }
    let mut dice = Dice(2);
    let wishes: Vec<Vec<(usize, u32)>> = (0..150)
        .map(|_| {
            let count = 1 + dice.below(3);
            dice.some(count, 5)
                .into_iter()
                .map(|variant| (variant, 1 + u32::try_from(dice.below(3)).unwrap()))
                .collect()
        })
        .collect();
    let baskets: Vec<Vec<Value>> = wishes
        .iter()
        .map(|wish| wish.iter().map(|(variant, quantity)| shop.line(*variant, *quantity)).collect())
        .collect();
    let answers = all_at_once(&mesh, &baskets).await;
    made(&answers);

    let mut left = [12_i64; 5];
    for (wish, _) in wishes.iter().zip(&answers).filter(|(_, answer)| answer.is_ok()) {
        for (variant, quantity) in wish {
            left[*variant] -= i64::from(*quantity);
        }
    }
    assert!(left.iter().all(|left| *left >= 0), "{left:?}");
    // Nothing has come back, so whoever was refused would still be: nobody was sent away for nothing.
    for (wish, _) in wishes.iter().zip(&answers).filter(|(_, answer)| answer.is_err()) {
        assert!(wish.iter().any(|(variant, quantity)| i64::from(*quantity) > left[*variant]), "{wish:?} of {left:?}");
    }
    let reserved = mesh.number("select sum(reserved) from inventory").await;
    assert_eq!(reserved, 60 - left.iter().sum::<i64>());
    check_stock(&mesh).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn searches_know_when_the_last_piece_goes_and_the_first_comes_back() {
    let mesh = crate::world::start().await;
    let _another = mesh.start_another(catalog::service(), catalog::app).await;
    let shop = Shop::found(&mesh, 4).await;
    let available = "select available from product_search";
    assert_eq!(mesh.query(available).await, "false");
    let mut lines = Vec::new();
    for variant in 0..4 {
        for clinic in 0..2 {
            shop.keep(&mesh, variant, clinic, 1).await;
            lines.push(shop.line_at(variant, clinic, 1));
        }
    }
    for _ in 0..5 {
        assert_eq!(mesh.query(available).await, "true");
        // Each takes another piece, and only the last one of them takes the last.
        let taking =
            futures::future::join_all(lines.iter().map(|line| reserve(&mesh, std::slice::from_ref(line)).ok()));
        let taken = taking.await;
        assert_eq!(mesh.query(available).await, "false");
        check_stock(&mesh).await;
        futures::future::join_all(taken.iter().map(|reservation| release(&mesh, reservation).ok())).await;
    }
    check_stock(&mesh).await;
}

fn reason(answer: &Result<Value, Fault>) -> Option<&str> {
    answer.as_ref().err().map(|fault| fault.reason.as_ref())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn either_it_is_given_out_in_time_or_the_next_one_gets_it() {
    let settings = "[catalog]\nexpiry_interval_ms = 10";
    let mesh = Mesh::of("catalog").with(catalog::service(), catalog::app).settings(settings).start().await;
    let _another = mesh.start_another(catalog::service(), catalog::app).await;
    let shop = Shop::found(&mesh, 16).await;
    let mut reservations = Vec::new();
    for variant in 0..16 {
        shop.keep(&mesh, variant, 0, 1).await;
        reservations.push(reserve(&mesh, &[shop.line(variant, 1)]).ok().await);
    }
    // Each expires a little later than the one before.
    let soon = "update reservations as reservation set expires_at = now() + place.number * interval '25 milliseconds'
        from (select id, row_number() over (order by id) as number from reservations) as place
        where place.id = reservation.id";
    mesh.execute(soon).await;
    let races = reservations.iter().map(async |reservation| {
        let line = [json!({ "variantId": reservation["lines"][0]["variantId"], "quantity": 1 })];
        let (given_out, wanted) = futures::join!(commit(&mesh, reservation).send(), reserve(&mesh, &line).send());
        match (reason(&given_out), reason(&wanted)) {
            (None, Some(short)) => assert_eq!(short, "out_of_stock"),
            (Some(late), None) => assert_eq!(late, "reservation_expired"),
            // Whoever came too early gets it a little later.
            (Some(late), Some(short)) => {
                assert_eq!((late, short), ("reservation_expired", "out_of_stock"));
                while let Err(fault) = reserve(&mesh, &line).send().await {
                    assert_eq!(fault.reason, "out_of_stock", "{fault}");
                }
            }
            (None, None) => panic!("one piece went to two"),
        }
        given_out.is_ok()
    });
    let races = futures::future::join_all(races).await;
    let given_out = i64::try_from(races.into_iter().filter(|given_out| *given_out).count()).unwrap();
    println!("{given_out} of 16 were given out in time");
    assert_eq!(mesh.number("select 16 - sum(on_hand) from inventory").await, given_out);
    assert_eq!(mesh.number("select sum(reserved) from inventory").await, 16 - given_out);
    check_stock(&mesh).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_reservation_ends_one_way_however_many_try() {
    let mesh = crate::world::start().await;
    let _another = mesh.start_another(catalog::service(), catalog::app).await;
    let shop = Shop::found(&mesh, 2).await;
    shop.keep(&mesh, 0, 0, 50).await;
    shop.keep(&mesh, 1, 0, 50).await;
    for _ in 0..10 {
        let reservation = reserve(&mesh, &[shop.line(1, 2), shop.line(0, 3)]).ok().await;
        let trying = (0..20).map(|number| {
            let subject = if number % 2 == 0 { "inventory.commit" } else { "inventory.release" };
            tokio::spawn(mesh.ask(subject, json!({ "id": reservation["id"] })).by(&SELLER).send())
        });
        let answers = futures::future::join_all(trying.collect::<Vec<_>>()).await;
        let statuses: Vec<Value> =
            answers.into_iter().filter_map(|answer| Some(answer.unwrap().ok()?["status"].clone())).collect();
        assert_eq!(statuses.len(), 10);
        assert!(statuses.iter().all(|status| *status == statuses[0]));
    }
    println!("on hand and reserved at the end: {}", numbers(&mesh).await);
    assert_eq!(mesh.number("select sum(reserved) from inventory").await, 0);
    check_stock(&mesh).await;
}
