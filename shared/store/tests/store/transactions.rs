//! Transactions.

use crate::world::{NoteError, World, insert_note};
use futures::FutureExt as _;
use sea_orm::{ConnectionTrait as _, DbBackend, Statement};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use store::{Error, Tx};
use subjects::{ErrorCode, Fault};
use tokio::sync::Barrier;
use uuid::Uuid;

async fn change(tx: &Tx, id: Uuid) -> Result<(), Fault> {
    let sql = "update notes set text = text || '.' where id = $1";
    tx.execute_raw(Statement::from_sql_and_values(DbBackend::Postgres, sql, [id.into()])).await.map_err(Error::from)?;
    Ok(())
}

#[tokio::test]
async fn a_deadlock_is_tried_again() {
    let world = World::start().await;
    let teller = world.teller().await;
    let (a, b) = (Uuid::now_v7(), Uuid::now_v7());
    teller.put(None, a, "a").await.unwrap();
    teller.put(None, b, "b").await.unwrap();

    let (tries, both_hold_one) = (AtomicUsize::new(0), Barrier::new(2));
    let (tries, both_hold_one, cx) = (&tries, &both_hold_one, &teller.cx(None));
    let both = |first: Uuid, second: Uuid| {
        cx.app.store.write::<_, _, Fault, _, _>(cx, move |tx| async move {
            change(&tx, first).await?;
            if tries.fetch_add(1, Ordering::SeqCst) < 2 {
                both_hold_one.wait().await;
            }
            change(&tx, second).await
        })
    };
    let (one, other) = tokio::join!(both(a, b), both(b, a));
    one.unwrap();
    other.unwrap();
    assert!(tries.load(Ordering::SeqCst) > 2, "there was no deadlock");
    assert_eq!(world.number("select count(*) from vendor.notes where text in ('a..', 'b..')").await, 2);
    teller.running.drain().await.unwrap();
}

#[tokio::test]
async fn a_failure_that_is_passed_over_is_no_success() {
    let world = World::start().await;
    let teller = world.teller().await;
    teller.put(None, Uuid::now_v7(), "hello").await.unwrap();
    let cx = &teller.cx(None);

    let outcome = cx.app.store.write::<_, _, NoteError, _, _>(cx, |tx| async move {
        insert_note(&tx, Uuid::now_v7(), "first").await?;
        let _passed_over = insert_note(&tx, Uuid::now_v7(), "hello").await;
        Ok(())
    });
    let error = outcome.await.unwrap_err();
    assert!(matches!(&error, NoteError::Fault(fault) if fault.code == ErrorCode::Internal), "{error:?}");
    assert_eq!(world.number("select count(*) from vendor.notes").await, 1);
    teller.running.drain().await.unwrap();
}

#[tokio::test]
async fn nothing_is_told_of_what_was_not_done() {
    let world = World::start().await;
    let teller = world.teller().await;
    teller.put(None, Uuid::now_v7(), "hello").await.unwrap();
    assert_eq!(teller.put(None, Uuid::now_v7(), "hello").await, Err(NoteError::TextTaken));
    assert_eq!(world.number("select count(*) from vendor.outbox").await, 1);
    teller.running.drain().await.unwrap();
}

#[tokio::test]
async fn text_that_postgres_cannot_keep_is_the_callers_fault() {
    let world = World::start().await;
    let teller = world.teller().await;
    let error = teller.put(None, Uuid::now_v7(), "a\0b").await.unwrap_err();
    assert!(matches!(&error, NoteError::Fault(fault) if fault.code == ErrorCode::BadRequest), "{error:?}");
    teller.running.drain().await.unwrap();
}

#[tokio::test]
async fn a_value_beyond_what_postgres_can_keep_is_the_callers_fault() {
    let world = World::start().await;
    let store = world.store("vendor").await;
    for beyond in ["'300000-01-01'::timestamptz", "3000000000::int4", "'soon'::timestamptz"] {
        let error = store.read().execute_unprepared(&format!("select {beyond}")).await.unwrap_err();
        assert_eq!(Fault::from(Error::from(error)).code, ErrorCode::BadRequest, "{beyond}");
    }
}

#[tokio::test]
async fn rows_are_deleted_in_batches_until_none_is_left() {
    let world = World::start().await;
    let store = world.store("vendor").await;
    world
        .execute(
            "insert into vendor.notes select gen_random_uuid(), case when n <= 10001 then 'old ' else 'new ' end || n
             from generate_series(1, 10011) as n",
        )
        .await;
    let deleted = store::delete_in_batches(store.read(), "notes", "starts_with(text, $1)", &["old".into()]).await;
    assert_eq!(deleted.unwrap(), 10_001);
    assert_eq!(world.number("select count(*) from vendor.notes").await, 10);
}

#[tokio::test]
async fn events_that_do_not_come_into_the_outbox_undo_the_transaction() {
    let world = World::start().await;
    let teller = world.teller().await;
    world
        .execute(
            "create function vendor.swallow() returns trigger language plpgsql as $$ begin return null; end $$;
             create trigger swallow before insert on vendor.outbox for each row execute function vendor.swallow()",
        )
        .await;
    for key in [None, Some("k")] {
        let error = teller.put(key, Uuid::now_v7(), "hello").await.unwrap_err();
        assert!(matches!(&error, NoteError::Fault(fault) if fault.code == ErrorCode::Internal), "{error:?}");
    }
    assert_eq!(world.number("select count(*) from vendor.notes").await, 0);
    assert_eq!(world.number("select count(*) from vendor.idempotency_keys").await, 0);
    teller.running.drain().await.unwrap();
}

#[tokio::test]
async fn a_database_that_is_away_is_unavailable() {
    let world = World::start().await;
    let teller = world.teller().await;
    world.execute(&format!("alter database {} connection limit 0", world.database)).await;
    world
        .execute(&format!(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = '{}' and usename = 'petpro_vendor'",
            world.database
        ))
        .await;
    let error = teller.put(None, Uuid::now_v7(), "hello").await;
    world.execute(&format!("alter database {} connection limit -1", world.database)).await;
    let error = error.unwrap_err();
    assert!(matches!(&error, NoteError::Fault(fault) if fault.code == ErrorCode::Unavailable), "{error:?}");
    teller.running.drain().await.unwrap();
}

/// A handler is dropped at its deadline, wherever it is.
#[tokio::test]
async fn whoever_is_dropped_while_it_begins_leaves_no_transaction_open() {
    let world = World::start().await;
    let store = world.store("vendor").await;
    store.ping().await.unwrap();
    for _ in 0..3 {
        // Asked, and gone before the answer.
        assert!(store::begin(store.read()).now_or_never().is_none());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let open = "select count(*) from pg_stat_activity where datname = current_database() \
                and usename = 'petpro_vendor' and state like 'idle in transaction%'";
    // Postgres itself ends them after a minute.
    tokio::time::timeout(Duration::from_secs(20), world.until(open, 0)).await.unwrap();
    // What is written outside a transaction is there for all at once.
    let sql = "insert into notes (id, text) values (gen_random_uuid(), 'afterwards')";
    store.read().execute_unprepared(sql).await.unwrap();
    assert_eq!(world.number("select count(*) from vendor.notes").await, 1);
}
