//! A cluster of three that loses one of its nodes: killed, its disk wiped; or cut off from the others.

use super::Stage;
use crate::report::seconds;
use anyhow::Context as _;
use std::fmt;
use std::time::{Duration, Instant};
use testkit::NatsCluster;
use tokio::time::sleep;

/// The stream whose leader is meant where it matters which node it is.
const STREAM: &str = "EVENTS_BOOKING";
/// How often it is looked whether a write was acknowledged.
const LOOK: Duration = Duration::from_millis(20);
/// How long the stream may be without a leader before a fault.
const LEADER_PATIENCE: Duration = Duration::from_secs(30);

/// Which node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Node {
    /// The one that leads the stream of the bookings' events.
    Leader,
    /// Another one.
    Follower,
}

/// From what a node is cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// From the other nodes. Its clients stay with it, until they leave it by themselves.
    Routes,
    /// From the other nodes and from all clients, as a machine without a network.
    Everything,
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Node::Leader => "the leader of the bookings' events",
            Node::Follower => "a node that follows",
        })
    }
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Cut::Routes => "the other nodes",
            Cut::Everything => "the other nodes and all clients",
        })
    }
}

/// Kills a node, wipes its disk while it is away, starts it again, and waits until it has everything again and all is
/// normal.
///
/// # Errors
/// It does not come back, or does not catch up.
pub async fn lose_node(stage: &Stage, node: Node, away: Duration) -> anyhow::Result<()> {
    let cluster = cluster(stage)?;
    let number = find(cluster, node).await?;
    let what = format!("{node} (node {}) killed, back after {} with an empty disk", number + 1, seconds(away));
    let fault = Instant::now();
    let writes = Writes::before(stage);
    let breaking = async {
        cluster.node(number)?.kill().await?;
        sleep(away).await;
        cluster.node(number)?.wipe_store().await?;
        cluster.until_healthy().await?;
        stage.report.say(format_args!("{what}: it has everything again after {}", seconds(fault.elapsed())));
        stage.until_normal(&what, fault).await;
        stage.until_heard(&what, fault).await
    };
    let longest = writes.watched(stage, breaking).await?;
    writes.say(stage, &what, longest);
    Ok(())
}

/// Cuts a node off for so long, and waits until it has caught up and all is normal.
///
/// # Errors
/// It does not catch up.
pub async fn cut_node_off(stage: &Stage, node: Node, cut: Cut, time: Duration) -> anyhow::Result<()> {
    let cluster = cluster(stage)?;
    let number = find(cluster, node).await?;
    let what = format!("{node} (node {}) cut off from {cut} for {}", number + 1, seconds(time));
    let fault = Instant::now();
    let writes = Writes::before(stage);
    let breaking = async {
        match cut {
            Cut::Routes => cluster.cut_routes(number),
            Cut::Everything => cluster.isolate(number)?,
        }
        sleep(time).await;
        let during = stage.load.latency().normal_since(fault, stage.normal);
        match during {
            Some(since) => {
                let took = seconds(since.saturating_duration_since(fault));
                stage.report.say(format_args!("{what}: normal without it after {took}"));
            }
            None => stage.report.say(format_args!("{what}: NOT normal before it was joined again")),
        }
        let joined = Instant::now();
        cluster.heal(number)?;
        cluster.until_healthy().await?;
        stage.report.say(format_args!("{what}: it has caught up {} after it was joined", seconds(joined.elapsed())));
        stage.until_normal(&what, joined).await;
        stage.until_heard(&what, joined).await
    };
    let longest = writes.watched(stage, breaking).await?;
    writes.say(stage, &what, longest);
    Ok(())
}

fn cluster(stage: &Stage) -> anyhow::Result<&NatsCluster> {
    stage.world.cluster.as_ref().context("this world has no cluster")
}

async fn find(cluster: &NatsCluster, node: Node) -> anyhow::Result<usize> {
    let give_up = Instant::now() + LEADER_PATIENCE;
    loop {
        match cluster.leader_of(STREAM).await {
            Some(leader) if node == Node::Leader => return Ok(leader),
            Some(leader) => return Ok((leader + 1) % NatsCluster::NODES),
            None if Instant::now() > give_up => anyhow::bail!("{STREAM} has no leader"),
            None => sleep(Duration::from_millis(100)).await,
        }
    }
}

/// What becomes of writes while something is broken.
struct Writes {
    acknowledged: usize,
    sent_again: u64,
    open: u64,
}

impl Writes {
    fn before(stage: &Stage) -> Writes {
        let counts = stage.load.record().counts();
        let count = |what: &str| counts.get(what).copied().unwrap_or_default();
        Writes {
            acknowledged: stage.load.record().acknowledged_so_far(),
            sent_again: count("sent again"),
            open: count("open"),
        }
    }

    /// Answers the longest time without any acknowledged write while it went on.
    async fn watched(
        &self,
        stage: &Stage,
        breaking: impl Future<Output = anyhow::Result<()>>,
    ) -> anyhow::Result<Duration> {
        let mut breaking = std::pin::pin!(breaking);
        let (mut known, mut since, mut longest) = (self.acknowledged, Instant::now(), Duration::ZERO);
        loop {
            tokio::select! {
                done = &mut breaking => return done.map(|()| longest.max(since.elapsed())),
                () = sleep(LOOK) => {}
            }
            let now = stage.load.record().acknowledged_so_far();
            if now > known {
                longest = longest.max(since.elapsed());
                (known, since) = (now, Instant::now());
            }
        }
    }

    fn say(&self, stage: &Stage, what: &str, longest: Duration) {
        let after = Writes::before(stage);
        stage.report.say(format_args!(
            "{what}: {} writes acknowledged, {} attempts that were not and were made again, {} writes given up, longest \
             time without any acknowledged write {}",
            after.acknowledged - self.acknowledged,
            after.sent_again - self.sent_again,
            after.open - self.open,
            seconds(longest)
        ));
    }
}
