//! Servers start, survive a crash with their data as promised, and are gone when their owner is.

use std::fs::Permissions;
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use std::io::{BufRead, BufReader, Read, Write};

use sqlx::{Connection, PgConnection};
use testkit::{Durability, Nats, NatsOptions, Postgres, PostgresOptions, Redis, RedisOptions};

/// Waits for what must come about in the end, however slow the machine is.
fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < deadline, "{what}: not within a minute");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn is_open(port: u16) -> bool {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
}

fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).unwrap().next().is_none()
}

fn redis_says(port: u16, request: &str) -> String {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    stream.write_all(format!("{request}\r\nQUIT\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn nothing_is_left_of_a_killed_owner() {
    let temporary = tempfile::tempdir().unwrap();
    std::fs::set_permissions(temporary.path(), Permissions::from_mode(0o755)).unwrap();
    let mut owner = Command::new(env!("CARGO_BIN_EXE_testkit-hold"))
        .env("TMPDIR", temporary.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(owner.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let ports: Vec<u16> = line.split_whitespace().map(|port| port.parse().unwrap()).collect();
    assert_eq!(ports.len(), 6, "the owner said {line:?}");
    assert!(ports.iter().all(|port| is_open(*port)));
    assert!(!is_empty(temporary.path()));

    // SIGKILL: no destructor and no signal handler runs.
    owner.kill().unwrap();
    owner.wait().unwrap();

    eventually("all ports are closed", || !ports.iter().any(|port| is_open(*port)));
    eventually("all temporary folders are gone", || is_empty(temporary.path()));
}

#[test]
fn an_owner_killed_while_postgres_is_being_made_leaves_nothing() {
    let temporary = tempfile::tempdir().unwrap();
    std::fs::set_permissions(temporary.path(), Permissions::from_mode(0o755)).unwrap();
    let mut owner = Command::new(env!("CARGO_BIN_EXE_testkit-hold"))
        .env("TMPDIR", temporary.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    // initdb writes its first files long before its last.
    eventually("initdb has begun", || {
        std::fs::read_dir(temporary.path()).unwrap().flatten().any(|entry| entry.path().join("data").is_dir())
    });
    owner.kill().unwrap();
    owner.wait().unwrap();
    eventually("all temporary folders are gone", || is_empty(temporary.path()));
}

#[tokio::test]
async fn a_dropped_server_is_gone() {
    let redis = Redis::start(RedisOptions::default()).await.unwrap();
    let port = redis.port();
    assert!(redis_says(port, "PING").starts_with("+PONG"));
    drop(redis);
    eventually("the port is closed", || !is_open(port));
}

#[tokio::test]
async fn a_stopped_server_is_gone_at_once() {
    let nats = Nats::start(NatsOptions::default()).await.unwrap();
    nats.stop().await.unwrap();
    assert!(!is_open(nats.port()));
    nats.stop().await.unwrap();
}

#[tokio::test]
async fn redis_comes_back_empty_after_a_crash() {
    let redis = Redis::start(RedisOptions::default()).await.unwrap();
    redis_says(redis.port(), "SET pet dog");
    redis.kill().await.unwrap();
    assert!(!is_open(redis.port()));
    redis.restart().await.unwrap();
    assert!(redis_says(redis.port(), "GET pet").starts_with("$-1"));
    redis.stop().await.unwrap();
}

#[tokio::test]
async fn postgres_keeps_what_was_committed_before_a_crash() {
    let options = PostgresOptions { durability: Durability::Kept, ..PostgresOptions::default() };
    let postgres = Postgres::start(options).await.unwrap();
    let statements = ["CREATE TABLE pets (name text)", "INSERT INTO pets VALUES ('Bruno')"].map(String::from);
    postgres.execute("postgres", &statements).await.unwrap();

    postgres.kill().await.unwrap();
    assert!(!is_open(postgres.port()));
    postgres.restart().await.unwrap();

    let mut connection = PgConnection::connect(&postgres.admin_url("postgres")).await.unwrap();
    let name: String = sqlx::query_scalar("SELECT name FROM pets").fetch_one(&mut connection).await.unwrap();
    assert_eq!(name, "Bruno");
    // An acknowledgement before the disk has it would be a lie: see docs/durability.md.
    for setting in ["fsync", "full_page_writes", "synchronous_commit"] {
        let query = sqlx::query_scalar("SELECT current_setting($1)").bind(setting);
        let value: String = query.fetch_one(&mut connection).await.unwrap();
        assert_eq!(value, "on", "{setting}");
    }
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn a_kept_folder_serves_one_run_after_the_other() {
    let parent = tempfile::tempdir().unwrap();
    // Nobody else may enter: run as root, Postgres has to live elsewhere.
    std::fs::set_permissions(parent.path(), Permissions::from_mode(0o700)).unwrap();
    let folder = parent.path().join("postgres");
    let options = PostgresOptions { folder: Some(folder.clone()), ..PostgresOptions::default() };

    let first = Postgres::start(options.clone()).await.unwrap();
    first.ensure_database("clinics").await.unwrap();
    // The next run waits until the dropped one has stopped.
    drop(first);

    let second = Postgres::start(options).await.unwrap();
    second.ensure_database("clinics").await.unwrap();
    second.execute("clinics", &["CREATE TABLE pets (name text)".to_owned()]).await.unwrap();
    second.stop().await.unwrap();
    assert!(folder.exists());
    if let Ok(elsewhere) = std::fs::read_to_string(folder.join("moved-to")) {
        std::fs::remove_dir_all(elsewhere.trim()).unwrap();
    }
}

fn preferring(port: u16) -> RedisOptions {
    RedisOptions { preferred_port: Some(port), ..RedisOptions::default() }
}

#[tokio::test]
async fn a_preferred_port_is_used_unless_it_is_taken() {
    let mut first = None;
    // Somebody else may take the port in between, but not every time.
    for _attempt in 0..10 {
        let wanted = testkit::free_port().unwrap();
        let redis = Redis::start(preferring(wanted)).await.unwrap();
        if redis.port() == wanted {
            first = Some(redis);
            break;
        }
    }
    let first = first.expect("the preferred port is never used");
    let second = Redis::start(preferring(first.port())).await.unwrap();
    assert_ne!(second.port(), first.port());
}

#[tokio::test]
async fn nats_takes_new_accounts_while_it_runs_and_refuses_nonsense() {
    let nats = Nats::start(NatsOptions::default()).await.unwrap();
    let closed = "authorization { users: [ { user: \"owner\", password: \"of a long enough one\" } ] }";
    nats.reload(closed).await.unwrap();

    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, nats.port())).unwrap();
    stream.write_all(b"CONNECT {\"verbose\":false}\r\nPING\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("Authorization Violation"), "{answer}");

    let refusal = nats.reload("authorization { users: ").await.unwrap_err();
    assert!(refusal.to_string().contains("refuses"), "{refusal}");
    nats.kill().await.unwrap();
    nats.reload(closed).await.unwrap_err();
    nats.restart().await.unwrap();
    nats.stop().await.unwrap();
}

#[tokio::test]
async fn a_server_that_cannot_start_says_why() {
    let accounts = "this is not a configuration {".to_owned();
    let failure = Nats::start(NatsOptions { accounts, ..NatsOptions::default() }).await.unwrap_err();
    assert!(failure.to_string().contains("accounts.conf"), "{failure}");
}
