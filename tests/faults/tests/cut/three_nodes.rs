//! NATS on three nodes, of which one fails.

use super::stage::{begin_in, end_well, turn};
use faults::scenario::{Cut, Node, cut_node_off, lose_node};
use faults::world::{Layout, World, WorldOptions};
use std::path::PathBuf;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_that_loses_a_node_loses_no_write() {
    let _turn = turn().await;
    let options = WorldOptions {
        program: PathBuf::from(env!("CARGO_BIN_EXE_faults")),
        layout: Layout::cut(),
        settings: Vec::new(),
        planted: None,
    };
    let world = World::start_on_three_nodes(options).await.unwrap_or_else(|error| panic!("{error:#}"));
    let stage = begin_in(world).await;
    lose_node(&stage, Node::Leader, Duration::from_secs(4)).await.unwrap();
    cut_node_off(&stage, Node::Leader, Cut::Routes, Duration::from_secs(20)).await.unwrap();
    cut_node_off(&stage, Node::Leader, Cut::Everything, Duration::from_secs(20)).await.unwrap();
    end_well(stage).await;
}
