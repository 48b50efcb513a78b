//! The questions, one function each.

mod leaf;
mod logins;
mod nats_restart;
mod overload;
mod rolling;

use crate::cores;
use crate::figures::Figures;
use crate::open_loop::{Stream, send};
use crate::scene::Scene;
use anyhow::{Context as _, bail, ensure};
use clap::ValueEnum;
use faults::report::Report;
use faults::world::{Layout, World, WorldOptions};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// After so long everything has to be as before.
const PATIENCE: Duration = Duration::from_secs(30);
/// So long a time is looked at to tell whether it is.
const LOOK: Duration = Duration::from_millis(500);
/// What nobody notices.
const ALWAYS_NORMAL: Duration = Duration::from_millis(100);
/// How long a process may take to show its metrics.
const METRICS_PATIENCE: Duration = Duration::from_secs(10);

/// How much of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// As the figures are measured: minutes, the platform on a core of its own where nothing of it is started meanwhile.
    Full,
    /// As the tests have it: some seconds. What is promised is asserted alike.
    Short,
}

/// A question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Scenario {
    /// Five times as many requests as there is room for
    Overload,
    /// The vendor service falls silent
    DeadLeaf,
    /// The vendor service becomes a hundred times slower
    SlowLeaf,
    /// nats-server is restarted under load
    NatsRestart,
    /// All processes are replaced under load, one after the other
    Rolling,
    /// 500 logins at once
    Logins,
}

impl Scenario {
    /// All of them.
    pub const ALL: [Scenario; 6] = [
        Scenario::Overload,
        Scenario::DeadLeaf,
        Scenario::SlowLeaf,
        Scenario::NatsRestart,
        Scenario::Rolling,
        Scenario::Logins,
    ];
}

/// How scenarios are played.
#[derive(Debug, Clone)]
pub struct Run {
    /// How much of each.
    pub size: Size,
    /// The program that the processes are.
    pub program: PathBuf,
}

impl Run {
    /// Starts a platform, asks the question, and stops it again.
    ///
    /// # Errors
    /// Something was answered as it must not be, or does not start or end.
    pub async fn play(&self, scenario: Scenario) -> anyhow::Result<()> {
        let report = Report::default();
        report.say(format_args!("{scenario:?}, {:?}", self.size));
        let layout = match scenario {
            Scenario::Overload | Scenario::Logins => Layout::small(),
            Scenario::DeadLeaf | Scenario::SlowLeaf | Scenario::NatsRestart => leaf::layout(),
            Scenario::Rolling => Layout::full(),
        };
        let settings = match scenario {
            // All come from one address.
            Scenario::Logins => vec![("PETPRO_AUTH__ADDRESS_ATTEMPTS", "1000000")],
            _ => Vec::new(),
        };
        let options = WorldOptions { program: self.program.clone(), layout, settings, planted: None };
        let world = World::start(options).await?;
        // What is started meanwhile would be on the load's core.
        let starts_some = matches!(scenario, Scenario::Rolling | Scenario::NatsRestart);
        let is_parted = self.size == Size::Full && !starts_some;
        if is_parted {
            cores::part()?;
        }
        let stage = Stage { world, report, size: self.size };
        let outcome = match scenario {
            Scenario::Overload => overload::play(&stage).await,
            Scenario::DeadLeaf => leaf::dead(&stage).await,
            Scenario::SlowLeaf => leaf::slow(&stage).await,
            Scenario::NatsRestart => nats_restart::play(&stage).await,
            Scenario::Rolling => rolling::play(&stage).await,
            Scenario::Logins => logins::play(&stage).await,
        };
        if is_parted {
            // The next platform begins as this one did.
            cores::unite()?;
        }
        let log = if outcome.is_err() { stage.world.processes.log_end() } else { String::new() };
        stage.world.stop(false).await?;
        outcome.map_err(|error| error.context(format!("{scenario:?}\n{log}")))
    }
}

/// A platform that is pressed.
pub struct Stage {
    /// The platform.
    pub world: World,
    /// Where figures go.
    pub report: Report,
    /// How much of it.
    pub size: Size,
}

impl Stage {
    /// One number for the full run and one for the tests.
    pub fn sized<T>(&self, full: T, short: T) -> T {
        match self.size {
            Size::Full => full,
            Size::Short => short,
        }
    }

    /// Prints all kinds.
    pub fn say(&self, what: &str, figures: &Figures) {
        self.report.say(format_args!(
            "{what}: {:.0} done a second for {:.1} s",
            figures.goodput(),
            figures.time.as_secs_f64()
        ));
        for (kind, of_kind) in &figures.kinds {
            self.report.say(format_args!("    {:9} {of_kind}", kind.as_str()));
        }
    }

    /// The first edge.
    ///
    /// # Errors
    /// There is none.
    pub fn edge(&self) -> anyhow::Result<String> {
        self.world.processes.edges().into_iter().next().ok_or_else(|| anyhow::anyhow!("there is no edge"))
    }

    /// The sum of a metric of one process, of the lines that hold all of these labels.
    ///
    /// # Errors
    /// The process does not show its metrics.
    pub async fn metric(&self, process: &str, name: &str, labels: &[&str]) -> anyhow::Result<f64> {
        let admin = self.world.processes.admin(process).with_context(|| format!("there is no process {process}"))?;
        let http = reqwest::Client::builder().timeout(METRICS_PATIENCE).build()?;
        let shown = http.get(format!("{admin}/metrics")).send().await?.text().await?;
        let lines = shown.lines().filter(|line| line.starts_with(&format!("{name}{{")));
        let values = lines.filter(|line| labels.iter().all(|label| line.contains(label)));
        Ok(values.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum())
    }
}

/// After how long everything is done again, in three times the usual time or a tenth of a second.
///
/// # Errors
/// It does not come to that.
pub async fn until_normal(scene: &Arc<Scene>, streams: &[Stream], usual: &Figures) -> anyhow::Result<Duration> {
    let since = Instant::now();
    let limit = (usual.all().good_within(990) * 3).max(ALWAYS_NORMAL);
    while since.elapsed() < PATIENCE {
        let began = since.elapsed();
        let now = send(scene, streams, LOOK).await.all();
        if now.refused.is_empty() && now.failed == 0 && now.good_within(990) <= limit {
            return Ok(began);
        }
    }
    bail!("it is not as before after {} s", PATIENCE.as_secs())
}

/// Everything was done, or refused with a time to come back.
///
/// # Errors
/// Something else came of a request.
pub fn nothing_failed(what: &str, figures: &Figures) -> anyhow::Result<()> {
    let all = figures.all();
    ensure!(all.failed == 0, "{what}: {} failed: {:?}", all.failed, all.failures);
    Ok(())
}
