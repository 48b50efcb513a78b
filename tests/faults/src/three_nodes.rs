//! The part of a full run that has NATS on three nodes.

use crate::load::LoadOptions;
use crate::report::Report;
use crate::run::{LOOKS, RunOptions, conclude};
use crate::scenario::{Cut, Node, Stage, cut_node_off, lose_node};
use crate::world::{Layout, World, WorldOptions};
use anyhow::bail;
use std::time::Duration;

/// The name by which `--only` picks it.
pub const NAME: &str = "three-nodes";
/// How long it takes at the most.
pub const TIME: Duration = Duration::from_secs(600);
/// How long a node is cut off.
const CUT_OFF: Duration = Duration::from_secs(40);
/// How long a killed node is away.
const AWAY: Duration = Duration::from_secs(10);
const WARM_UP: Duration = Duration::from_secs(10);
const QUIET_PATIENCE: Duration = Duration::from_secs(180);

/// Each node is lost in one way or another, the one that leads as well as one that follows.
///
/// # Errors
/// A promise was broken, or something does not come back.
pub async fn full(options: RunOptions) -> anyhow::Result<()> {
    let report = Report::default();
    report.say(format_args!("NATS on three nodes, seed {}", options.seed));
    let RunOptions { seed, rate, program, planted, .. } = options;
    let world =
        World::start_on_three_nodes(WorldOptions { program, layout: Layout::full(), settings: Vec::new(), planted })
            .await?;
    let stage = Stage::set(world, LoadOptions { seed, rate, patience_s: 15 }, WARM_UP, report).await?;
    if let Err(error) = lose_each(&stage).await {
        bail!("{error:#} (seed {seed})\n{}", stage.world.processes.log_end());
    }
    let mut quiet = stage.end().await?;
    let found = conclude(&mut quiet, QUIET_PATIENCE, LOOKS).await?;
    let keep = options.keep || !found.violations.is_empty();
    quiet.world.stop(keep).await?;
    if !found.violations.is_empty() {
        bail!("{} promises were broken on three nodes (seed {seed})", found.violations.len());
    }
    quiet.report.say(format_args!("nothing lost on three nodes (seed {seed})"));
    Ok(())
}

async fn lose_each(stage: &Stage) -> anyhow::Result<()> {
    lose_node(stage, Node::Leader, AWAY).await?;
    cut_node_off(stage, Node::Follower, Cut::Everything, CUT_OFF).await?;
    cut_node_off(stage, Node::Leader, Cut::Routes, CUT_OFF).await?;
    lose_node(stage, Node::Follower, AWAY).await?;
    cut_node_off(stage, Node::Leader, Cut::Everything, CUT_OFF).await
}
