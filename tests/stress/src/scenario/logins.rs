//! 500 logins at once, while others read their bookings; and before that how long single ones take.

#[path = "timing.rs"]
mod timing;

use super::Stage;
use crate::figures::{Figures, OfKind};
use crate::open_loop::{Stream, send};
use crate::scene::Scene;
use crate::shot::Kind;
use anyhow::ensure;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How many at once.
const LOGINS: usize = 500;

/// How those who read notice.
///
/// # Errors
/// A login is neither looked at nor refused with a time to come back, or a read is not done.
pub async fn play(stage: &Stage) -> anyhow::Result<()> {
    timing::measure(stage).await?;
    let scene = Arc::new(Scene::set(&stage.world, stage.edge()?, 50, 0).await?);
    let reads = [Stream { kind: Kind::Read, rate: stage.sized(200.0, 50.0) }];
    let time = Duration::from_secs(stage.sized(8, 4));
    let usual = send(&scene, &reads, time).await.of_kind(Kind::Read);
    stage.report.say(format_args!("reads, usually: {usual}"));
    let mut growths = Vec::new();
    let mut refused = 0;
    for _ in 0..stage.sized(5, 1) {
        let logging_in = all_at_once(&scene);
        let (logins, during) = tokio::join!(logging_in, send(&scene, &reads, time));
        let during: OfKind = during.of_kind(Kind::Read);
        let logins = logins.all();
        stage.report.say(format_args!("logins: {logins}"));
        stage.report.say(format_args!("reads meanwhile: {during}"));
        growths.push(during.good_within(990).as_secs_f64() / usual.good_within(990).as_secs_f64());
        refused += logins.refused.len();
        ensure!(logins.failed == 0 && logins.sent() == LOGINS, "{logins}");
        ensure!(during.failed == 0 && during.refused.is_empty(), "reads: {during}");
    }
    growths.sort_unstable_by(f64::total_cmp);
    let middle = growths.get(growths.len() / 2).copied().unwrap_or_default();
    stage.report.say(format_args!("p99 of reads: {middle:.2} times the usual (aim 1.2)"));
    ensure!(refused > 0, "all logins were looked at: the queue has no bound");
    Ok(())
}

async fn all_at_once(scene: &Arc<Scene>) -> Figures {
    let started = Instant::now();
    let all = (0..LOGINS).map(|_| scene.shoot(Kind::Login, started));
    Figures::of(started.elapsed(), futures::future::join_all(all).await)
}
