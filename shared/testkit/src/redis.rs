//! Redis, which only ever holds what may be lost: it keeps nothing on disk.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;

use crate::binaries;
use crate::folder::Folder;
use crate::guarded::Recipe;
use crate::probe::Probe;
use crate::server::{Plan, Server};

/// How to start Redis.
#[derive(Clone, Debug, Default)]
pub struct RedisOptions {
    /// Where its log goes; a temporary folder when none is given.
    pub folder: Option<PathBuf>,
    /// Used when it is free, another one otherwise.
    pub preferred_port: Option<u16>,
}

/// A running redis-server. Dropping it stops it in the background.
#[derive(Debug)]
pub struct Redis {
    server: Server,
}

impl Redis {
    /// Starts a server and waits until it answers.
    pub async fn start(options: RedisOptions) -> Result<Redis> {
        let program = binaries::redis_server()?;
        let folder = match &options.folder {
            Some(path) => Folder::kept(path, "redis").await?,
            None => Folder::temporary("redis").await?,
        };
        let server = Server::start("redis", folder, options.preferred_port, |folder, port| {
            let mut command = vec![program.clone().into_os_string(), "--port".into(), port.to_string().into()];
            let settings = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--daemonize", "no"];
            command.extend(settings.map(Into::into));
            // A cache that is full forgets; it does not refuse.
            command.extend(["--maxmemory", "64mb", "--maxmemory-policy", "allkeys-lru"].map(Into::into));
            command.extend(["--dir".into(), folder.path().as_os_str().to_owned()]);
            let recipe =
                Recipe { command, stop_signal: "TERM", grace: Duration::from_secs(5), throw_away: folder.throw_away() };
            Ok(Plan { recipe, probe: Probe::Redis { port }, port })
        })
        .await?;
        Ok(Redis { server })
    }

    /// Its address, as `redis://127.0.0.1:port`.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.server.port())
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.server.port()
    }

    /// Kills it as a crash would.
    pub async fn kill(&self) -> Result<()> {
        self.server.kill().await
    }

    /// Freezes it (SIGSTOP): it keeps its connections and answers nobody until `resume`.
    pub async fn pause(&self) -> Result<()> {
        self.server.pause().await
    }

    /// Lets it go on after `pause`.
    pub async fn resume(&self) -> Result<()> {
        self.server.resume().await
    }

    /// Stops it if it runs, and starts it, empty, on the same port.
    pub async fn restart(&self) -> Result<()> {
        self.server.restart().await
    }

    /// Stops it and waits until it is gone.
    pub async fn stop(&self) -> Result<()> {
        self.server.stop().await
    }
}
