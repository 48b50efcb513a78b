//! All processes are replaced, one after the other, while people ask.

use super::Stage;
use crate::balancer::Balancer;
use crate::open_loop::{Stream, send};
use crate::scene::Scene;
use crate::shot::Kind;
use anyhow::{Context as _, ensure};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Of all requests so many are of each kind.
const SHARES: [(Kind, f64); 3] = [(Kind::Read, 0.695), (Kind::Change, 0.3), (Kind::Book, 0.005)];
/// So long a process that has just come is let work before the next one goes, as whoever rolls out waits and looks.
const LOOK: Duration = Duration::from_secs(1);
/// So long before the load ends no more processes are replaced.
const LAST: Duration = Duration::from_secs(10);

/// Round after round, until enough has been asked.
///
/// # Errors
/// A request is not done, or a process does not leave well or come back.
pub async fn play(stage: &Stage) -> anyhow::Result<()> {
    let (rate, time) = stage.sized((500.0, Duration::from_secs(205)), (60.0, Duration::from_secs(20)));
    let processes = &stage.world.processes;
    let edges = processes.layout().with("edge").into_iter().map(|name| processes.admin(name));
    let edges: Option<Vec<(String, String)>> =
        processes.edges().into_iter().zip(edges).map(|(edge, admin)| Some((edge, admin?))).collect();
    let balancer = Balancer::start(edges.context("there are no edges")?).await?;
    let scene = Arc::new(Scene::set(&stage.world, balancer.url(), stage.sized(400, 60), stage.sized(520, 20)).await?);

    let streams = SHARES.map(|(kind, share)| Stream { kind, rate: rate * share });
    let load = tokio::spawn(async move { send(&scene, &streams, time).await });
    let started = Instant::now();
    let mut replaced = 0;
    // Every process once at least, however long that takes.
    let mut left: Vec<&'static str> = Vec::new();
    while replaced < processes.layout().0.len() || started.elapsed() + LAST < time {
        if left.is_empty() {
            left = processes.layout().0.iter().map(|member| member.name).collect();
        }
        let name = left.remove(0);
        processes.leave(name).await?;
        processes.start(name).await?;
        replaced += 1;
        tokio::time::sleep(stage.sized(LOOK, Duration::ZERO)).await;
    }
    let figures = load.await?;
    stage.say(&format!("{replaced} processes replaced in {:.1} s", started.elapsed().as_secs_f64()), &figures);
    let all = figures.all();
    ensure!(all.failed == 0, "{} failed: {:?}", all.failed, all.failures);
    ensure!(all.unsent == 0, "{} were not sent", all.unsent);
    ensure!(all.refused.is_empty(), "{} were refused: {:?}", all.refused.len(), all.reasons);
    Ok(())
}
