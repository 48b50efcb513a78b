//! Where a server keeps its data and its log.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::guarded::{Guarded, Recipe};

/// How long an earlier server on the same folder may take to stop.
const LOCK_PATIENCE: Duration = Duration::from_secs(20);

/// How much of a log's end is shown when a server does not start.
const SHOWN_LOG_BYTES: u64 = 4_000;

/// A server's folder. A kept one belongs to one server at a time: the lock on its log file is held by this process,
/// the watchdog and the server, and is free again only when all of them are gone.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    log: File,
    log_path: PathBuf,
    /// The ended process whose watchdog removes the temporary folder, until the next one takes over.
    guard: Option<Guarded>,
    is_kept: bool,
}

impl Folder {
    /// A new folder that disappears with its server, open to the account that the server runs under. It is made under
    /// a watchdog already: there is no moment at which it would stay behind.
    pub(crate) async fn temporary(server: &str) -> Result<Folder> {
        let path = std::env::temp_dir().join(format!("petpro-{server}-{}", Uuid::new_v4().simple()));
        let recipe = Recipe {
            command: vec!["mkdir".into(), "-m".into(), "755".into(), path.clone().into_os_string()],
            stop_signal: "TERM",
            grace: Duration::from_secs(5),
            throw_away: Some(path.clone()),
        };
        let nowhere = OpenOptions::new().write(true).open("/dev/null")?;
        let guard = Guarded::spawn(&recipe, nowhere)?;
        let code = guard.exited(Duration::from_secs(30)).await?;
        ensure!(code == 0, "cannot make the folder {}; is TMPDIR right?", path.display());
        let log_path = path.join(format!("{server}.log"));
        let log = open_log(&log_path)?;
        Ok(Folder { path, log, log_path, guard: Some(guard), is_kept: false })
    }

    /// The given folder, made when missing. Waits for an earlier server on it that is about to stop.
    pub(crate) async fn kept(path: &Path, server: &str) -> Result<Folder> {
        std::fs::create_dir_all(path).with_context(|| format!("cannot make the folder {}", path.display()))?;
        let path = path.canonicalize()?;
        let log_path = path.join(format!("{server}.log"));
        let log = open_log(&log_path)?;
        let deadline = Instant::now() + LOCK_PATIENCE;
        loop {
            match log.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => sleep(Duration::from_millis(50)).await,
                Err(TryLockError::WouldBlock) => {
                    bail!("another run of {server} uses {}; ./just down ends it", path.display())
                }
                Err(TryLockError::Error(error)) => {
                    return Err(error).with_context(|| format!("cannot lock the log in {}", path.display()));
                }
            }
        }
        // One run, one log.
        log.set_len(0)?;
        Ok(Folder { path, log, log_path, guard: None, is_kept: true })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn log_path(&self) -> &Path {
        &self.log_path
    }

    /// What the watchdog is to remove.
    pub(crate) fn throw_away(&self) -> Option<PathBuf> {
        (!self.is_kept).then(|| self.path.clone())
    }

    /// The log for a new process: the same open file, so that the lock on it goes along.
    pub(crate) fn log_for_process(&self) -> Result<File> {
        Ok(self.log.try_clone()?)
    }

    /// The process whose watchdog has kept the folder up to here.
    pub(crate) fn take_guard(&mut self) -> Option<Guarded> {
        self.guard.take()
    }

    /// Lets the watchdog of `process` keep the folder from now on.
    pub(crate) async fn change_guard(&mut self, process: Guarded) -> Result<()> {
        match self.guard.replace(process) {
            Some(previous) => previous.let_go().await,
            None => Ok(()),
        }
    }

    pub(crate) fn log_length(&self) -> Result<u64> {
        Ok(self.log.metadata()?.len())
    }

    /// The end of what was logged after `start`.
    pub(crate) fn logged_since(&self, start: u64) -> String {
        self.read_log(start).unwrap_or_else(|error| format!("(the log cannot be read: {error})"))
    }

    fn read_log(&self, start: u64) -> Result<String> {
        // Not through the shared handle, whose position the server appends at.
        let mut log = File::open(&self.log_path)?;
        let end = log.metadata()?.len();
        log.seek(SeekFrom::Start(start.max(end.saturating_sub(SHOWN_LOG_BYTES))))?;
        let mut bytes = Vec::new();
        log.read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

fn open_log(path: &Path) -> Result<File> {
    OpenOptions::new().create(true).append(true).open(path).with_context(|| format!("cannot write {}", path.display()))
}
