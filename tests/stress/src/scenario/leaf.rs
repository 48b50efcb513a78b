//! The vendor service, which booking asks when a booking is made, falls silent or becomes slow.

use super::{Stage, nothing_failed};
use crate::open_loop::{Stream, send};
use crate::scene::Scene;
use crate::shot::Kind;
use anyhow::ensure;
use faults::world::{Layout, Member};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const LEAF: &str = "vendor-1";
/// Who asks it.
const CALLER: &str = "booking-1";
/// How long it stands and how long it runs, in turn, while it is a hundred times slower.
const STANDS: Duration = Duration::from_millis(99);
const RUNS: Duration = Duration::from_millis(1);

/// The leaf alone in a process.
pub(super) fn layout() -> Layout {
    Layout(vec![
        Member { name: "edge-1", services: &["edge"] },
        Member { name: CALLER, services: &["booking"] },
        Member { name: LEAF, services: &["vendor"] },
        Member { name: "others-1", services: &["auth", "profile", "catalog"] },
        Member { name: "ledger-1", services: &["ledger"] },
    ])
}

/// How much the leaf is asked while it does not answer, and what callers hear.
///
/// # Errors
/// A caller has no answer, the circuit stays closed, the leaf is asked more than usual, or all does not become as before.
pub async fn dead(stage: &Stage) -> anyhow::Result<()> {
    let rate = stage.sized(20.0, 5.0);
    let time = Duration::from_secs(stage.sized(20, 12));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small number")]
    let slots = (rate * time.as_secs_f64() * 3.2) as usize;
    let scene = Arc::new(Scene::set(&stage.world, stage.edge()?, stage.sized(200, 100), slots).await?);
    let streams = [Stream { kind: Kind::Book, rate }, Stream { kind: Kind::Read, rate }];

    let (usual, usual_calls) = counted(stage, &scene, &streams, time).await?;
    stage.say("usual", &usual);
    nothing_failed("before", &usual)?;
    stage.world.processes.signal(LEAF, "STOP").await?;
    let during = counted(stage, &scene, &streams, time).await;
    let opened = stage.metric(CALLER, "petpro_circuit", &["caller=\"booking\"", "service=\"vendor\""]).await;
    stage.world.processes.signal(LEAF, "CONT").await?;
    let ((during, calls), opened) = (during?, opened?);
    stage.say("the vendor service does not answer", &during);
    let (after, _) = counted(stage, &scene, &streams, time).await?;
    stage.say("it answers again", &after);
    let closed = stage.metric(CALLER, "petpro_circuit", &["caller=\"booking\"", "service=\"vendor\""]).await?;

    stage.report.say(format_args!(
        "the leaf is asked {calls:.2} times a booking, usually {usual_calls:.2}: {:.2} times as often (aim 1.2)",
        calls / usual_calls
    ));
    nothing_failed("while the leaf is silent", &during)?;
    nothing_failed("after", &after)?;
    ensure!(opened > 0.0, "no circuit has opened");
    ensure!(closed == 0.0, "the circuit is still open");
    ensure!(calls <= usual_calls * 1.2, "the leaf was asked {calls:.2} times a booking, usually {usual_calls:.2}");
    ensure!(after.of_kind(Kind::Book).good_percent() >= 95.0, "it does not recover: {}", after.of_kind(Kind::Book));
    Ok(())
}

/// How others are, while booking waits for a leaf that is slow.
///
/// # Errors
/// A request is neither done nor refused as it should be.
pub async fn slow(stage: &Stage) -> anyhow::Result<()> {
    let rate = stage.sized(10.0, 4.0);
    let time = Duration::from_secs(stage.sized(20, 8));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small number")]
    let slots = (rate * time.as_secs_f64() * 2.2) as usize;
    let scene = Arc::new(Scene::set(&stage.world, stage.edge()?, stage.sized(400, 100), slots).await?);
    let others = stage.sized(100.0, 20.0);
    let streams = [
        Stream { kind: Kind::Book, rate },
        Stream { kind: Kind::Read, rate: others },
        Stream { kind: Kind::Change, rate: others },
    ];
    let usual = send(&scene, &streams, time).await;
    stage.say("usual", &usual);
    let over = CancellationToken::new();
    let slowing = async {
        while !over.is_cancelled() {
            stage.world.processes.signal(LEAF, "STOP").await?;
            tokio::time::sleep(STANDS).await;
            stage.world.processes.signal(LEAF, "CONT").await?;
            tokio::time::sleep(RUNS).await;
        }
        anyhow::Ok(())
    };
    let asking = async {
        let figures = send(&scene, &streams, time).await;
        over.cancel();
        figures
    };
    let (slowed, slow) = tokio::join!(slowing, asking);
    slowed?;
    stage.say("the vendor service stands for 99 % of the time", &slow);
    for kind in [Kind::Read, Kind::Change] {
        let (before, now) = (usual.of_kind(kind).good_within(990), slow.of_kind(kind).good_within(990));
        let times = now.as_secs_f64() / before.as_secs_f64();
        stage.report.say(format_args!("p99 of {}: {times:.2} times that before (aim 2)", kind.as_str()));
        ensure!(slow.of_kind(kind).refused.is_empty(), "{} were refused: {}", kind.as_str(), slow.of_kind(kind));
    }
    nothing_failed("while the leaf is slow", &slow)
}

/// Figures, and how often booking asked the vendor service for each booking.
async fn counted(
    stage: &Stage,
    scene: &Arc<Scene>,
    streams: &[Stream],
    time: Duration,
) -> anyhow::Result<(crate::figures::Figures, f64)> {
    let asked = || async {
        // Each caller counts for itself what it has sent, also where no answer came.
        let sent = stage.metric(CALLER, "petpro_calls_total", &["subject=\"vendor.availability\""]).await?;
        let refused =
            stage.metric(CALLER, "petpro_calls_refused_total", &["caller=\"booking\"", "service=\"vendor\""]).await?;
        anyhow::Ok(sent - refused)
    };
    let before = asked().await?;
    let figures = send(scene, streams, time).await;
    let calls = asked().await? - before;
    let booked = crate::figures::as_f64(figures.of_kind(Kind::Book).sent().max(1));
    Ok((figures, calls / booked))
}
