//! Requests at a rate, whether those before have been answered or not, as people send them.

use crate::figures::Figures;
use crate::scene::Scene;
use crate::shot::{Kind, Outcome};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// How often it is looked what is due.
const TICK: Duration = Duration::from_millis(1);
/// How long one waits who was refused.
const AFTER_REFUSAL: Duration = Duration::from_millis(50);

/// So many requests of a kind a second.
#[derive(Debug, Clone, Copy)]
pub struct Stream {
    /// Of what kind.
    pub kind: Kind,
    /// How many a second.
    pub rate: f64,
}

/// Sends for a while, and waits until everything has ended.
pub async fn send(scene: &Arc<Scene>, streams: &[Stream], time: Duration) -> Figures {
    let started = Instant::now();
    let mut under_way = JoinSet::new();
    let mut sent = vec![0.0; streams.len()];
    let mut ticks = tokio::time::interval(TICK);
    let mut shots = Vec::new();
    loop {
        ticks.tick().await;
        let elapsed = started.elapsed().min(time);
        for (stream, sent) in streams.iter().zip(&mut sent) {
            while *sent < stream.rate * elapsed.as_secs_f64() {
                // What is sent late counts from when it was due.
                let due = started + Duration::from_secs_f64(*sent / stream.rate);
                let (scene, kind) = (scene.clone(), stream.kind);
                under_way.spawn(async move { scene.shoot(kind, due).await });
                *sent += 1.0;
            }
        }
        while let Some(ended) = under_way.try_join_next() {
            shots.extend(ended);
        }
        if elapsed >= time {
            break;
        }
    }
    let time = started.elapsed();
    while let Some(ended) = under_way.join_next().await {
        shots.extend(ended);
    }
    Figures::of(time, shots)
}

/// As many at a time as there are workers, each its next one as soon as it has an answer, or a moment later where that was a
/// refusal: as much as there is room for.
pub async fn send_in_turn(scene: &Arc<Scene>, kinds: &[Kind], workers: usize, time: Duration) -> Figures {
    let started = Instant::now();
    let mut all = JoinSet::new();
    for worker in 0..workers {
        let scene = scene.clone();
        let own: Vec<Kind> = kinds.iter().copied().cycle().skip(worker).take(kinds.len()).collect();
        all.spawn(async move {
            let mut shots = Vec::new();
            for kind in own.into_iter().cycle() {
                if started.elapsed() >= time {
                    break;
                }
                let shot = scene.shoot(kind, Instant::now()).await;
                if matches!(shot.outcome, Outcome::Refused(_)) {
                    tokio::time::sleep(AFTER_REFUSAL).await;
                }
                shots.push(shot);
            }
            shots
        });
    }
    let shots = all.join_all().await.into_iter().flatten().collect();
    Figures::of(started.elapsed(), shots)
}
