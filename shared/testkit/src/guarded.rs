//! A process under a watchdog, which stops it when this process is gone, however that came about.

use std::ffi::OsString;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::sync::watch;

/// Started by `sh`; see the comments there for what it promises.
const WATCHDOG: &str = include_str!("watchdog.sh");

/// What to run and how to stop it.
#[derive(Clone, Debug)]
pub(crate) struct Recipe {
    /// The program and its arguments.
    pub(crate) command: Vec<OsString>,
    /// The signal that asks the server to stop, without `SIG`.
    pub(crate) stop_signal: &'static str,
    /// How long it may take to stop before it is killed.
    pub(crate) grace: Duration,
    /// The folder that disappears with the server.
    pub(crate) throw_away: Option<PathBuf>,
}

/// What the watchdog last told of its server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Starting,
    Running {
        process_id: u32,
    },
    /// It stands still until it is told to go on.
    Paused {
        process_id: u32,
    },
    Exited {
        code: i32,
    },
    /// The watchdog itself has ended.
    Gone,
}

/// A running (or ended) server with its watchdog. Dropping it stops the server in the background.
#[derive(Debug)]
pub(crate) struct Guarded {
    lifeline: ChildStdin,
    state: watch::Receiver<State>,
    grace: Duration,
}

impl Guarded {
    /// Starts the recipe's command; its output goes to `log`.
    pub(crate) fn spawn(recipe: &Recipe, log: File) -> Result<Guarded> {
        let throw_away = recipe.throw_away.as_deref().unwrap_or(Path::new(""));
        let mut watchdog = Command::new("sh")
            .args(["-c", &watchdog_script(), "watchdog", recipe.stop_signal])
            .arg(recipe.grace.as_secs().to_string())
            .arg(throw_away)
            .args(&recipe.command)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            // Any folder that a server under another account may enter.
            .current_dir("/")
            // Ctrl-C in the terminal is for the owner alone, who then lets go of the pipe.
            .process_group(0)
            .spawn()
            .context("cannot start sh, which every server is run by")?;
        let (Some(lifeline), Some(reports)) = (watchdog.stdin.take(), watchdog.stdout.take()) else {
            bail!("the watchdog was started without its pipes");
        };
        let (sender, state) = watch::channel(State::Starting);
        std::thread::spawn(move || follow(watchdog, reports, &sender));
        Ok(Guarded { lifeline, state, grace: recipe.grace })
    }

    pub(crate) fn state(&self) -> State {
        *self.state.borrow()
    }

    /// Sends the server a signal, named without `SIG`.
    pub(crate) fn signal(&mut self, signal: &str) -> Result<()> {
        self.tell(signal)
    }

    /// Stops the server in the middle of whatever it does, with its children, and waits until they stand still.
    pub(crate) async fn pause(&mut self) -> Result<()> {
        self.tell("STOP")?;
        self.until(|state| !matches!(state, State::Starting | State::Running { .. })).await
    }

    /// Lets a paused server go on.
    pub(crate) async fn resume(&mut self) -> Result<()> {
        self.tell("CONT")?;
        self.until(|state| !matches!(state, State::Paused { .. })).await
    }

    async fn until(&self, holds: impl Fn(&State) -> bool) -> Result<()> {
        let mut state = self.state.clone();
        let reported = tokio::time::timeout(Duration::from_secs(10), state.wait_for(|state| holds(state))).await;
        reported.context("the watchdog does not report")?.context("the watchdog is gone")?;
        Ok(())
    }

    /// Waits until the server has ended; the code is 128 and more after a signal.
    pub(crate) async fn exited(&self, at_most: Duration) -> Result<i32> {
        let mut state = self.state.clone();
        let ended = state.wait_for(|state| matches!(state, State::Exited { .. } | State::Gone));
        match tokio::time::timeout(at_most, ended).await.map(|changed| changed.map(|state| *state)) {
            Ok(Ok(State::Exited { code })) => Ok(code),
            Ok(_) => bail!("the watchdog ended before its server"),
            Err(_) => bail!("the server has not ended within {} s", at_most.as_secs()),
        }
    }

    /// Asks the server to stop, and leaves its folder alone.
    pub(crate) async fn stop_server(&mut self, signal: &str) -> Result<()> {
        if matches!(self.state(), State::Exited { .. } | State::Gone) {
            return Ok(());
        }
        self.signal(signal)?;
        self.exited(self.grace).await.map(|_code| ())
    }

    /// Ends the watchdog of an ended server: its folder is another watchdog's now.
    pub(crate) async fn let_go(mut self) -> Result<()> {
        self.tell("keep")?;
        let mut state = self.state.clone();
        let gone = state.wait_for(|state| *state == State::Gone);
        tokio::time::timeout(Duration::from_secs(5), gone).await.context("a watchdog does not end")??;
        Ok(())
    }

    /// Stops the server, removes what is to be thrown away, and waits for both.
    pub(crate) async fn stop(self) -> Result<()> {
        let Guarded { lifeline, mut state, grace } = self;
        drop(lifeline);
        let gone = state.wait_for(|state| *state == State::Gone);
        let patience = grace + Duration::from_secs(5);
        tokio::time::timeout(patience, gone).await.context("the server does not stop")??;
        Ok(())
    }

    fn tell(&mut self, word: &str) -> Result<()> {
        // A line in a pipe that is all but empty: this does not block.
        writeln!(self.lifeline, "{word}").context("the watchdog of the server is gone")
    }
}

/// The script as it shows in a list of processes: without its comments.
fn watchdog_script() -> String {
    let lines = WATCHDOG.lines().filter(|line| !line.trim_start().starts_with('#') && !line.is_empty());
    lines.collect::<Vec<_>>().join("\n")
}

/// Reads the watchdog's reports until it ends.
fn follow(mut watchdog: Child, reports: ChildStdout, sender: &watch::Sender<State>) {
    for line in BufReader::new(reports).lines().map_while(Result::ok) {
        let reported = match line.split_once(' ') {
            Some(("running", number)) => number.parse().map(|process_id| State::Running { process_id }).ok(),
            Some(("paused", number)) => number.parse().map(|process_id| State::Paused { process_id }).ok(),
            Some(("exited", number)) => number.parse().map(|code| State::Exited { code }).ok(),
            _ => None,
        };
        if let Some(state) = reported {
            sender.send_replace(state);
        }
    }
    // Only so that it does not stay behind as a zombie; how it ended does not matter.
    let _ = watchdog.wait();
    sender.send_replace(State::Gone);
}
