//! The stack that is measured: servers of its own in a temporary folder, and the platform as one process.

use crate::connection::Connection;
use crate::options::Options;
use anyhow::{Context as _, ensure};
use http::StatusCode;
use petpro::commands::seed;
use petpro::progress::step;
use petpro::stack::{Stack, StackOptions};
use platform::Settings;
use platform::setup::Host;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use testkit::{Durability, Process, free_port};

/// How long the platform may take to become ready.
const READY_TIMEOUT: Duration = Duration::from_secs(60);
/// How often it is asked meanwhile: the times until ready are too long by this at the most.
const READY_POLL: Duration = Duration::from_millis(2);
/// How much of the platform's log is shown when something goes wrong.
const SHOWN_LOG_LINES: usize = 20;

/// Limits are lifted: otherwise what they refuse would be measured.
const LIMITS_PROFILE: (&str, &str) = ("PETPRO_EDGE__LIMITS_PROFILE", "bench");

/// Servers with demo data, and the platform when it runs.
pub struct World {
    /// The servers.
    pub stack: Stack,
    /// Settings and keys for this process.
    pub host: Host,
    /// Settings that differ from what is shipped.
    pub settings: Vec<(String, String)>,
    petpro: PathBuf,
    folder: TempDir,
    platform: Option<Process>,
    /// Bare axum, while it runs.
    pub bare_axum: Option<Process>,
}

/// A start of the platform.
#[derive(Debug, Clone, Copy)]
pub struct Started {
    /// Where the edge answers.
    pub edge: SocketAddr,
    /// The platform's process.
    pub process_id: u32,
    /// From the start of the process until the admin port told that all services are ready.
    pub until_ready: Duration,
}

impl World {
    /// Starts servers in a new folder below the wished one, or in the system's one for temporary files, with streams
    /// and demo data.
    ///
    /// # Errors
    /// A server does not start; the text says what to do.
    pub async fn start(options: &Options) -> anyhow::Result<World> {
        let petpro = petpro_binary(options.petpro.as_deref())?;
        let settings = options.set.clone();
        // Postgres may run under another account, which must be able to pass. The keys are in a closed folder.
        let everyone_may_pass = std::fs::Permissions::from_mode(0o755);
        let parent = options.folder.clone().unwrap_or_else(std::env::temp_dir);
        let folder = tempfile::Builder::new()
            .prefix("petpro-bench-")
            .permissions(everyone_may_pass)
            .tempdir_in(&parent)
            .with_context(|| format!("cannot make a folder in {}", parent.display()))?;
        let stack = StackOptions {
            folder: folder.path().to_owned(),
            durability: Durability::Kept,
            first_port: None,
            given: BTreeMap::new(),
        };
        let stack = Stack::start(stack).await?;
        let host = Host::new(stack.settings(Settings::from_toml("")))?;
        let world = World { stack, host, settings, petpro, folder, platform: None, bare_axum: None };
        match world.prepare().await {
            Ok(()) => Ok(world),
            Err(error) => {
                world.stop().await?;
                Err(error)
            }
        }
    }

    async fn prepare(&self) -> anyhow::Result<()> {
        let provisioning = step("streams, consumers and demo data");
        let provision = self.spawn(&["provision", "--once"], BTreeMap::new())?;
        ensure!(provision.exited().await? == 0, "streams and consumers could not be made:\n{}", self.log_end());
        seed::seed(&self.host).await?;
        provisioning.done();
        Ok(())
    }

    /// The folder of the stack.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Starts all services in one process, and waits until they are ready.
    ///
    /// # Errors
    /// They do not become ready.
    pub async fn start_platform(&mut self) -> anyhow::Result<Started> {
        self.start_platform_with(&[]).await
    }

