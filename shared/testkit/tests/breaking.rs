//! What a server may lose, and how it may stand still: stores wiped, copied and put back, SIGSTOP.

use std::path::Path;
use std::time::Duration;

use async_nats::jetstream::{self, stream};
use sqlx::{Connection as _, PgConnection};
use testkit::{Nats, NatsOptions, Postgres, PostgresOptions, Process, Proxy, Redis, RedisOptions};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

/// Longer than anything takes that is going to happen at all.
const PATIENCE: Duration = Duration::from_secs(60);
/// Shown only: what has not happened in this time is taken not to happen.
const STILL: Duration = Duration::from_millis(300);

pub async fn jetstream_at(url: &str) -> jetstream::Context {
    let servers: Vec<&str> = url.split(',').collect();
    jetstream::new(async_nats::connect(servers).await.unwrap())
}

async fn publish(jetstream: &jetstream::Context, count: usize) {
    for _ in 0..count {
        jetstream.publish("pets.born", "Bruno".into()).await.unwrap().await.unwrap();
    }
}

async fn messages(jetstream: &jetstream::Context) -> u64 {
    jetstream.get_stream("PETS").await.unwrap().cached_info().state.messages
}

async fn a_server_with_messages(count: usize) -> Nats {
    let nats = Nats::start(NatsOptions::default()).await.unwrap();
    let jetstream = jetstream_at(&nats.url()).await;
    let subjects = vec!["pets.>".to_owned()];
    let config = stream::Config { name: "PETS".to_owned(), subjects, ..stream::Config::default() };
    jetstream.create_stream(config).await.unwrap();
    publish(&jetstream, count).await;
    nats
}

#[tokio::test]
async fn a_wiped_store_has_no_stream() {
    let nats = a_server_with_messages(3).await;
    let port = nats.port();
    nats.wipe_store().await.unwrap();
    assert_eq!(nats.port(), port);
    let jetstream = jetstream_at(&nats.url()).await;
    assert!(jetstream.get_stream("PETS").await.is_err());
    nats.stop().await.unwrap();
}

#[tokio::test]
async fn a_store_that_is_put_back_has_forgotten_what_came_later() {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy");
    let nats = a_server_with_messages(3).await;
    nats.copy_store(&copy).await.unwrap();
    let before = jetstream_at(&nats.url()).await;
    publish(&before, 4).await;
    assert_eq!(messages(&before).await, 7);

    nats.put_store_back(&copy).await.unwrap();
    let after = jetstream_at(&nats.url()).await;
    assert_eq!(messages(&after).await, 3);
    publish(&after, 1).await;
    assert_eq!(after.get_stream("PETS").await.unwrap().cached_info().state.last_sequence, 4);

    assert!(nats.copy_store(&copy).await.is_err(), "a copy is not written over");
    assert!(nats.put_store_back(Path::new("/nowhere")).await.is_err());
    nats.stop().await.unwrap();
}

#[tokio::test]
async fn a_paused_nats_answers_when_it_goes_on() {
    let nats = a_server_with_messages(1).await;
    let jetstream = jetstream_at(&nats.url()).await;
    nats.pause().await.unwrap();
    assert!(timeout(STILL, jetstream.get_stream("PETS")).await.is_err());
    nats.resume().await.unwrap();
    assert_eq!(timeout(PATIENCE, messages(&jetstream)).await.unwrap(), 1);
    nats.pause().await.unwrap();
    // Nobody has to let it go on before it can be stopped.
    nats.stop().await.unwrap();
}

#[tokio::test]
async fn a_paused_redis_answers_when_it_goes_on() {
    let redis = Redis::start(RedisOptions::default()).await.unwrap();
    redis.pause().await.unwrap();
    let mut stream = TcpStream::connect(("127.0.0.1", redis.port())).await.unwrap();
    stream.write_all(b"PING\r\n").await.unwrap();
    let mut answer = [0; 7];
    assert!(timeout(STILL, stream.read_exact(&mut answer)).await.is_err());
    redis.resume().await.unwrap();
    timeout(PATIENCE, stream.read_exact(&mut answer)).await.unwrap().unwrap();
    assert_eq!(&answer, b"+PONG\r\n");
    redis.pause().await.unwrap();
    redis.kill().await.unwrap();
    redis.restart().await.unwrap();
    redis.stop().await.unwrap();
}

