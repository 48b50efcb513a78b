//! Personal data is found wherever a world writes, and is not shown.

use std::sync::Arc;
use testkit::{Leaks, MemoryLog, Nats, NatsOptions, Postgres, personal};

/// What is found where something was planted; it must name the place, and not say what stands there.
fn check_found(leaks: Leaks, place: &str) {
    let found = leaks.finish().expect_err("nothing was found").to_string();
    assert!(found.contains(place), "{found}");
    for hidden in ["Sari", "sari", "qzpersonal", "890517026", "secret-of-a-test", "123456"] {
        assert!(!found.contains(hidden), "{found}");
    }
}

#[test]
fn it_is_found_in_logs_from_where_a_world_begins() {
    let log = MemoryLog::default();
    let write = |line: &str| log.lock().unwrap().extend_from_slice(format!("{line}\n").as_bytes());
    let watched = || {
        let mut leaks = Leaks::new();
        leaks.memory("the log", &log);
        leaks
    };
    write(&personal::email("sari"));
    let leaks = watched();
    write("somebody has signed in");
    leaks.finish().unwrap();

    personal::secret("a long secret-of-a-test");
    personal::secret("123456");
    for line in [
        format!("user={} ip=192.0.2.7", personal::email("Sari")),
        format!("{{\"name\":\"{}\"}}", personal::text("x").to_uppercase()),
        format!("{} has called", personal::PHONE),
        "no mail to Sari@Example.com".to_owned(),
        "with a long secret-of-a-test".to_owned(),
        "\"code\":\"123456\"".to_owned(),
        "header.eyJhbGciOiJFZERTQSJ9.body".to_owned(),
    ] {
        let leaks = watched();
        write("first");
        write(&line);
        check_found(leaks, "the log:2: ");
    }
    let leaks = watched();
    write("at 12:00:00.123456Z on port 41234");
    leaks.finish().unwrap();
}

#[test]
fn it_is_found_in_every_log_below_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("redis")).unwrap();
    std::fs::write(folder.path().join("redis/redis.log"), format!("ready\n{}\n", personal::text("Sari"))).unwrap();
    std::fs::write(folder.path().join("notes.txt"), personal::text("Sari")).unwrap();
    let mut leaks = Leaks::new();
    leaks.folder(folder.path());
    check_found(leaks, "redis/redis.log:2: ");
}

#[tokio::test]
async fn it_is_found_in_streams() {
    let nats = Nats::start(NatsOptions::default()).await.unwrap();
    let client = async_nats::connect(nats.url()).await.unwrap();
    let jetstream = async_nats::jetstream::new(client);
    let config = async_nats::jetstream::stream::Config {
        name: "PETS".to_owned(),
        subjects: vec!["event.>".to_owned()],
        ..Default::default()
    };
    jetstream.create_stream(config).await.unwrap();
    let tell = async |text: String| {
        jetstream.publish("event.pet.created", text.into()).await.unwrap().await.unwrap();
        let mut leaks = Leaks::new();
        leaks.nats(&nats);
        leaks
    };
    tell("{\"species\":\"cat\"}".to_owned()).await.finish().unwrap();
    check_found(tell(format!("{{\"name\":\"{}\"}}", personal::text("Sari"))).await, ".blk:");
}

#[tokio::test]
async fn it_is_found_in_outboxes_and_dead_letters() {
    let postgres = Postgres::shared().await.unwrap();
    for (table, column) in [("outbox", "jsonb"), ("dead_letters", "bytea")] {
        let database = format!("leaks_in_{table}");
        postgres.create_database(&database).await.unwrap();
        let run = async |statement: String| postgres.execute(&database, &[statement]).await.unwrap();
        run(format!("create table {table} (body {column})")).await;
        run(format!("insert into {table} values ('{{\"species\": \"cat\"}}')")).await;
        let mut leaks = Leaks::new();
        leaks.postgres(postgres, &database);
        leaks.finish().unwrap();
        run(format!("insert into {table} values ('{{\"name\": \"{}\"}}')", personal::text("Sari"))).await;
        let mut leaks = Leaks::new();
        leaks.postgres(postgres, &database);
        check_found(leaks, &format!("public.{table}: "));
    }
}

#[tokio::test]
async fn it_is_found_in_the_log_of_postgres() {
    let postgres = Postgres::shared().await.unwrap();
    postgres.create_database("leaks_in_its_log").await.unwrap();
    let mut leaks = Leaks::new();
    leaks.postgres(postgres, "leaks_in_its_log");
    let warn = format!("do $$ begin raise warning '{}'; end $$", personal::text("Sari"));
    postgres.execute("leaks_in_its_log", &[warn]).await.unwrap();
    check_found(leaks, "postgres.log:");
}

#[test]
fn a_world_that_has_leaked_fails_its_test_at_its_end() {
    let log: MemoryLog = Arc::default();
    let leaky = || {
        let mut leaks = Leaks::new();
        leaks.memory("the log", &log);
        log.lock().unwrap().extend_from_slice(personal::text("Sari").as_bytes());
    };
    std::thread::scope(|scope| scope.spawn(leaky).join()).expect_err("it does not fail");
    let refused = || testkit::check_refusal("pet.create", &personal::text("Sari"));
    std::thread::scope(|scope| scope.spawn(refused).join()).expect_err("it does not fail");
    testkit::check_refusal("pet.create", "there is no such pet");
}
