//! Postgres: a cluster of our own, with generated credentials.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use tokio::sync::{Mutex, OnceCell};

use crate::account::Account;
use crate::binaries;
use crate::cluster;
use crate::folder::Folder;
use crate::guarded::Recipe;
use crate::probe::Probe;
use crate::server::{Plan, Server};

/// The name of the superuser of every cluster that is started here.
pub(crate) const ADMIN: &str = "petpro_admin";

/// What a crash may cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// Nothing reaches the disk for certain: fast, and right for data that nobody will miss.
    #[default]
    ThrowAway,
    /// As Postgres is by default: a commit survives a crash of the machine.
    Kept,
}

/// How to start Postgres.
#[derive(Clone, Debug, Default)]
pub struct PostgresOptions {
    /// Where the cluster is kept; a temporary folder when none is given. Run as root, the cluster goes to
    /// `/var/lib/petpro` when the account `postgres` may not enter this folder; the file `moved-to` in it tells where.
    pub folder: Option<PathBuf>,
    /// What a crash may cost.
    pub durability: Durability,
    /// Used when it is free, another one otherwise.
    pub preferred_port: Option<u16>,
    /// Connections at a time; 400 when not given.
    pub max_connections: Option<u32>,
    /// Further settings, as (name, value).
    pub settings: Vec<(String, String)>,
}

/// A running Postgres. Dropping it stops it in the background.
#[derive(Debug)]
pub struct Postgres {
    server: Server,
    password: String,
    /// One cell a template: it is made once, however many tests ask for it at a time.
    pub(crate) templates: Mutex<HashMap<String, Arc<OnceCell<()>>>>,
    /// Held while a template is copied, which needs it to be without connections.
    pub(crate) cloning: Mutex<()>,
}

/// The server that the tests of one binary share.
static SHARED: OnceCell<Postgres> = OnceCell::const_new();

impl Postgres {
    /// The throw-away server of this process, started on first use; it ends with the process.
    pub async fn shared() -> Result<&'static Postgres> {
        SHARED.get_or_try_init(|| Postgres::start(PostgresOptions::default())).await
    }

    /// Starts a server, on a new cluster if there is none yet, and waits until it takes connections.
    pub async fn start(options: PostgresOptions) -> Result<Postgres> {
        let account = Account::find()?;
        let mut folder = match &options.folder {
            Some(path) => Folder::kept(&cluster::home(path, account)?, "postgres").await?,
            None => cluster::temporary(account).await?,
        };
        let existing = cluster::existing(&folder)?;
        let programs = binaries::postgres_programs(existing.as_ref().map(|cluster| cluster.major_version))?;
        let password = match existing {
            Some(cluster) => cluster.password,
            None => cluster::create(&mut folder, account, &programs, options.durability).await?,
        };
        let server = Server::start("postgres", folder, options.preferred_port, |folder, port| {
            let recipe = recipe(&programs, account, folder, port, &options);
            let probe = Probe::Postgres { url: url(port, ADMIN, &password, "postgres") };
            Ok(Plan { recipe, probe, port })
        })
        .await?;
        Ok(Postgres { server, password, templates: Mutex::default(), cloning: Mutex::default() })
    }

    /// The address of a database for the superuser.
    pub fn admin_url(&self, database: &str) -> String {
        url(self.port(), ADMIN, &self.password, database)
    }

    /// The address of a database for any role. Name and password must not need escaping in a URL.
    pub fn url(&self, role: &str, password: &str, database: &str) -> String {
        url(self.port(), role, password, database)
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.server.port()
    }

    pub(crate) fn log_path(&self) -> PathBuf {
        self.server.folder().log_path().to_owned()
    }

    /// Kills the postmaster as a crash would; the data stays for `restart`, as far as its durability goes.
    pub async fn kill(&self) -> Result<()> {
        self.server.kill().await
    }

    /// Freezes it (SIGSTOP), the postmaster and on Linux every backend: connections stay, and nobody is answered until
    /// `resume`.
    pub async fn pause(&self) -> Result<()> {
        self.server.pause().await
    }

    /// Lets it go on after `pause`.
    pub async fn resume(&self) -> Result<()> {
        self.server.resume().await
    }

    /// Stops it if it runs, and starts it on the same port and data.
    pub async fn restart(&self) -> Result<()> {
        self.server.restart().await
    }

    /// Stops it and waits until it is gone.
    pub async fn stop(&self) -> Result<()> {
        self.server.stop().await
    }
}

fn recipe(programs: &Path, account: Account, folder: &Folder, port: u16, options: &PostgresOptions) -> Recipe {
    let mut command = account.command_start();
    command.push(programs.join("postgres").into_os_string());
    command.extend(["-D".into(), cluster::data(folder).into_os_string(), "-p".into(), port.to_string().into()]);
    let mut set = |name: &str, value: &str| command.extend(["-c".into(), OsString::from(format!("{name}={value}"))]);
    set("listen_addresses", "127.0.0.1");
    // The path of a socket may have 107 bytes; the path of a checkout may have more.
    set("unix_socket_directories", "");
    set("max_connections", &options.max_connections.unwrap_or(400).to_string());
    set("timezone", "UTC");
    // Or else the log quotes the values that violate a constraint, which may be somebody's.
    set("log_error_verbosity", "terse");
    if options.durability == Durability::ThrowAway {
        set("fsync", "off");
        set("synchronous_commit", "off");
        set("full_page_writes", "off");
        set("wal_level", "minimal");
        set("max_wal_senders", "0");
        set("checkpoint_timeout", "1h");
        set("max_wal_size", "4GB");
    }
    for (name, value) in &options.settings {
        set(name, value);
    }
    Recipe {
        command,
        // At once, without a last checkpoint, or fast, with one.
        stop_signal: if folder.throw_away().is_some() { "QUIT" } else { "INT" },
        grace: Duration::from_secs(15),
        throw_away: folder.throw_away(),
    }
}

fn url(port: u16, role: &str, password: &str, database: &str) -> String {
    format!("postgres://{role}:{password}@127.0.0.1:{port}/{database}?sslmode=disable")
}

/// Refuses what could not be written between double quotes as it is.
pub(crate) fn quoted(name: &str) -> Result<String> {
    let is_plain = name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    ensure!(is_plain && !name.is_empty() && name.len() <= 63, "`{name}` cannot be the name of a database");
    Ok(format!("\"{name}\""))
}