/// The state letter of each process whose parent is `parent`; see proc(5).
fn states_of_children(parent: u32) -> Vec<(u32, String)> {
    let stats = std::fs::read_dir("/proc").unwrap().flatten();
    let stats = stats.filter_map(|entry| std::fs::read_to_string(entry.path().join("stat")).ok());
    let fields = stats.map(|stat| stat.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
    let children = fields.filter(|fields| fields.get(3) == Some(&parent.to_string()));
    children.map(|fields| (fields.first().unwrap().parse().unwrap(), fields.get(2).unwrap().clone())).collect()
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_paused_postgres_stands_still_in_all_its_processes_and_leaves_none_behind() {
    let postgres = Postgres::start(PostgresOptions::default()).await.unwrap();
    let mut connection = PgConnection::connect(&postgres.admin_url("postgres")).await.unwrap();
    let backend: i32 = sqlx::query_scalar("select pg_backend_pid()").fetch_one(&mut connection).await.unwrap();
    let stat = std::fs::read_to_string(format!("/proc/{backend}/stat")).unwrap();
    let postmaster: u32 = stat.split_whitespace().nth(3).unwrap().parse().unwrap();

    postgres.pause().await.unwrap();
    let mut asking = Box::pin(sqlx::query_scalar::<_, i32>("select 7").fetch_one(&mut connection));
    assert!(timeout(STILL, &mut asking).await.is_err());
    assert!(states_of_children(postmaster).iter().all(|(_, state)| state == "T"));
    postgres.resume().await.unwrap();
    assert_eq!(timeout(PATIENCE, asking).await.unwrap().unwrap(), 7);

    postgres.pause().await.unwrap();
    let children = states_of_children(postmaster);
    assert!(children.iter().any(|(id, _)| *id == u32::try_from(backend).unwrap()));
    postgres.kill().await.unwrap();
    let is_left =
        |id: u32| std::fs::read_to_string(format!("/proc/{id}/comm")).is_ok_and(|name| name.contains("postgres"));
    timeout(PATIENCE, async {
        while children.iter().any(|(id, _)| is_left(*id)) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .expect("processes of a killed Postgres are left");
    postgres.restart().await.unwrap();
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn a_paused_process_ends_when_it_is_asked_to() {
    let folder = tempfile::tempdir().unwrap();
    let start = || {
        let (program, log) = (Path::new("sleep"), folder.path().join("log"));
        Process::spawn(program, &["1000"], &std::collections::BTreeMap::new(), &log).unwrap()
    };
    let (mut killed, mut terminated) = (start(), start());
    killed.signal("STOP").unwrap();
    terminated.pause().await.unwrap();
    assert!(terminated.id().is_some());
    killed.kill().await.unwrap();
    assert_eq!(terminated.terminate().await.unwrap(), 128 + 15);
}

/// Says back whatever it is told.
async fn echo() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut from, mut to) = stream.split();
                tokio::io::copy(&mut from, &mut to).await
            });
        }
    });
    port
}

async fn said_back(stream: &mut TcpStream, word: &[u8]) -> bool {
    let mut answer = vec![0; word.len()];
    stream.read_exact(&mut answer).await.unwrap();
    answer == word
}

#[tokio::test]
async fn nothing_passes_a_cut_link_and_nothing_is_lost_on_it() {
    let proxy = Proxy::start().unwrap();
    proxy.pass_on_to(echo().await);
    let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
    stream.write_all(b"before").await.unwrap();
    assert!(timeout(PATIENCE, said_back(&mut stream, b"before")).await.unwrap());

    proxy.cut();
    stream.write_all(b"during").await.unwrap();
    let mut newcomer = TcpStream::connect(proxy.address()).await.unwrap();
    newcomer.write_all(b"new").await.unwrap();
    assert!(timeout(STILL, said_back(&mut stream, b"during")).await.is_err());
    assert!(timeout(STILL, said_back(&mut newcomer, b"new")).await.is_err());

    proxy.heal();
    stream.write_all(b"after").await.unwrap();
    assert!(timeout(PATIENCE, said_back(&mut stream, b"duringafter")).await.unwrap());
    assert!(timeout(PATIENCE, said_back(&mut newcomer, b"new")).await.unwrap());
}

#[tokio::test]
async fn an_end_passes_and_a_dropped_proxy_ends_its_connections() {
    let proxy = Proxy::start().unwrap();
    let mut early = TcpStream::connect(proxy.address()).await.unwrap();
    early.write_all(b"early").await.unwrap();
    proxy.pass_on_to(echo().await);
    early.shutdown().await.unwrap();
    let mut answer = Vec::new();
    timeout(PATIENCE, early.read_to_end(&mut answer)).await.unwrap().unwrap();
    assert_eq!(answer, b"early");

    let mut left = TcpStream::connect(proxy.address()).await.unwrap();
    left.write_all(b"left").await.unwrap();
    assert!(timeout(PATIENCE, said_back(&mut left, b"left")).await.unwrap());
    drop(proxy);
    // With or without an error: it ends.
    let _ = timeout(PATIENCE, left.read_to_end(&mut answer)).await.unwrap();
}
