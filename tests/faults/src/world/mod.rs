//! The platform that is tested: servers of its own in a temporary folder, and services as processes.

mod database;
mod layout;
mod processes;
mod relay_holder;
mod three_nodes;

pub use layout::{Layout, Member};
pub use processes::Processes;

use crate::ledger;
use anyhow::{Context as _, ensure};
use petpro::commands::seed;
use petpro::progress::step;
use petpro::stack::{Stack, StackOptions};
use platform::Settings;
use platform::setup::Host;
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use testkit::{Durability, NatsCluster};

/// How long the start of anything may take.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// How long a command of `petpro` may take.
const COMMAND_PATIENCE: Duration = Duration::from_secs(300);
/// How many products the demo's vendors have: enough for the stocks that 200 writes a second want, and in the cut.
const PRODUCTS: usize = 800;
const FEWER_PRODUCTS: usize = 200;

/// What a world is made with.
#[derive(Debug, Clone)]
pub struct WorldOptions {
    /// The program that the processes are: `faults` itself.
    pub program: PathBuf,
    /// Which processes there are.
    pub layout: Layout,
    /// Settings of the processes, beside those of the stack: variables and their values.
    pub settings: Vec<(&'static str, &'static str)>,
    /// A mistake that the processes make; see `shared/store/src/planted.rs`.
    pub planted: Option<String>,
}

/// Servers, demo data and running services.
pub struct World {
    /// The servers.
    pub stack: Stack,
    /// Settings and keys for this process.
    pub host: Host,
    /// The services' processes.
    pub processes: Processes,
    /// NATS, where it has three nodes.
    pub cluster: Option<NatsCluster>,
    folder: TempDir,
}

impl World {
    /// Starts everything and waits until all services have heard of each other.
    ///
    /// # Errors
    /// Something does not start; the text says what.
    pub async fn start(options: WorldOptions) -> anyhow::Result<World> {
        petpro::services::add(vec![ledger::entry()]);
        let starting = step("servers, demo data and services");
        // Postgres may run under another account, which must be able to pass. The keys are in a closed folder.
        let everyone_may_pass = std::fs::Permissions::from_mode(0o755);
        let folder = tempfile::Builder::new().prefix("petpro-faults-").permissions(everyone_may_pass).tempdir()?;
        // A commit that was acknowledged has to outlive a kill: nothing is thrown away for speed here.
        let stack = Stack::start(StackOptions {
            folder: folder.path().to_owned(),
            durability: Durability::Kept,
            first_port: None,
            given: BTreeMap::new(),
        })
        .await?;
        let world = World::fill(stack, folder, options).await?;
        starting.done();
        Ok(world)
    }

    async fn fill(stack: Stack, folder: TempDir, options: WorldOptions) -> anyhow::Result<World> {
        ledger::make_table(stack.admin_url(), &stack.keys).await?;
        let host = Host::new(stack.settings(Settings::from_toml("")))?;
        let planted = options.planted.clone();
        let processes = Processes::new(&stack, folder.path(), options)?;
        let world = World { stack, host, processes, cluster: None, folder };
        world.prepare(planted).await.with_context(|| world.processes.log_end())?;
        Ok(world)
    }

    async fn prepare(&self, planted: Option<String>) -> anyhow::Result<()> {
        let is_full = self.processes.layout().is_full();
        if !is_full {
            self.spare_the_disk().await?;
        }
        self.processes.provision_once().await?;
        seed::seed(&self.host).await?;
        seed::products(&self.host, if is_full { PRODUCTS } else { FEWER_PRODUCTS }).await?;
        self.processes.start_all().await?;
        self.stack.until_heard(&petpro::services::consumers(), PATIENCE).await?;
        // The demo data has to be whole.
        match planted {
            Some(mistake) => self.processes.plant(mistake).await,
            None => Ok(()),
        }
    }

    /// The folder of the stack.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Runs `petpro <arguments>` against this stack and answers what it printed. Where a service is not available it is run
    /// again for a while, as people would.
    ///
    /// # Errors
    /// It fails; the text has what it said.
    pub async fn petpro(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let give_up = Instant::now() + PATIENCE;
        loop {
            match self.petpro_once(arguments).await {
                Err(error) if error.to_string().contains("(unavailable)") && Instant::now() < give_up => {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
                outcome => return outcome,
            }
        }
    }

    async fn petpro_once(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let output = tokio::process::Command::new(self.processes.program())
            .arg("platform")
            .args(arguments)
            .envs(&self.stack.variables)
            .env("PETPRO_CONFIG", "/dev/null")
            .env("PETPRO_LOG__FILTER", "warn")
            .kill_on_drop(true)
            .output();
        let output = tokio::time::timeout(COMMAND_PATIENCE, output).await.context("petpro does not end")??;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let complained = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "petpro {}: {said}{complained}", arguments.join(" "));
        Ok(said)
    }

    /// Ends everything and removes the folder; with `keep`, leaves the folder for whoever wants to look.
    ///
    /// # Errors
    /// Something does not end; the rest is ended all the same.
    pub async fn stop(self, keep: bool) -> anyhow::Result<()> {
        let processes = self.processes.stop().await;
        let servers = self.stack.stop().await;
        if keep {
            let kept = self.folder.keep();
            petpro::output::aside(format_args!("data and logs are kept in {}\n", kept.display()));
        } else {
            self.folder.close().context("cannot remove the temporary folder")?;
        }
        processes.and(servers)
    }
}
