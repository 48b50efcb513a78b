//! How the database goes about finding products, among many.

use crate::search::all;
use crate::selling::{Seller, category};
use crate::world;
use serde_json::json;
use std::collections::BTreeSet;

/// Words that many products have, in an order with an index: some pages are found by walking down the list, others, where
/// what fits stands at its very end, by looking the words up.
#[tokio::test]
async fn common_words_are_listed_wherever_in_the_order_they_stand() {
    let mesh = world::start().await;
    let (seller, food) = (Seller::open(&mesh).await, category(&mesh, "food", json!({})).await);
    let (vendor_id, category) = (seller.vendor_id, food["id"].as_str().unwrap());
    mesh.execute(&format!(
        "insert into products (id, vendor_id, category_id, name, description, attributes, options, status, created_at,
            updated_at, version)
         select gen_random_uuid(), '{vendor_id}', '{category}', case when n % 100 = 0 or n > 2900 then 'seldom' else 'often' end,
            'thing', '{{}}', '[]', 'active', now() - n * interval '1 minute', now(), 1
         from generate_series(1, 3000) as n"
    ))
    .await;
    mesh.execute(
        "insert into product_search
            select id, vendor_id, category_id, created_at, extract(epoch from now() - created_at)::bigint, n % 2 = 0,
                '{}', product_words(name, brand, 'Food', description), now()
            from (select *, row_number() over (order by created_at) as n from products) as products",
    )
    .await;
    mesh.execute("insert into search_words values ('seldom'), ('often')").await;
    mesh.execute("analyze").await;
    for (word, sort) in [("seldom", "-createdAt"), ("seldom", "price"), ("seldom", "-price"), ("often", "price")] {
        let found = all(&mesh, json!({ "text": word, "sort": sort, "limit": 17 })).await;
        let expected = if word == "seldom" { 129 } else { 2871 };
        let ids: BTreeSet<String> = found.iter().map(|item| item["id"].to_string()).collect();
        assert_eq!((found.len(), ids.len()), (expected, expected), "{word} {sort}");
        let made: Vec<&str> = found.iter().map(|item| item["createdAt"].as_str().unwrap()).collect();
        assert!(if sort == "-price" { made.is_sorted() } else { made.iter().rev().is_sorted() }, "{word} {sort}");
        assert!(found.iter().all(|item| item["name"] == word), "{word} {sort}");
    }
}

#[tokio::test]
async fn searches_among_many_products_use_the_indexes() {
    let mesh = world::start().await;
    let (seller, food) = (Seller::open(&mesh).await, category(&mesh, "food", json!({})).await);
    let (vendor_id, category) = (seller.vendor_id, food["id"].as_str().unwrap());
    mesh.execute(&format!(
        "insert into products (id, vendor_id, category_id, name, description, attributes, options, status, created_at,
            updated_at, version)
         select gen_random_uuid(), '{vendor_id}', '{category}', 'product ' || md5(n::text), 'made of ' || md5((n % 500)::text),
            '{{}}', '[]', 'active', now() - n * interval '1 minute', now(), 1
         from generate_series(1, 20000) as n"
    ))
    .await;
    mesh.execute(
        "insert into product_search
            select id, vendor_id, category_id, created_at, (abs(hashtext(name)) % 1000000), false,
                array['pattern:' || abs(hashtext(name)) % 1000], product_words(name, brand, 'Food', description), now()
            from products",
    )
    .await;
    mesh.execute(
        "insert into search_words select md5(n::text) from generate_series(1, 100000) as n on conflict do nothing",
    )
    .await;
    mesh.execute("analyze").await;
    let plan = async |sql: &str| {
        let lines =
            mesh.query(&format!("select string_agg(line, chr(10)) from explain_lines($x${sql}$x$) as line")).await;
        assert!(
            !lines.contains("Seq Scan on product_search") && !lines.contains("Seq Scan on search_words"),
            "{lines}"
        );
        lines
    };
    mesh.execute(
        "create function explain_lines(sql text) returns setof text language plpgsql as $$
         begin return query execute 'explain ' || sql; end $$",
    )
    .await;
    let words = plan("select * from product_search where words @@ (word_query('made') && word_query(md5('7')))").await;
    assert!(words.contains("product_search_words_index"), "{words}");
    let pairs = plan("select * from product_search where attribute_pairs && array['pattern:7']").await;
    assert!(pairs.contains("product_search_attributes_index"), "{pairs}");
    let cheapest = plan(
        "select * from product_search found order by coalesce(found.price_from, 9223372036854775807), found.product_id limit 21",
    )
    .await;
    assert!(cheapest.contains("product_search_price_index"), "{cheapest}");
    let newest = plan("select * from product_search order by created_at desc, product_id desc limit 21").await;
    assert!(newest.contains("product_search_created_index"), "{newest}");
    let alike = plan("select word from search_words where word % 'produtc'").await;
    assert!(alike.contains("search_words_trigram_index"), "{alike}");

    // The very statements, as they are planned for the public.
    let cx = mesh.own_cx(catalog::app).await;
    for (question, of_page, of_counts) in [
        (json!({ "text": "made" }), "words_index", "words_index"),
        (json!({ "text": "product" }), "words_index", "words_index"),
        (json!({ "text": "produtc", "available": false, "sort": "price" }), "price_index", "words_index"),
        (json!({ "text": "product", "priceMin": 10_000, "priceMax": 900_000 }), "words_index", "words_index"),
        (json!({ "text": format!("made {:x}", 7), "sort": "-createdAt" }), "words_index", "words_index"),
        (json!({ "attributes": ["pattern:7"], "limit": 100 }), "attributes_index", ""),
        (json!({ "priceMin": 10_000, "priceMax": 11_000 }), "price_index", ""),
        (json!({ "sort": "price", "available": false }), "price_index", ""),
        (json!({ "sort": "-price" }), "price_down_index", ""),
        (json!({}), "created_index", ""),
    ] {
        let request = serde_json::from_value(question.clone()).unwrap();
        let [page, counts] = catalog::search_plans::of_search(&cx, &request).await.unwrap();
        assert!(page.contains(&format!("product_search_{of_page}")), "{question}\n{page}");
        assert!(!page.contains("Seq Scan on product_search"), "{question}\n{page}");
        // Without words, so many rows are counted that they may as well be the first of the table.
        assert!(
            of_counts.is_empty() || counts.contains(&format!("product_search_{of_counts}")),
            "{question}\n{counts}"
        );
    }

    let started = std::time::Instant::now();
    let page = mesh.ask("product.findAll", json!({ "text": format!("made {:x}", 7) })).ok().await;
    println!("a search among 20,000 products took {:?}", started.elapsed());
    assert_eq!(page["facets"]["exact"], true);
    let wide = mesh.ask("product.findAll", json!({ "text": "product" })).ok().await;
    assert_eq!(wide["facets"]["exact"], false);
}
