//! A program of ours as a process of its own, for tests that kill it.

use crate::guarded::{Guarded, Recipe, State};
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::path::Path;
use std::time::Duration;

/// How long a process may take to end after SIGTERM.
const GRACE: Duration = Duration::from_secs(30);

/// A running program. It is gone when its owner is, however that came about.
#[derive(Debug)]
pub struct Process(Guarded);

impl Process {
    /// Starts a program with arguments and additional variables; what it prints goes to the end of `log`.
    pub fn spawn(
        program: &Path,
        arguments: &[&str],
        variables: &BTreeMap<String, String>,
        log: &Path,
    ) -> Result<Process> {
        // `env` sets the variables and then becomes the program, so that signals reach it.
        let mut command: Vec<OsString> = vec!["env".into()];
        command.extend(variables.iter().map(|(name, value)| OsString::from(format!("{name}={value}"))));
        command.push(program.into());
        command.extend(arguments.iter().map(OsString::from));
        let log = File::options().create(true).append(true).open(log).context("cannot open the log")?;
        let recipe = Recipe { command, stop_signal: "TERM", grace: GRACE, throw_away: None };
        Ok(Process(Guarded::spawn(&recipe, log)?))
    }

    /// Sends a signal, named without `SIG`: `TERM`, `KILL`, `STOP`, `CONT`.
    pub fn signal(&mut self, signal: &str) -> Result<()> {
        self.0.signal(signal)
    }

    /// Freezes it (SIGSTOP) and its children, and waits until they stand still.
    pub async fn pause(&mut self) -> Result<()> {
        self.0.pause().await
    }

    /// Lets it go on after `pause`.
    pub async fn resume(&mut self) -> Result<()> {
        self.0.resume().await
    }

    /// Waits until it has ended; the code is 128 and more after a signal.
    pub async fn exited(&self) -> Result<i32> {
        self.0.exited(GRACE).await
    }

    /// Kill -9, and waits until it is gone.
    pub async fn kill(mut self) -> Result<()> {
        self.signal("KILL")?;
        self.exited().await.map(|_code| ())
    }

    /// Asks it to end, and answers its exit code.
    pub async fn terminate(mut self) -> Result<i32> {
        self.signal("TERM")?;
        self.exited().await
    }

    /// Its process id, once it runs.
    pub fn id(&self) -> Option<u32> {
        match self.0.state() {
            State::Running { process_id } | State::Paused { process_id } => Some(process_id),
            State::Starting | State::Exited { .. } | State::Gone => None,
        }
    }
}
