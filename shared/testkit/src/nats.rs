//! NATS with JetStream and the accounts and permissions that the caller gives.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::time::{Instant, sleep};

use crate::binaries;
use crate::files;
use crate::folder::Folder;
use crate::guarded::Recipe;
use crate::nats_cluster::Membership;
use crate::ports;
use crate::probe::Probe;
use crate::server::{Plan, Server};

/// Limits that hold wherever the platform's NATS runs.
const COMMON_CONFIG: &str = include_str!("../../../nats/common.conf");
/// How JetStream keeps messages there.
const JETSTREAM_CONFIG: &str = include_str!("../../../nats/jetstream.conf");
/// How connections are encrypted there.
const TLS_CONFIG: &str = include_str!("../../../nats/tls.conf");

/// What streams may set aside, used or not. Left to itself the server takes three quarters of what is free on the disk,
/// and refuses streams on a disk that is rather full.
const STORE_LIMIT: &str = "64GB";

/// How long the server may take to read a new configuration.
const RELOAD_PATIENCE: Duration = Duration::from_secs(10);

/// Everything is as it should be.
const HEALTHY: &str = "/healthz";
/// JetStream runs, which of a cluster it may do without the other nodes.
const RUNS: &str = "/healthz?js-enabled-only=true";

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
    /// How often JetStream has the disk take what it has acknowledged: `10s`, `2m`, or `always` for each message. As
    /// in `nats/jetstream.conf` when not given.
    pub sync_interval: Option<String>,
    /// The folder of `server.pem` and `authorities.pem`, as `petpro keys` makes it; both are read again at a reload. Without
    /// it nothing is encrypted: for servers that hold nothing of the platform's.
    pub tls: Option<PathBuf>,
}

/// A running nats-server. Dropping it stops it in the background.
#[derive(Debug)]
pub struct Nats {
    server: Server,
    name: String,
    monitor_port: u16,
}

impl Nats {
    /// Starts a server and waits until it and its JetStream are ready.
    pub async fn start(options: NatsOptions) -> Result<Nats> {
        Nats::start_as(options, format!("petpro-{}", uuid::Uuid::new_v4().simple()), None).await
    }

    /// Starts a server of this name, alone or as a node of a cluster. A node is not asked for more than that it runs.
    pub(crate) async fn start_as(
        options: NatsOptions,
        name: String,
        membership: Option<&Membership<'_>>,
    ) -> Result<Nats> {
        let program = binaries::nats_server()?;
        let folder = match &options.folder {
            Some(path) => Folder::kept(path, "nats").await?,
            None => Folder::temporary("nats").await?,
        };
        let jetstream = match &options.sync_interval {
            Some(interval) => format!("sync_interval: {interval:?}\n"),
            None => JETSTREAM_CONFIG.to_owned(),
        };
        write(&accounts_path(&folder), &options.accounts)?;
        write(&folder.path().join("common.conf"), COMMON_CONFIG)?;
        write(&folder.path().join("jetstream.conf"), &jetstream)?;
        write(&folder.path().join("tls.conf"), TLS_CONFIG)?;
        let tls = options.tls.as_deref().map(tls_block).unwrap_or_default();
        let server = Server::start("nats", folder, options.preferred_port, |folder, port| {
            plan(&program, folder, &name, port, &tls, membership)
        })
        .await?;
        let Probe::Nats { monitor_port, .. } = *server.probe() else {
            bail!("NATS was started without its monitoring port");
        };
        Ok(Nats { server, name, monitor_port })
    }

