//! A cluster of three keeps what it has acknowledged while one of its nodes is killed, wiped or cut off.

use std::time::Duration;

use async_nats::jetstream::{self, stream};
use testkit::{NatsCluster, NatsClusterOptions};
use tokio::time::{sleep, timeout};

use crate::breaking::jetstream_at;

const STREAM: &str = "PETS";
const PATIENCE: Duration = Duration::from_secs(60);

async fn a_cluster_with_a_stream() -> (NatsCluster, jetstream::Context) {
    let cluster = NatsCluster::start(NatsClusterOptions::default()).await.unwrap();
    let jetstream = jetstream_at(&cluster.url()).await;
    let config = stream::Config {
        name: STREAM.to_owned(),
        subjects: vec!["pets.>".to_owned()],
        num_replicas: NatsCluster::NODES,
        ..stream::Config::default()
    };
    jetstream.create_stream(config).await.unwrap();
    (cluster, jetstream)
}

/// Publishes until one message more is acknowledged.
async fn publish_one(jetstream: &jetstream::Context) {
    let published = timeout(PATIENCE, async {
        loop {
            if let Ok(sent) = jetstream.publish("pets.born", "Bruno".into()).await
                && sent.await.is_ok()
            {
                return;
            }
            sleep(Duration::from_millis(100)).await;
        }
    });
    published.await.expect("nothing is acknowledged any more");
}

async fn messages(jetstream: &jetstream::Context) -> u64 {
    jetstream.get_stream(STREAM).await.unwrap().cached_info().state.messages
}

async fn leader_of(cluster: &NatsCluster) -> usize {
    let found = timeout(PATIENCE, async {
        loop {
            match cluster.leader_of(STREAM).await {
                Some(leader) => return leader,
                None => sleep(Duration::from_millis(50)).await,
            }
        }
    });
    found.await.expect("the stream has no leader")
}

#[tokio::test]
async fn a_node_that_comes_back_with_an_empty_disk_gets_everything_again() {
    let (cluster, jetstream) = a_cluster_with_a_stream().await;
    publish_one(&jetstream).await;
    let leader = leader_of(&cluster).await;
    cluster.node(leader).unwrap().kill().await.unwrap();
    publish_one(&jetstream).await;
    assert_ne!(leader_of(&cluster).await, leader);

    cluster.node(leader).unwrap().wipe_store().await.unwrap();
    cluster.until_healthy().await.unwrap();
    // Now it has to do with one of those that have had everything all along.
    let other = (leader + 1) % NatsCluster::NODES;
    cluster.node(other).unwrap().kill().await.unwrap();
    publish_one(&jetstream).await;
    assert!(messages(&jetstream).await >= 3);
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn a_leader_without_the_others_takes_nothing_and_catches_up() {
    let (cluster, jetstream) = a_cluster_with_a_stream().await;
    publish_one(&jetstream).await;
    let alone = leader_of(&cluster).await;
    cluster.cut_routes(alone);
    let at_it = jetstream_at(&cluster.urls()[alone]).await;
    let others: Vec<String> =
        cluster.urls().into_iter().enumerate().filter(|(number, _)| *number != alone).map(|(_, url)| url).collect();
    let at_others = jetstream_at(&others.join(",")).await;
    publish_one(&at_others).await;
    assert_ne!(leader_of_others(&cluster, alone).await, alone);
    // It may not acknowledge what it cannot have most nodes keep.
    let refused = timeout(Duration::from_secs(2), async { at_it.publish("pets.born", "Luna".into()).await?.await });
    assert!(!matches!(refused.await, Ok(Ok(_))));

    cluster.heal(alone).unwrap();
    cluster.until_healthy().await.unwrap();
    publish_one(&at_it).await;
    assert!(messages(&at_others).await >= 3);
    cluster.stop().await.unwrap();
}

/// The cut off one goes on believing that it leads for a while.
async fn leader_of_others(cluster: &NatsCluster, alone: usize) -> usize {
    let found = timeout(PATIENCE, async {
        loop {
            match cluster.leader_of(STREAM).await {
                Some(leader) if leader != alone => return leader,
                _ => sleep(Duration::from_millis(50)).await,
            }
        }
    });
    found.await.expect("the others have no leader")
}

#[tokio::test]
async fn an_isolated_node_does_not_answer_its_clients() {
    let (cluster, jetstream) = a_cluster_with_a_stream().await;
    let meta_leader = cluster.meta_leader().await.expect("JetStream has no leader");
    let at_it = jetstream_at(&cluster.urls()[meta_leader]).await;
    cluster.isolate(meta_leader).unwrap();
    assert!(timeout(Duration::from_secs(1), at_it.get_stream(STREAM)).await.is_err());
    cluster.heal(meta_leader).unwrap();
    cluster.until_healthy().await.unwrap();
    publish_one(&jetstream).await;
    publish_one(&at_it).await;
    cluster.stop().await.unwrap();
    drop(cluster);
}
