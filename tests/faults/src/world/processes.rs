//! The services' processes: started, killed, stopped for a while, started again on the same ports.

use super::layout::{Layout, Member};
use super::{PATIENCE, WorldOptions};
use anyhow::{Context as _, ensure};
use futures::future::try_join_all;
use petpro::stack::Stack;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use testkit::{Process, free_port};
use tokio::sync::Mutex;

/// The process that keeps streams and consumers.
pub const PROVISION: &str = "provision";

/// How much of the log is shown when something goes wrong.
const SHOWN_LINES: usize = 40;

/// All processes of a world.
pub struct Processes {
    program: PathBuf,
    layout: Layout,
    variables: BTreeMap<String, String>,
    log: PathBuf,
    places: BTreeMap<&'static str, Place>,
    running: Mutex<BTreeMap<&'static str, Process>>,
    /// A mistake that processes make which are started from now on.
    planted: OnceLock<String>,
    http: reqwest::Client,
}

/// Where a process listens, each time that it is started.
#[derive(Debug, Clone)]
struct Place {
    admin: String,
    edge: String,
}

impl Processes {
    pub(super) fn new(stack: &Stack, folder: &Path, options: WorldOptions) -> anyhow::Result<Processes> {
        let mut variables = stack.variables.clone();
        let filter = std::env::var("PETPRO_LOG__FILTER").unwrap_or_else(|_| "info".to_owned());
        variables.insert("PETPRO_LOG__FILTER".to_owned(), filter);
        variables.insert("PETPRO_CONFIG".to_owned(), "/dev/null".to_owned());
        variables.insert("PETPRO_EDGE__LIMITS_PROFILE".to_owned(), "wide".to_owned());
        variables.extend(options.settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let mut places = BTreeMap::new();
        for member in &options.layout.0 {
            let address = || anyhow::Ok(format!("127.0.0.1:{}", free_port()?));
            places.insert(member.name, Place { admin: address()?, edge: address()? });
        }
        Ok(Processes {
            program: options.program,
            layout: options.layout,
            variables,
            log: folder.join("services.log"),
            places,
            running: Mutex::default(),
            planted: OnceLock::new(),
            http: reqwest::Client::builder().timeout(Duration::from_secs(2)).build()?,
        })
    }

    /// The program that all of them are.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// Which processes there are.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The last warnings in what all of them have logged; the last lines where none is a warning.
    pub fn log_end(&self) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let all: Vec<&str> = log.lines().collect();
        let mut lines: Vec<&str> = all.iter().filter(|line| is_warning(line)).copied().collect();
        if lines.is_empty() {
            lines = all;
        }
        lines.iter().skip(lines.len().saturating_sub(SHOWN_LINES)).map(|line| format!("{line}\n")).collect()
    }

    /// The addresses of the edges.
    pub fn edges(&self) -> Vec<String> {
        let names = self.layout.with("edge");
        names.iter().filter_map(|name| self.places.get(name)).map(|place| format!("http://{}", place.edge)).collect()
    }

    /// Where a process shows its metrics.
    pub fn admin(&self, name: &str) -> Option<String> {
        self.places.get(name).map(|place| format!("http://{}", place.admin))
    }

    /// Makes streams and consumers.
    ///
    /// # Errors
    /// They cannot be made.
    pub async fn provision_once(&self) -> anyhow::Result<()> {
        let once = self.spawn(&["platform", "provision", "--once"], BTreeMap::new())?;
        ensure!(once.exited().await? == 0, "streams and consumers could not be made");
        Ok(())
    }

    /// Starts all of the layout, and the one that keeps streams and consumers.
    ///
    /// # Errors
    /// One of them does not become ready.
    pub async fn start_all(&self) -> anyhow::Result<()> {
        let provision = self.spawn(&["platform", "provision"], BTreeMap::new())?;
        self.running.lock().await.insert(PROVISION, provision);
        try_join_all(self.layout.0.iter().map(|member| self.start_member(*member))).await?;
        Ok(())
    }

    /// Starts one that does not run, and waits until it is ready.
    ///
    /// # Errors
    /// It does not become ready.
    pub async fn start(&self, name: &str) -> anyhow::Result<()> {
        let member = self.layout.0.iter().find(|member| member.name == name);
        self.start_member(*member.with_context(|| format!("there is no process {name}"))?).await
    }