    /// Its address, as `nats://127.0.0.1:port`.
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.server.port())
    }

    /// The port for clients.
    pub fn port(&self) -> u16 {
        self.server.port()
    }

    /// What the server calls itself.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The address of the monitoring port (`/varz`, `/connz`, `/jsz`, `/healthz`).
    pub fn monitor_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.monitor_port)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.server.folder().path()
    }

    pub(crate) fn monitor_port(&self) -> u16 {
        self.monitor_port
    }

    /// Puts other accounts and permissions in force, and other certificates, without a restart. Clients that lost a right
    /// stay connected.
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

    /// Freezes it (SIGSTOP): it keeps its connections and answers nobody until `resume`.
    pub async fn pause(&self) -> Result<()> {
        self.server.pause().await
    }

    /// Lets it go on after `pause`.
    pub async fn resume(&self) -> Result<()> {
        self.server.resume().await
    }

    /// Stops it if it runs, and starts it on the same port and streams.
    pub async fn restart(&self) -> Result<()> {
        self.server.restart().await
    }

    /// Kills it if it runs, removes everything that its JetStream keeps, and starts it on the same port.
    pub async fn wipe_store(&self) -> Result<()> {
        let store = store_path(self.server.folder());
        self.server.restart_after("KILL", move || files::remove(&store)).await
    }

    /// Stops it if it runs, copies everything that its JetStream keeps to a folder that is not there yet, and starts it
    /// again.
    pub async fn copy_store(&self, to: &Path) -> Result<()> {
        let (store, to) = (store_path(self.server.folder()), to.to_owned());
        self.server.restart_after("TERM", move || files::copy(&store, &to)).await
    }

    /// Kills it if it runs, puts a copy that `copy_store` has made in place of what its JetStream keeps, and starts it
    /// again. All that was stored after the copy was made is gone then, and no client is told.
    pub async fn put_store_back(&self, from: &Path) -> Result<()> {
        let (store, from) = (store_path(self.server.folder()), from.to_owned());
        let put_back = move || {
            files::remove(&store)?;
            files::copy(&from, &store)
        };
        self.server.restart_after("KILL", put_back).await
    }

    /// Stops it and waits until it is gone.
    pub async fn stop(&self) -> Result<()> {
        self.server.stop().await
    }
}

fn plan(
    program: &Path,
    folder: &Folder,
    server_name: &str,
    port: u16,
    tls: &str,
    membership: Option<&Membership<'_>>,
) -> Result<Plan> {
    let monitor_port = ports::free_port()?;
    let store = store_path(folder);
    let mut config = format!(
        "server_name: {server_name}\n\
         listen: \"127.0.0.1:{port}\"\n\
         http: \"127.0.0.1:{monitor_port}\"\n\
         jetstream {{\n\
         store_dir: {store:?}\n\
         max_file_store: {STORE_LIMIT}\n\
         include jetstream.conf\n\
         }}\n\
         {tls}\
         include common.conf\n\
         include accounts.conf\n"
    );
    if let Some(membership) = membership {
        config.push_str(&membership.config(port, tls)?);
        write(&folder.path().join("routes.conf"), Membership::ROUTES_CONFIG)?;
    }
    let config_path = folder.path().join("server.conf");
    write(&config_path, &config)?;
    let recipe = Recipe {
        command: vec![program.as_os_str().to_owned(), "--config".into(), config_path.into_os_string()],
        stop_signal: "TERM",
        grace: Duration::from_secs(10),
        throw_away: folder.throw_away(),
    };
    let health_path = if membership.is_some() { RUNS } else { HEALTHY };
    let probe = Probe::Nats { monitor_port, server_name: server_name.to_owned(), health_path };
    Ok(Plan { recipe, probe, port })
}

/// The block `tls`, of clients as of other nodes.
fn tls_block(folder: &Path) -> String {
    let (server, authorities) = (folder.join("server.pem"), folder.join("authorities.pem"));
    format!(
        "tls {{\n\
         cert_file: {server:?}\n\
         key_file: {server:?}\n\
         ca_file: {authorities:?}\n\
         include tls.conf\n\
         }}\n"
    )
}

fn accounts_path(folder: &Folder) -> PathBuf {
    folder.path().join("accounts.conf")
}

fn store_path(folder: &Folder) -> PathBuf {
    folder.path().join("jetstream")
}

fn write(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
