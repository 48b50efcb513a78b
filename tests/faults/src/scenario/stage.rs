//! What every scenario has: the platform, the load, and how to wait until all is normal again.

use crate::check::{Heard, Planned, Waited, first_id_at};
use crate::load::{Load, LoadOptions, Normal, Record};
use crate::report::{Report, seconds};
use crate::seeded::Seeded;
use crate::world::World;
use anyhow::ensure;
use chrono::Utc;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;
use uuid::Uuid;

/// How long it may take until writes are as fast as before; after that the run goes on, and says so.
const NORMAL_PATIENCE: Duration = Duration::from_secs(60);
/// How long it may take until all events have been heard.
const HEARING_PATIENCE: Duration = Duration::from_secs(180);

/// A platform under load.
pub struct Stage {
    /// The platform.
    pub world: World,
    /// The load.
    pub load: Load,
    /// What is usual.
    pub normal: Normal,
    /// What was spoiled on purpose.
    pub planned: Planned,
    /// Where lines go.
    pub report: Report,
    /// Events from here on count.
    pub since: Uuid,
    heard: Mutex<Heard>,
    chance: Mutex<Seeded>,
}

impl Stage {
    /// Begins the load, and looks for a while at what is usual.
    ///
    /// # Errors
    /// There is too little to book, or nothing is acknowledged.
    pub async fn set(world: World, options: LoadOptions, warm_up: Duration, report: Report) -> anyhow::Result<Stage> {
        let since = first_id_at(Utc::now());
        let load = Load::start(&world, options).await?;
        // The first second is spent on connections.
        tokio::time::sleep(Duration::from_secs(1)).await;
        let from = Instant::now();
        tokio::time::sleep(warm_up).await;
        let normal = load.latency().between(from, Instant::now());
        ensure!(!load.record().written().is_empty(), "nothing was acknowledged: {:?}", load.record().counts());
        report.say(format_args!(
            "{} writes/s; usual: p50 {:.1} ms, p99 {:.1} ms; normal: every write of three seconds in a row answered, p99 \
             below {:.0} ms",
            options.rate,
            normal.p50.as_secs_f64() * 1e3,
            normal.p99.as_secs_f64() * 1e3,
            normal.limit().as_secs_f64() * 1e3,
        ));
        let chance = Mutex::new(Seeded::of(options.seed, "scenarios"));
        let heard = Mutex::new(Heard::from(since));
        Ok(Stage { world, load, normal, planned: Planned::default(), report, since, heard, chance })
    }

    /// Waits until writes are as fast as usual, and says how long after `fault` that began.
    pub async fn until_normal(&self, what: &str, fault: Instant) -> Option<Duration> {
        let give_up = Instant::now() + NORMAL_PATIENCE;
        loop {
            if let Some(since) = self.load.latency().normal_since(fault, self.normal) {
                let took = since.saturating_duration_since(fault);
                self.report.say(format_args!("{what}: normal after {}", seconds(took)));
                return Some(took);
            }
            if Instant::now() > give_up {
                self.report.say(format_args!("{what}: NOT normal within {}", seconds(NORMAL_PATIENCE)));
                return None;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Waits until all that was told before now has been heard by everybody, and says how long after `fault` that was.
    ///
    /// # Errors
    /// It was not within three minutes.
    pub async fn until_heard(&self, what: &str, fault: Instant) -> anyhow::Result<()> {
        let waited = self.heard.lock().await.wait(&self.world, &self.planned, HEARING_PATIENCE).await?;
        match waited {
            Waited::AllHeard { last, after } => {
                let took = seconds(fault.elapsed());
                let asked = fault.elapsed().saturating_sub(after);
                let last: Vec<String> =
                    last.iter().map(|(name, time)| format!("{name} {}", seconds(asked + *time))).collect();
                self.report.say(format_args!("{what}: every event is heard after {took}; last: {}", last.join(", ")));
            }
            Waited::GaveUp { left } => {
                // What it was shows when all is looked at in the end.
                self.report.say(format_args!("{what}: {left} times an event is NOT heard"));
            }
        }
        Ok(())
    }

    /// A number below `bound`.
    pub async fn draw(&self, bound: u64) -> u64 {
        self.chance.lock().await.below(bound)
    }

    /// Ends the load.
    ///
    /// # Errors
    /// Its last writes do not end.
    pub async fn end(self) -> anyhow::Result<Quiet> {
        let record = self.load.stop().await?;
        let heard = self.heard.into_inner();
        Ok(Quiet { world: self.world, record, planned: self.planned, report: self.report, since: self.since, heard })
    }
}

/// A platform whose load has ended.
pub struct Quiet {
    /// The platform.
    pub world: World,
    /// What the load has seen.
    pub record: Arc<Record>,
    /// What was spoiled on purpose.
    pub planned: Planned,
    /// Where lines go.
    pub report: Report,
    /// Events from here on count.
    pub since: Uuid,
    /// Up to where all is heard.
    pub heard: Heard,
}
