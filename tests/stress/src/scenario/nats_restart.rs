//! nats-server is killed and started again while people ask.

use super::{Stage, until_normal};
use crate::open_loop::{Stream, send};
use crate::scene::Scene;
use crate::shot::Kind;
use anyhow::{Context as _, ensure};
use std::sync::Arc;
use std::time::Duration;

/// How long it is away.
const AWAY: Duration = Duration::from_secs(1);
/// How long the edge may take for a request (`edge.request_timeout_ms`).
const DEADLINE: Duration = Duration::from_secs(5);
/// By how much an answer may be late.
const LATE: Duration = Duration::from_millis(100);

/// How long requests take then, and how soon it is as before.
///
/// # Errors
/// A request has no answer, or what was refused does not say when to come back.
pub async fn play(stage: &Stage) -> anyhow::Result<()> {
    let rate = stage.sized(150.0, 30.0);
    let scene = Arc::new(Scene::set(&stage.world, stage.edge()?, stage.sized(400, 100), 0).await?);
    let streams = [Stream { kind: Kind::Read, rate }, Stream { kind: Kind::Change, rate }];
    let usual = send(&scene, &streams, Duration::from_secs(3)).await;
    stage.say("usual", &usual);
    for round in 1..=stage.sized(5, 1) {
        let during = {
            let scene = scene.clone();
            tokio::spawn(async move { send(&scene, &streams, Duration::from_secs(3)).await })
        };
        tokio::time::sleep(Duration::from_secs(1)).await;
        let nats = stage.world.stack.nats.as_ref().context("NATS runs elsewhere")?;
        nats.kill().await?;
        tokio::time::sleep(AWAY).await;
        nats.restart().await?;
        let normal = until_normal(&scene, &streams, &usual).await?;
        let during = during.await?;
        stage.say(&format!("restart {round}"), &during);
        let late = during.all().good.into_iter().chain(during.all().refused).filter(|took| *took > DEADLINE + LATE);
        stage.report.say(format_args!(
            "later than {} ms after the deadline: {}; normal {:.1} s after nats-server was back (aim 2)",
            LATE.as_millis(),
            late.count(),
            normal.as_secs_f64(),
        ));
        // A change that was under way when the connection was lost may have been made: its answer says that nobody knows.
        let all = during.all();
        let unknown = |how: &String| how.starts_with("504 ");
        ensure!(all.failures.keys().all(unknown), "{} failed: {:?}", all.failed, all.failures);
    }
    Ok(())
}
