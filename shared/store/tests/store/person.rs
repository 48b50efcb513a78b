//! Keys of persons, and the answers that tell of them.

use crate::world::{RunningTeller, World};
use futures::future::join_all;
use serde_json::json;
use sqlx::{AssertSqlSafe, Executor as _};
use store::person::{PersonKeys, SealedText, Section, export, forget_person, open};
use subjects::ids::UserId;
use subjects::{ErrorCode, Fault};
use uuid::Uuid;

async fn destroy(teller: &RunningTeller, keys: &PersonKeys, subject: Uuid) {
    let cx = &teller.cx(None);
    let destroyed: Result<(), Fault> =
        teller.run.app.store.write(cx, |tx| async move { keys.destroy(&tx, subject).await }).await;
    destroyed.unwrap();
}

#[tokio::test]
async fn forty_writers_at_once_make_one_key() {
    let world = World::start().await;
    let replicas = [world.person_keys().await, world.person_keys().await];
    let subject = Uuid::now_v7();
    let seal = async |number: usize| {
        let key = replicas[number % 2].for_writing(subject).await.unwrap();
        key.seal("note/text", &format!("text {number}")).unwrap()
    };
    let sealed: Vec<SealedText> = join_all((0..40).map(seal)).await;
    assert_eq!(world.number("select count(*) from vendor.person_keys").await, 1);

    // A third one, with nothing in memory, opens them all.
    let store = world.store("vendor").await;
    let key = world.person_keys().await.for_reading(store.read(), subject).await.unwrap();
    for (number, text) in sealed.iter().enumerate() {
        assert_eq!(open(key.as_ref(), "note/text", text), Some(format!("text {number}")));
        assert_eq!(open(key.as_ref(), "note/other", text), None);
    }
}

#[tokio::test]
async fn a_destroyed_key_opens_nothing_and_is_never_made_again() {
    let world = World::start().await;
    let teller = world.teller().await;
    let keys = world.person_keys().await;
    let store = world.store("vendor").await;
    let (gone, other) = (Uuid::now_v7(), Uuid::now_v7());
    let sealed = keys.for_writing(gone).await.unwrap().seal("a", "secret").unwrap();
    let kept = keys.for_writing(other).await.unwrap().seal("a", "kept").unwrap();

    // What is rolled back is not destroyed.
    let keys_too = &keys;
    let undone: Result<(), Fault> = teller
        .run
        .app
        .store
        .write(&teller.cx(None), |tx| async move {
            keys_too.destroy(&tx, gone).await?;
            Err(Fault::forbidden())
        })
        .await;
    assert!(undone.is_err());
    let key = keys.for_reading(store.read(), gone).await.unwrap();
    assert_eq!(open(key.as_ref(), "a", &sealed).as_deref(), Some("secret"));

    // Twice is as good as once.
    destroy(&teller, &keys, gone).await;
    destroy(&teller, &keys, gone).await;
    for replica in [&keys, &world.person_keys().await] {
        let both = replica.of_many(store.read(), [gone, other]).await.unwrap();
        assert!(both.get(gone).is_none());
        assert_eq!(open(both.get(gone), "a", &sealed), None);
        assert_eq!(open(both.get(other), "a", &kept).as_deref(), Some("kept"));
        let refused = replica.for_writing(gone).await.unwrap_err();
        assert_eq!((refused.code, refused.reason.as_ref()), (ErrorCode::Gone, "person_erased"));
    }
    assert_eq!(world.number("select count(*) from vendor.person_keys where wrapped is null").await, 1);

    // Who never wrote anything can be erased as well.
    let stranger = Uuid::now_v7();
    destroy(&teller, &keys, stranger).await;
    assert_eq!(keys.for_writing(stranger).await.unwrap_err().code, ErrorCode::Gone);
    teller.running.drain().await.unwrap();
}