    /// Starts all of them anew, and from now on they make a mistake.
    ///
    /// # Errors
    /// One of them does not become ready.
    pub async fn plant(&self, mistake: String) -> anyhow::Result<()> {
        self.planted.get_or_init(|| mistake);
        try_join_all(self.layout.0.iter().map(|member| async {
            self.kill(member.name).await?;
            self.start_member(*member).await
        }))
        .await?;
        Ok(())
    }

    async fn start_member(&self, member: Member) -> anyhow::Result<()> {
        let place = self.places.get(member.name).context("a process without a place")?;
        let variables = BTreeMap::from([
            ("PETPRO_ADMIN__LISTEN".to_owned(), place.admin.clone()),
            ("PETPRO_EDGE__LISTEN".to_owned(), place.edge.clone()),
        ]);
        let arguments: Vec<&str> = ["platform", "run"].into_iter().chain(member.services.iter().copied()).collect();
        let started = Instant::now();
        let deadline = started + PATIENCE;
        let mut process = self.spawn(&arguments, variables.clone())?;
        while !self.is_ready(place).await {
            // While a server is away a start gives up after a while, and whoever runs the platform starts it again.
            if let Ok(code) = tokio::time::timeout(Duration::from_millis(1), process.exited()).await {
                ensure!(Instant::now() < deadline, "{} ended with {code:?} instead of starting", member.name);
                tokio::time::sleep(Duration::from_millis(500)).await;
                process = self.spawn(&arguments, variables.clone())?;
            }
            ensure!(Instant::now() < deadline, "{} does not become ready", member.name);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.running.lock().await.insert(member.name, process);
        Ok(())
    }

    async fn is_ready(&self, place: &Place) -> bool {
        let asked = self.http.get(format!("http://{}/health/ready", place.admin)).send().await;
        asked.is_ok_and(|answer| answer.status().is_success())
    }

    /// Kill -9.
    ///
    /// # Errors
    /// It does not run.
    pub async fn kill(&self, name: &str) -> anyhow::Result<()> {
        let process = self.running.lock().await.remove(name);
        process.with_context(|| format!("{name} does not run"))?.kill().await
    }

    /// SIGTERM, and waits until it has left; it has to end well.
    ///
    /// # Errors
    /// It does not run, or ends with an error.
    pub async fn leave(&self, name: &str) -> anyhow::Result<()> {
        let process = self.running.lock().await.remove(name);
        let code = process.with_context(|| format!("{name} does not run"))?.terminate().await?;
        ensure!(code == 0, "{name} ended with code {code}");
        Ok(())
    }

    /// Sends a signal, named without `SIG`: `STOP`, `CONT`.
    ///
    /// # Errors
    /// It does not run.
    pub async fn signal(&self, name: &str, signal: &str) -> anyhow::Result<()> {
        let mut running = self.running.lock().await;
        running.get_mut(name).with_context(|| format!("{name} does not run"))?.signal(signal)
    }

    /// The process ids of all that run.
    pub async fn ids(&self) -> BTreeMap<&'static str, u32> {
        let running = self.running.lock().await;
        running.iter().filter_map(|(name, process)| Some((*name, process.id()?))).collect()
    }

    /// Which of them have ended by themselves.
    pub async fn ended(&self) -> Vec<&'static str> {
        let running = self.running.lock().await;
        running.iter().filter(|(_, process)| process.id().is_none()).map(|(name, _)| *name).collect()
    }

    /// SIGTERM to all; the ones that take requests have to end well.
    ///
    /// # Errors
    /// One of them does not.
    pub async fn stop(&self) -> anyhow::Result<()> {
        let running = std::mem::take(&mut *self.running.lock().await);
        let stopping = running.into_iter().map(|(name, process)| async move {
            let code = process.terminate().await.with_context(|| name.to_owned())?;
            ensure!(code == 0, "{name} ended with code {code}");
            Ok(())
        });
        futures::future::join_all(stopping).await.into_iter().collect()
    }

    fn spawn(&self, arguments: &[&str], extra: BTreeMap<String, String>) -> anyhow::Result<Process> {
        let mut variables = self.variables.clone();
        variables.extend(extra);
        variables.extend(self.planted.get().map(|mistake| ("PLANTED_FAULT".to_owned(), mistake.clone())));
        Process::spawn(&self.program, arguments, &variables, &self.log)
    }
}

fn is_warning(line: &str) -> bool {
    line.contains("WARN") || line.contains("ERROR") || line.starts_with("petpro:") || line.starts_with("faults:")
}
