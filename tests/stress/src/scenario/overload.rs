//! Five times as many requests as there is room for.

use super::{Stage, nothing_failed, until_normal};
use crate::cores;
use crate::figures::{Figures, as_f64};
use crate::open_loop::{Stream, send, send_in_turn};
use crate::scene::Scene;
use crate::shot::Kind;
use anyhow::ensure;
use std::sync::Arc;
use std::time::Duration;

/// So many at a time show how much there is room for: as much as is done with the best of these numbers.
const WORKERS: [usize; 3] = [16, 8, 32];
/// What the crowd asks for.
const KINDS: [Kind; 2] = [Kind::Read, Kind::Change];
/// How many times as much there is to do then.
const TIMES: f64 = 5.0;
/// What is said of a request that was begun too late.
const LATE: &str = "504 deadline_exceeded";
/// Critical requests a second.
const CRITICAL: f64 = 20.0;

/// How much is done while there is far too much to do, and how soon it is as before.
///
/// # Errors
/// A request is neither done nor refused with a time to come back nor told at its deadline, nothing is refused, or critical
/// requests do not go first.
pub async fn play(stage: &Stage) -> anyhow::Result<()> {
    let scene = Arc::new(Scene::set(&stage.world, stage.edge()?, stage.sized(400, 190), 0).await?);
    let measured = Duration::from_secs(stage.sized(10, 3));
    let overloaded = Duration::from_secs(stage.sized(120, 8));

    let (peak, peak_time) = peak(stage, &scene, &KINDS, measured).await?;
    let mut costs = Vec::new();
    for kind in KINDS {
        let (alone, time) = self::peak(stage, &scene, &[kind], measured / 2).await?;
        costs.push(time.as_secs_f64() / as_f64(alone.all().good.len().max(1)));
    }
    let [of_read, of_change] = [0, 1].map(|kind| costs.get(kind).copied().unwrap_or_default());
    // One more of this costs several of that: each counts as the time of the processor that one of its kind alone takes.
    let useful = |figures: &Figures| {
        let done = |kind| as_f64(figures.of_kind(kind).good.len());
        done(Kind::Read) * of_read + (done(Kind::Change) + done(Kind::Critical)) * of_change
    };
    let useful_a_second = |figures: &Figures| useful(figures) / figures.time.as_secs_f64();

    let of_room = |times: f64| {
        let rate = peak.goodput() * times / 2.0;
        [
            Stream { kind: Kind::Read, rate },
            Stream { kind: Kind::Change, rate },
            Stream { kind: Kind::Critical, rate: CRITICAL },
        ]
    };
    let half = send(&scene, &of_room(0.5), measured).await;
    stage.say("half of that", &half);
    nothing_failed("at half of the peak", &half)?;

    let (flood, flood_time) = timed(send(&scene, &of_room(TIMES), overloaded)).await?;
    stage.say("five times that", &flood);
    let recovered = until_normal(&scene, &of_room(0.5), &half).await?;

    let all = flood.all();
    let (usual, then) = (half.all().good_within(990), all.good_within(990));
    let of_one = peak_time.as_secs_f64() / as_f64(peak.all().good.len().max(1));
    let of_refusal = (flood_time.as_secs_f64() - useful(&flood)).max(0.0) / as_f64(all.refused.len().max(1));
    let critical = flood.of_kind(Kind::Critical);
    let report = &stage.report;
    report.say(format_args!(
        "goodput: {:.0} % of the peak (aim 90)",
        100.0 * useful_a_second(&flood) / useful_a_second(&peak)
    ));
    report.say(format_args!(
        "p99 of what was done: {:.1} times that at half load (aim 3)",
        then.as_secs_f64() / usual.as_secs_f64()
    ));
    report.say(format_args!("critical requests done: {:.2} % (aim 99.9)", critical.good_percent()));
    report.say(format_args!(
        "processor time of a refusal: {:.3} of a request's, which is {:.2} ms (aim 0.1)",
        of_refusal / of_one,
        of_one * 1_000.0
    ));
    report.say(format_args!("as before {:.1} s after (aim 5)", recovered.as_secs_f64()));

    let late = all.failures.get(LATE).copied().unwrap_or_default();
    report.say(format_args!("begun, and not done within their deadline: {late}"));
    ensure!(late == all.failed, "under five times the load: {} failed: {:?}", all.failed, all.failures);
    ensure!(!all.refused.is_empty(), "nothing was refused: there was room for all");
    let others = 100.0 * as_f64(all.good.len() - critical.good.len()) / as_f64(all.sent() - critical.sent());
    ensure!(critical.good_percent() > others, "critical requests did not go first: {critical}; others {others:.1} %");
    Ok(())
}

/// As much as is done of these when each is sent as soon as one before it is done, and the processor's time that it took.
async fn peak(
    stage: &Stage,
    scene: &Arc<Scene>,
    kinds: &[Kind],
    time: Duration,
) -> anyhow::Result<(Figures, Duration)> {
    let mut best = (Figures::default(), Duration::ZERO);
    for workers in WORKERS.into_iter().take(stage.sized(WORKERS.len(), 1)) {
        send_in_turn(scene, kinds, workers, time / 4).await;
        let seen = timed(send_in_turn(scene, kinds, workers, time)).await?;
        stage.say(&format!("{workers} at a time"), &seen.0);
        nothing_failed("at the peak", &seen.0)?;
        if best.0.kinds.is_empty() || seen.0.goodput() > best.0.goodput() {
            best = seen;
        }
    }
    Ok(best)
}

/// And how much of the processor's time it took.
async fn timed(sending: impl Future<Output = Figures>) -> anyhow::Result<(Figures, Duration)> {
    let before = cores::time_used()?;
    let figures = sending.await;
    Ok((figures, cores::time_used()?.saturating_sub(before)))
}
