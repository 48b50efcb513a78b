//! Clients of a cluster of three.

use crate::world::{edge_declaration, metrics};
use identity::keys::KeyStore;
use platform::nats::{NatsConfig, connect};
use platform::permissions::{permissions, render};
use std::time::Duration;
use testkit::{NatsCluster, NatsClusterOptions};
use tokio::time::{sleep, timeout};

/// Longer than a client may take to leave a server.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_client_leaves_a_server_that_is_cut_off_and_stays_with_one_that_is_not() {
    let folder = tempfile::tempdir().unwrap();
    KeyStore::create_missing(folder.path(), &["edge"]).unwrap();
    let keys = KeyStore::open(folder.path()).unwrap();
    let public_keys = keys.nats_public_keys();
    let accounts = render(&permissions(&[edge_declaration()]), |identity| public_keys[identity].clone());
    let cluster = NatsCluster::start(NatsClusterOptions {
        accounts,
        tls: Some(keys.nats_server_dir()),
        ..NatsClusterOptions::default()
    })
    .await
    .unwrap();
    let config = NatsConfig { url: cluster.url(), ..NatsConfig::default() };
    let (client, signals) = connect(&config, "edge", &keys, metrics()).await.unwrap();
    let connections = signals.connections();

    let name_of = |number: usize| cluster.node(number).unwrap().name().to_owned();
    let place = || (0..NatsCluster::NODES).find(|number| name_of(*number) == client.server_info().server_name).unwrap();
    let until_elsewhere = async |from: usize| {
        let moved = timeout(PATIENCE, async {
            while place() == from {
                sleep(Duration::from_millis(50)).await;
            }
        });
        moved.await.expect("the client stays with a server that is cut off");
        client.request("$JS.API.INFO", "".into()).await.expect("the other server is as lonely")
    };

    // Its clients reach it still, and nobody else does.
    let first = place();
    cluster.cut_routes(first);
    until_elsewhere(first).await;
    let made = *connections.borrow();
    cluster.heal(first).unwrap();
    cluster.until_healthy().await.unwrap();

    // Nobody reaches it, and no connection is closed.
    let second = place();
    cluster.isolate(second).unwrap();
    until_elsewhere(second).await;
    assert_eq!(*connections.borrow(), made + 1, "the client wanders about in a healthy cluster");
    assert!(signals.refused_publishes().is_empty());
    cluster.stop().await.unwrap();
}
