//! NATS with JetStream and the accounts and permissions that the caller gives.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::time::{Instant, sleep};

use crate::binaries;
use crate::folder::Folder;
use crate::guarded::Recipe;
use crate::ports;
use crate::probe::Probe;
use crate::server::{Plan, Server};

/// Limits that hold wherever the platform's NATS runs.
const COMMON_CONFIG: &str = include_str!("../../../nats/common.conf");

/// How long the server may take to read a new configuration.
const RELOAD_PATIENCE: Duration = Duration::from_secs(10);

/// How to start nats-server.
#[derive(Clone, Debug, Default)]
pub struct NatsOptions {
    /// Accounts, users and permissions, as text of a NATS configuration file (`petpro nats-config` writes it).
    /// Nothing in it means that everybody may do everything.
    pub accounts: String,
    /// Where streams and the log are kept; a temporary folder when none is given.
    pub folder: Option<PathBuf>,
    /// Used when it is free, another one otherwise.
    pub preferred_port: Option<u16>,
}

/// A running nats-server. Dropping it stops it in the background.
#[derive(Debug)]
pub struct Nats {
    server: Server,
    monitor_port: u16,
}

impl Nats {
    /// Starts a server and waits until it and its JetStream are ready.
    pub async fn start(options: NatsOptions) -> Result<Nats> {
        let program = binaries::nats_server()?;
        let folder = match &options.folder {
            Some(path) => Folder::kept(path, "nats").await?,
            None => Folder::temporary("nats").await?,
        };
        write(&accounts_path(&folder), &options.accounts)?;
        write(&folder.path().join("common.conf"), COMMON_CONFIG)?;
        let server_name = format!("petpro-{}", uuid::Uuid::new_v4().simple());
        let server = Server::start("nats", folder, options.preferred_port, |folder, port| {
            plan(&program, folder, &server_name, port)
        })
        .await?;
        let Probe::Nats { monitor_port, .. } = *server.probe() else {
            bail!("NATS was started without its monitoring port");
        };
        Ok(Nats { server, monitor_port })
    }

    /// Its address, as `nats://127.0.0.1:port`.
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.server.port())
    }

    /// The port for clients.
    pub fn port(&self) -> u16 {
        self.server.port()
    }

    /// The address of the monitoring port (`/varz`, `/connz`, `/jsz`, `/healthz`).
    pub fn monitor_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.monitor_port)
    }

    /// Puts other accounts and permissions in force, without a restart. Clients that lost a right stay connected.
    pub async fn reload(&self, accounts: &str) -> Result<()> {
        let folder = self.server.folder();
        write(&accounts_path(folder), accounts)?;
        let log_start = folder.log_length()?;
        self.server.signal("HUP").await?;
        let deadline = Instant::now() + RELOAD_PATIENCE;
        while Instant::now() < deadline {
            let log = folder.logged_since(log_start);
            if log.contains("Reloaded server configuration") {
                return Ok(());
            }
            if log.contains("Failed to reload server configuration") {
                bail!("nats-server refuses the new configuration:\n{log}");
            }
            sleep(Duration::from_millis(10)).await;
        }
        bail!("nats-server has not taken the new configuration:\n{}", folder.logged_since(log_start))
    }

    /// Kills it as a crash would; the streams stay for `restart`.
    pub async fn kill(&self) -> Result<()> {
        self.server.kill().await
    }

    /// Stops it if it runs, and starts it on the same port and streams.
    pub async fn restart(&self) -> Result<()> {
        self.server.restart().await
    }

    /// Stops it and waits until it is gone.
    pub async fn stop(&self) -> Result<()> {
        self.server.stop().await
    }
}

fn plan(program: &Path, folder: &Folder, server_name: &str, port: u16) -> Result<Plan> {
    let monitor_port = ports::free_port()?;
    let store = folder.path().join("jetstream");
    let config = format!(
        "server_name: {server_name}\n\
         listen: \"127.0.0.1:{port}\"\n\
         http: \"127.0.0.1:{monitor_port}\"\n\
         jetstream {{ store_dir: {store:?} }}\n\
         include common.conf\n\
         include accounts.conf\n"
    );
    let config_path = folder.path().join("server.conf");
    write(&config_path, &config)?;
    let recipe = Recipe {
        command: vec![program.as_os_str().to_owned(), "--config".into(), config_path.into_os_string()],
        stop_signal: "TERM",
        grace: Duration::from_secs(10),
        throw_away: folder.throw_away(),
    };
    let probe = Probe::Nats { port, monitor_port, server_name: server_name.to_owned() };
    Ok(Plan { recipe, probe, port })
}

fn accounts_path(folder: &Folder) -> PathBuf {
    folder.path().join("accounts.conf")
}

fn write(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