#[tokio::test]
async fn a_key_of_another_person_or_another_data_key_is_of_no_use() {
    let world = World::start().await;
    let keys = world.person_keys().await;
    let store = world.store("vendor").await;
    let (one, two) = (Uuid::now_v7(), Uuid::now_v7());
    let sealed = keys.for_writing(one).await.unwrap().seal("a", "secret").unwrap();
    keys.for_writing(two).await.unwrap();
    // Whoever may write rows gives one person the key of another.
    let swap = format!(
        "update vendor.person_keys set wrapped = (select wrapped from vendor.person_keys where subject = '{one}')
         where subject = '{two}'"
    );
    world.execute(&swap).await;
    let fresh = world.person_keys().await;
    assert_eq!(fresh.for_reading(store.read(), two).await.unwrap_err().code, ErrorCode::Internal);
    assert_eq!(fresh.for_writing(two).await.unwrap_err().code, ErrorCode::Internal);
    let key = fresh.for_reading(store.read(), one).await.unwrap();
    assert_eq!(open(key.as_ref(), "a", &sealed).as_deref(), Some("secret"));
}

#[tokio::test]
async fn answers_of_and_about_a_person_are_forgotten_and_others_are_not() {
    let world = World::start().await;
    let teller = world.teller().await;
    let (person, other, pet) = (UserId::new(), UserId::new(), Uuid::now_v7());
    let stored = [
        (format!("user:{person}"), json!({})),
        (format!("user:{person}:narrow"), json!({})),
        (format!("user:{other}"), json!({"customerId": person})),
        ("anonymous:digest".to_owned(), json!({"id": person, "email": "x"})),
        (format!("user:{other}"), json!({"items": [{"petId": pet}]})),
        (format!("user:{other}"), json!({"customerId": other})),
        ("service:vendor".to_owned(), json!({})),
        (format!("user:{person}0"), json!({})),
    ];
    let mut admin = world.admin().await;
    for (number, (scope, reply)) in stored.iter().enumerate() {
        let sql = format!(
            "insert into vendor.idempotency_keys (scope, subject, key, body_hash, status, reply)
             values ('{scope}', 'note.put', 'k{number}', '', 'replied', '{reply}')"
        );
        admin.execute(AssertSqlSafe(sql)).await.unwrap();
    }
    let forgotten: Result<(), Fault> =
        teller.run.app.store.write(&teller.cx(None), |tx| async move { forget_person(&tx, person, [pet]).await }).await;
    forgotten.unwrap();
    let kept: Vec<String> =
        sqlx::query_scalar("select key from vendor.idempotency_keys order by key").fetch_all(&mut admin).await.unwrap();
    assert_eq!(kept, ["k5", "k6", "k7"]);
    teller.running.drain().await.unwrap();
}

const SECTIONS: &[Section] = &[
    Section {
        kind: "empty",
        rows: "select '' as key, '{}'::jsonb as data where $1::uuid is null and $2 = '' and $3 > 0",
    },
    Section {
        kind: "note",
        rows: "select id::text as key, jsonb_build_object('id', id, 'text', text) as data from notes
            where $1::uuid is not null and id::text > $2 order by id limit $3",
    },
    Section {
        kind: "last",
        rows: "select 'l' as key, '{}'::jsonb as data where $1::uuid is not null and 'l' > $2 and $3 > 0",
    },
];

#[tokio::test]
async fn an_export_comes_in_pages_of_bounded_length_and_bytes() {
    let world = World::start().await;
    let store = world.store("vendor").await;
    world
        .execute("insert into vendor.notes select gen_random_uuid(), 'n' || i from generate_series(1, 1100) as i")
        .await;
    world
        .execute("insert into vendor.notes select gen_random_uuid(), repeat('x', 100000) || i from generate_series(1, 9) as i")
        .await;
    let mut cursor: Option<String> = None;
    let (mut seen, mut pages) = (Vec::new(), 0);
    loop {
        let page = export(store.read(), SECTIONS, UserId::new(), cursor.as_deref()).await.unwrap();
        assert!(page.rows.len() <= 500 && serde_json::to_vec(&page).unwrap().len() < 512 * 1024);
        pages += 1;
        seen.extend(page.rows.into_iter().map(|row| row.kind + &row.data.to_string()));
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert!(pages > 3, "{pages}");
    assert_eq!(seen.len(), 1_110);
    assert_eq!(seen.last().unwrap(), "last{}");
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 1_110, "something came twice");
    // Nor is an export over where another release of the service has gone on to a section that is not known here.
    let of_another_release = store::cursor::encode(&json!({ "kind": "new", "after": "" }));
    for unknown in ["?", &of_another_release] {
        let refused = export(store.read(), SECTIONS, UserId::new(), Some(unknown)).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::BadRequest, "{unknown}");
    }
}
