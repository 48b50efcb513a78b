//! One server: start until it is ready, stop, kill, start again.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep, timeout};

use crate::folder::Folder;
use crate::guarded::{Guarded, Recipe, State};
use crate::ports;
use crate::probe::Probe;

/// How long a server may take until it answers; a kept Postgres may have to recover first.
const READY_PATIENCE: Duration = Duration::from_secs(60);

/// How often a start is tried again on another port, or until a killed predecessor has let go.
const ATTEMPTS: u32 = 50;

/// How to start a server on a certain port.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) recipe: Recipe,
    pub(crate) probe: Probe,
    pub(crate) port: u16,
}

/// A running server. Dropping it stops the server in the background.
#[derive(Debug)]
pub(crate) struct Server {
    name: &'static str,
    plan: Plan,
    folder: Folder,
    process: Mutex<Option<Guarded>>,
}

enum Start {
    Ready(Guarded),
    PortTaken(Guarded),
    /// The processes of a killed predecessor are not all gone yet.
    StillHeld(Guarded),
}

impl Server {
    /// Starts a server on the preferred port or on a free one.
    pub(crate) async fn start(
        name: &'static str,
        mut folder: Folder,
        preferred_port: Option<u16>,
        plan_for: impl Fn(&Folder, u16) -> Result<Plan>,
    ) -> Result<Server> {
        let mut previous = folder.take_guard();
        for _attempt in 0..ATTEMPTS {
            let port = ports::preferably(preferred_port)?;
            let plan = plan_for(&folder, port)?;
            match start_once(name, &folder, &plan, previous.take()).await? {
                Start::Ready(process) => {
                    return Ok(Server { name, plan, folder, process: Mutex::new(Some(process)) });
                }
                Start::PortTaken(ended) | Start::StillHeld(ended) => previous = Some(ended),
            }
        }
        bail!("{name} found no port on 127.0.0.1 in {ATTEMPTS} attempts")
    }

    pub(crate) fn port(&self) -> u16 {
        self.plan.port
    }

    pub(crate) fn probe(&self) -> &Probe {
        &self.plan.probe
    }

    pub(crate) fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Stops it in the middle of whatever it does, with its children: it holds on to its connections and does not answer.
    pub(crate) async fn pause(&self) -> Result<()> {
        let mut process = self.process.lock().await;
        process.as_mut().with_context(|| format!("{} has been stopped", self.name))?.pause().await
    }

    /// Lets it go on after a pause.
    pub(crate) async fn resume(&self) -> Result<()> {
        let mut process = self.process.lock().await;
        process.as_mut().with_context(|| format!("{} has been stopped", self.name))?.resume().await
    }

    /// Sends a signal, named without `SIG`.
    pub(crate) async fn signal(&self, signal: &str) -> Result<()> {
        let mut process = self.process.lock().await;
        process.as_mut().with_context(|| format!("{} has been stopped", self.name))?.signal(signal)
    }

    /// `kill -9`, as a crash would be. The data stays for `restart`.
    pub(crate) async fn kill(&self) -> Result<()> {
        let mut process = self.process.lock().await;
        let process = process.as_mut().with_context(|| format!("{} has been stopped", self.name))?;
        process.stop_server("KILL").await
    }

    /// Stops the server if it runs, and starts it on the same port and data.
    pub(crate) async fn restart(&self) -> Result<()> {
        self.restart_after(self.plan.recipe.stop_signal, || Ok(())).await
    }

    /// Stops the server with the signal if it runs, does what may only be done while it does not, and starts it on the
    /// same port. When that work fails, the server stays stopped.
    pub(crate) async fn restart_after(
        &self,
        stop_signal: &str,
        meanwhile: impl FnOnce() -> Result<()> + Send + 'static,
    ) -> Result<()> {
        let mut process = self.process.lock().await;
        if let Some(running) = process.as_mut() {
            running.stop_server(stop_signal).await?;
        }
        spawn_blocking(meanwhile).await??;
        let mut previous = process.take();
        for _attempt in 0..ATTEMPTS {
            match start_once(self.name, &self.folder, &self.plan, previous.take()).await? {
                Start::Ready(started) => {
                    *process = Some(started);
                    return Ok(());
                }
                Start::PortTaken(ended) | Start::StillHeld(ended) => {
                    previous = Some(ended);
                    sleep(Duration::from_millis(100)).await;
                }
            }
        }
        bail!("{} does not come back on port {}", self.name, self.plan.port)
    }

    /// Stops the server and waits until it and its temporary folder are gone.
    pub(crate) async fn stop(&self) -> Result<()> {
        let process = self.process.lock().await.take();
        match process {
            Some(process) => process.stop().await.with_context(|| self.name),
            None => Ok(()),
        }
    }
}

/// One attempt: runs the plan and waits until the server answers or has ended.
async fn start_once(name: &str, folder: &Folder, plan: &Plan, previous: Option<Guarded>) -> Result<Start> {
    let log_start = folder.log_length()?;
    let process = Guarded::spawn(&plan.recipe, folder.log_for_process()?)?;
    if let Some(previous) = previous {
        previous.let_go().await?;
    }
    let deadline = Instant::now() + READY_PATIENCE;
    loop {
        match process.state() {
            State::Running { process_id } => {
                // A wrong server on the port may leave a question unanswered.
                let answer = timeout(Duration::from_secs(2), plan.probe.check(process_id)).await;
                match answer {
                    Ok(Ok(())) if process.state() == (State::Running { process_id }) => {
                        return Ok(Start::Ready(process));
                    }
                    Ok(Err(error)) if Instant::now() > deadline => {
                        let log = folder.logged_since(log_start);
                        return Err(error.context(format!("{name} does not become ready; its log says:\n{log}")));
                    }
                    _ => {}
                }
            }
            State::Exited { code } => {
                let log = folder.logged_since(log_start);
                if log.to_lowercase().contains("address already in use") {
                    return Ok(Start::PortTaken(process));
                }
                if log.contains("pre-existing shared memory block") {
                    return Ok(Start::StillHeld(process));
                }
                bail!("{name} ended with code {code} instead of starting; its log says:\n{log}");
            }
            State::Starting | State::Paused { .. } => {}
            State::Gone => bail!("the watchdog of {name} was killed"),
        }
        if Instant::now() > deadline {
            bail!("{name} does not become ready; its log says:\n{}", folder.logged_since(log_start));
        }
        sleep(Duration::from_millis(10)).await;
    }
}
