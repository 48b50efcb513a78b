//! A run from beginning to end.

use crate::check::{self, Found, Scope, Waited};
use crate::load::LoadOptions;
use crate::plan::{self, Step};
use crate::report::{Report, seconds};
use crate::scenario::{self, Quiet, Stage};
use crate::world::{Layout, World, WorldOptions};
use anyhow::bail;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// How long the platform is looked at before anything is done to it.
const WARM_UP: Duration = Duration::from_secs(10);
/// How long events may take after the load has ended.
const QUIET_PATIENCE: Duration = Duration::from_secs(180);
/// How much time is kept for the end of a run.
const END: Duration = Duration::from_secs(240);
/// How often it is looked when events were told meanwhile.
pub const LOOKS: u32 = 4;
/// How many violations of a promise are shown.
const SHOWN: usize = 10;

/// What to run.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// Decides on everything that chance decides.
    pub seed: u64,
    /// How long it may take.
    pub time: Duration,
    /// Only steps of this name.
    pub only: Option<String>,
    /// Writes a second.
    pub rate: u32,
    /// Whether data and logs stay when it has ended.
    pub keep: bool,
    /// The program that processes are.
    pub program: PathBuf,
    /// A mistake that they make.
    pub planted: Option<String>,
}

/// The full run: everything that the plan of its seed says, and then the questions.
///
/// # Errors
/// A promise was broken, or something does not come back.
pub async fn full(options: RunOptions) -> anyhow::Result<()> {
    let started = Instant::now();
    let report = Report::default();
    report.say(format_args!("seed {}", options.seed));
    let layout = Layout::full();
    let steps = plan::full(options.seed, &layout);
    let steps: Vec<Step> =
        steps.into_iter().filter(|step| options.only.as_deref().is_none_or(|only| only == step.name())).collect();
    let world = WorldOptions {
        program: options.program.clone(),
        layout,
        settings: Vec::new(),
        planted: options.planted.clone(),
    };
    let world = World::start(world).await?;
    let load = LoadOptions { seed: options.seed, rate: options.rate, patience_s: 8 };
    let stage = Stage::set(world, load, WARM_UP, report).await?;
    let give_up = started + options.time.saturating_sub(END);
    let all = steps.len();
    for (number, step) in steps.into_iter().enumerate() {
        if Instant::now() > give_up {
            stage.report.say(format_args!("{} of {all} steps are left out: the time is over", all - number));
            break;
        }
        stage.report.say(format_args!("step {} of {all}: {step:?}", number + 1));
        if let Err(error) = take(&stage, step).await {
            let log = stage.world.processes.log_end();
            bail!("step {step:?} (seed {}): {error:#}\n{log}", options.seed);
        }
        tokio::time::sleep(Duration::from_millis(1_000 + stage.draw(3_000).await)).await;
    }
    let mut quiet = stage.end().await?;
    let found = conclude(&mut quiet, QUIET_PATIENCE, LOOKS).await?;
    let keep = options.keep || !found.violations.is_empty();
    quiet.world.stop(keep).await?;
    if !found.violations.is_empty() {
        bail!("{} promises were broken (seed {})", found.violations.len(), options.seed);
    }
    quiet.report.say(format_args!("nothing lost, nothing doubled, nothing hung (seed {})", options.seed));
    Ok(())
}

/// Does one step.
///
/// # Errors
/// Something does not come back.
pub async fn take(stage: &Stage, step: Step) -> anyhow::Result<()> {
    match step {
        Step::Kill(target) => scenario::kill(stage, target).await,
        Step::DeleteStore => scenario::delete_store(stage).await,
        Step::PutOldCopyBack(age) => scenario::put_old_copy_back(stage, age).await,
        Step::Stop(process, time) => scenario::stop_consumer(stage, process, time).await,
        Step::Poison => scenario::poison(stage).await,
        Step::DeadLetters(count) => scenario::park_and_replay(stage, count).await,
    }
}

/// Waits until all is quiet, asks all questions, and prints the answers. It is looked so often at the most: what a service
/// tells by itself while it is looked at is not there yet, rather than lost.
///
/// # Errors
/// The database does not answer.
pub async fn conclude(quiet: &mut Quiet, patience: Duration, looks: u32) -> anyhow::Result<Found> {
    let mut found = look(quiet, patience).await?;
    for _again in 1..looks {
        if found.violations.is_empty() || quiet.heard.told_since(&quiet.world).await? == 0 {
            break;
        }
        found = look(quiet, patience).await?;
    }
    let report = &quiet.report;
    for (what, count) in quiet.record.counts() {
        report.say(format_args!("{count:8} {what}"));
    }
    for (what, count) in &found.examined {
        report.say(format_args!("{count:8} {what} looked at"));
    }
    say_violations(report, &found);
    Ok(found)
}

async fn look(quiet: &mut Quiet, patience: Duration) -> anyhow::Result<Found> {
    let report = &quiet.report;
    match quiet.heard.wait_for_rest(&quiet.world, &quiet.planned, patience).await? {
        Waited::AllHeard { after, .. } => report.say(format_args!("quiet {} after the load's end", seconds(after))),
        Waited::GaveUp { left } => {
            report.say(format_args!("NOT quiet within {}: {left} times an event is left", seconds(patience)));
        }
    }
    let scope = Scope { world: &quiet.world, record: &quiet.record, planned: &quiet.planned, since: quiet.since };
    check::everything(&scope).await
}

fn say_violations(report: &Report, found: &Found) {
    let mut shown: BTreeMap<&str, usize> = BTreeMap::new();
    for violation in &found.violations {
        let of_rule = shown.entry(violation.rule).or_default();
        *of_rule += 1;
        if *of_rule <= SHOWN {
            report.say(format_args!("BROKEN: {violation}"));
        }
    }
    for (rule, count) in shown.into_iter().filter(|(_, count)| *count > SHOWN) {
        report.say(format_args!("BROKEN: {rule}: {count} of them in all, or more"));
    }
}