    /// Likewise, with settings that hold for this one start.
    ///
    /// # Errors
    /// Likewise.
    pub async fn start_platform_with(&mut self, settings: &[(&str, &str)]) -> anyhow::Result<Started> {
        let (admin, edge) = (free_address()?, free_address()?);
        let mut variables = BTreeMap::from([
            ("PETPRO_ADMIN__LISTEN".to_owned(), admin.to_string()),
            ("PETPRO_EDGE__LISTEN".to_owned(), edge.to_string()),
        ]);
        variables.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let started = Instant::now();
        let process = self.platform.insert(self.spawn(&["run"], variables)?);
        let mut has_run = false;
        while !is_ready(admin).await {
            let runs = process.id().is_some();
            ensure!(runs || !has_run, "the platform ended while it started");
            has_run = runs;
            ensure!(started.elapsed() < READY_TIMEOUT, "the platform does not become ready");
            tokio::time::sleep(READY_POLL).await;
        }
        let until_ready = started.elapsed();
        let process_id = process.id().context("the platform has ended")?;
        Ok(Started { edge, process_id, until_ready })
    }

    /// Stops the platform as SIGTERM does; it must end well.
    ///
    /// # Errors
    /// It does not.
    pub async fn stop_platform(&mut self) -> anyhow::Result<()> {
        let Some(platform) = self.platform.take() else { return Ok(()) };
        let code = platform.terminate().await?;
        ensure!(code == 0, "the platform ended with code {code}");
        Ok(())
    }

    /// Ends bare axum.
    ///
    /// # Errors
    /// It does not end.
    pub async fn stop_bare_axum(&mut self) -> anyhow::Result<()> {
        match self.bare_axum.take() {
            Some(process) => process.kill().await,
            None => Ok(()),
        }
    }

    /// Ends everything and removes the folder.
    ///
    /// # Errors
    /// Something does not end; the rest is ended all the same.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        let platform = self.stop_platform().await;
        let bare_axum = self.stop_bare_axum().await;
        let servers = self.stack.stop().await;
        self.folder.close().context("cannot remove the temporary folder")?;
        platform.and(bare_axum).and(servers)
    }

    /// The last lines that the platform has logged.
    pub fn log_end(&self) -> String {
        let log = std::fs::read_to_string(self.log_path()).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines.iter().skip(lines.len().saturating_sub(SHOWN_LOG_LINES)).map(|line| format!("{line}\n")).collect()
    }

    fn log_path(&self) -> PathBuf {
        self.folder.path().join("petpro.log")
    }

    /// Everything as it is shipped: no setting but the addresses, the limits and what was asked for.
    fn spawn(&self, arguments: &[&str], addresses: BTreeMap<String, String>) -> anyhow::Result<Process> {
        let mut variables = self.stack.variables.clone();
        variables.insert("PETPRO_CONFIG".to_owned(), "/dev/null".to_owned());
        variables.insert(LIMITS_PROFILE.0.to_owned(), LIMITS_PROFILE.1.to_owned());
        // All of its users sign in from one address, and many at a time to one account.
        for setting in ["PETPRO_AUTH__ACCOUNT_ATTEMPTS", "PETPRO_AUTH__ADDRESS_ATTEMPTS"] {
            variables.insert(setting.to_owned(), "1000000".to_owned());
        }
        variables.extend(addresses);
        variables.extend(self.settings.iter().cloned());
        Process::spawn(&self.petpro, arguments, &variables, &self.log_path())
    }
}

/// The one that was asked for, or the `petpro` beside this program, built in the same profile.
fn petpro_binary(wished: Option<&Path>) -> anyhow::Result<PathBuf> {
    let binary = match wished {
        Some(program) => std::path::absolute(program)?,
        None => std::env::current_exe()?.with_file_name("petpro"),
    };
    ensure!(binary.is_file(), "{} is missing: `./just bench` builds it", binary.display());
    Ok(binary)
}

fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(SocketAddr::from(([127, 0, 0, 1], free_port()?)))
}

async fn is_ready(admin: SocketAddr) -> bool {
    let Ok(mut connection) = Connection::open(admin).await else { return false };
    connection.get("/health/ready").await.is_ok_and(|(status, _body)| status == StatusCode::OK)
}
