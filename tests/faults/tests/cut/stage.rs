//! How the tests of the cut begin and end.

use faults::check::Found;
use faults::load::LoadOptions;
use faults::report::Report;
use faults::run::{LOOKS, conclude};
use faults::scenario::Stage;
use faults::world::{Layout, World, WorldOptions};
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Writes a second: what a debug build bears on two cores beside another test.
const RATE: u32 = 20;
/// The seed of the cut.
const SEED: u64 = 20_260_401;
/// How long the platform is looked at before anything is done to it.
const WARM_UP: Duration = Duration::from_secs(4);

/// Two platforms at a time, whatever the number of threads: more of them would tell how busy the machine is.
pub async fn turn() -> SemaphorePermit<'static> {
    static TURNS: Semaphore = Semaphore::const_new(2);
    TURNS.acquire().await.unwrap()
}

/// A platform under load.
pub async fn begin(layout: Layout, planted: Option<&str>) -> Stage {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_faults"));
    let planted = planted.map(str::to_owned);
    let world = World::start(WorldOptions { program, layout, settings: Vec::new(), planted }).await;
    begin_in(world.unwrap_or_else(|error| panic!("{error:#}"))).await
}

/// Likewise, of a platform that runs.
pub async fn begin_in(world: World) -> Stage {
    let options = LoadOptions { seed: SEED, rate: RATE, patience_s: 12 };
    Stage::set(world, options, WARM_UP, Report::default()).await.unwrap()
}

/// What a planted mistake has broken.
pub async fn end_badly(stage: Stage, patience: Duration) -> Found {
    end(stage, patience, 1).await
}

async fn end(stage: Stage, patience: Duration, looks: u32) -> Found {
    let mut quiet = stage.end().await.unwrap();
    let found = conclude(&mut quiet, patience, looks).await.unwrap();
    let log = quiet.world.processes.log_end();
    if !found.violations.is_empty() {
        eprintln!("the services' last warnings:\n{log}");
    }
    quiet.world.stop(false).await.unwrap_or_else(|error| panic!("{error:#}\n{log}"));
    found
}

/// Nothing is to be found.
pub async fn end_well(stage: Stage) {
    let found = end(stage, Duration::from_secs(120), LOOKS).await;
    let violations: Vec<String> = found.violations.iter().map(ToString::to_string).collect();
    assert!(violations.is_empty(), "{violations:#?}");
    assert!(found.examined["acknowledged writes"] > 50, "{:?}", found.examined);
}
