//! A whole stack on this machine: NATS with the generated permissions, Postgres with the services' schemas, Redis,
//! keys. For `petpro dev` it is kept in the checkout; tests throw theirs away.

use crate::commands::{self};
use crate::progress::step;
use crate::services;
use anyhow::{Context as _, ensure};
use identity::keys::{KeyEncryptionKey, KeyStore, OPERATOR, Sealing};
use platform::ConsumerDeclaration;
use secrecy::ExposeSecret as _;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use store::PostgresConfig;
use testkit::{Durability, Nats, NatsOptions, Postgres, PostgresOptions, Redis, RedisOptions};

/// The database of a stack.
const DATABASE: &str = "petpro";

/// How to start a stack.
#[derive(Debug, Clone)]
pub struct StackOptions {
    /// Where keys, data and logs are kept.
    pub folder: PathBuf,
    /// What a crash of the machine may cost.
    pub durability: Durability,
    /// Ports to be tried first: the base for NATS, the next ones for Postgres and Redis. None: any that are free.
    pub first_port: Option<u16>,
    /// Servers that run elsewhere: values of `PETPRO_NATS__URL`, `PETPRO_POSTGRES__URL` with
    /// `PETPRO_MIGRATE__ADMIN_URL`, and `PETPRO_REDIS__URL`.
    pub given: BTreeMap<String, String>,
}

/// A running stack, without services.
pub struct Stack {
    /// The variables that services need to find it.
    pub variables: BTreeMap<String, String>,
    /// Its keys.
    pub keys: KeyStore,
    /// Its Postgres, unless one was given.
    pub postgres: Option<Postgres>,
    /// Its NATS, unless one was given.
    pub nats: Option<Nats>,
    /// Its Redis, unless one was given.
    pub redis: Option<Redis>,
    /// What its NATS was told at the start.
    permissions: String,
    admin_url: String,
}

impl Stack {
    /// Makes missing keys, starts the servers at the same time, and migrates the database.
    ///
    /// # Errors
    /// A server that is not installed or does not start, with what to do about it.
    pub async fn start(options: StackOptions) -> anyhow::Result<Stack> {
        std::fs::create_dir_all(&options.folder)
            .with_context(|| format!("cannot make the folder {}", options.folder.display()))?;
        let folder = options.folder.canonicalize()?;
        let keys_dir = folder.join("keys");
        let making_keys = step("keys and passwords");
        let sealing = Sealing::new(KeyEncryptionKey::read_or_create(&encryption_key_path(&folder))?, None);
        if keys_dir.exists() {
            // A stack of an earlier release has kept its secrets as they are.
            KeyStore::seal(&keys_dir, sealing.clone())?;
        }
        KeyStore::create_sealed(&keys_dir, sealing.clone(), &services::names())?;
        let keys = KeyStore::open_sealed(&keys_dir, sealing)?;
        making_keys.done();

        let starting = step("NATS, Postgres and Redis");
        let permissions = commands::nats_permissions(&keys)?;
        let (nats, postgres, redis) = tokio::try_join!(
            start_nats(&options, &folder, &permissions, &keys),
            start_postgres(&options, &folder),
            start_redis(&options, &folder),
        )?;
        starting.done();
        let mut stack = Stack {
            variables: options.given.clone(),
            keys,
            postgres,
            nats,
            redis,
            permissions,
            admin_url: options.given.get(ADMIN_URL).cloned().unwrap_or_default(),
        };
        stack.name_servers(&folder);
        stack.migrate().await?;
        Ok(stack)
    }

    fn name_servers(&mut self, folder: &Path) {
        let variables = &mut self.variables;
        variables.insert("PETPRO_KEYS__DIR".to_owned(), self.keys.dir().display().to_string());
        let encryption_key = encryption_key_path(folder).display().to_string();
        variables.insert("PETPRO_KEYS__ENCRYPTION_KEY_FILE".to_owned(), encryption_key);
        if let Some(nats) = &self.nats {
            variables.insert(NATS_URL.to_owned(), nats.url());
        }
        if let Some(redis) = &self.redis {
            variables.insert(REDIS_URL.to_owned(), redis.url());
        }
        if let Some(postgres) = &self.postgres {
            let url = format!("postgres://127.0.0.1:{}/{DATABASE}", postgres.port());
            variables.insert(POSTGRES_URL.to_owned(), url);
            self.admin_url = postgres.admin_url(DATABASE);
        }
    }

    async fn migrate(&self) -> anyhow::Result<()> {
        let migrating = step("database");
        if let Some(postgres) = &self.postgres {
            postgres.ensure_database(DATABASE).await?;
        }
        let logins = commands::logins(&self.keys, &PostgresConfig::default().role_prefix)?;
        migrations::migrate(&self.admin_url, &logins).await?;
        migrating.done();
        Ok(())
    }

    /// The address of the database for its admin.
    pub fn admin_url(&self) -> &str {
        &self.admin_url
    }

    /// Waits until every consumer has handled every event that stands in an outbox, so that read models are as their
    /// sources. The services have to run.
    ///
    /// # Errors
    /// The database is away, or it takes longer than `patience`.
    pub async fn until_heard(&self, consumers: &[ConsumerDeclaration], patience: Duration) -> anyhow::Result<()> {
        let give_up = Instant::now() + patience;
        let mut database = PgConnection::connect(&self.admin_url).await?;
        for consumer in consumers {
            let (source, service) = (consumer.source, consumer.service);
            // Names of services of this program, not anybody's input.
            let unheard = format!(
                "select count(*) from {source}.outbox as event where event.type = any($1) and not exists ( \
                 select from {service}.inbox where handler = $2 and event_id = event.id)"
            );
            loop {
                let left: i64 = sqlx::query_scalar(AssertSqlSafe(unheard.clone()))
                    .bind(consumer.event_types())
                    .bind(consumer.handler)
                    .fetch_one(&mut database)
                    .await?;
                if left == 0 {
                    break;
                }
                let durable = consumer.durable_name();
                ensure!(Instant::now() < give_up, "{durable} has not heard of {left} events within {patience:?}");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        Ok(())
    }

    /// The settings that services of this stack start from, in this process.
    pub fn settings(&self, base: platform::Settings) -> platform::Settings {
        self.variables.iter().fold(base, |settings, (variable, value)| {
            let key = variable.trim_start_matches("PETPRO_").to_lowercase().replace("__", ".");
            // As the environment is read: a number is one.
            match value.parse::<u64>() {
                Ok(number) => settings.set(&key, number),
                Err(_) => settings.set(&key, value),
            }
        })
    }

    /// Stops the servers that were started here.
    ///
    /// # Errors
    /// A server that does not stop.
    pub async fn stop(self) -> anyhow::Result<()> {
        if let Some(nats) = &self.nats {
            nats.stop().await?;
        }
        if let Some(redis) = &self.redis {
            redis.stop().await?;
        }
        if let Some(postgres) = &self.postgres {
            postgres.stop().await?;
        }
        Ok(())
    }

    /// What the `nats` command line needs to be this stack's operator, as `NAME=value` lines. It reads no sealed files, so
    /// the seed and the certificate are written beside the folder of keys as they are.
    ///
    /// # Errors
    /// There is no seed, or it cannot be written.
    pub fn operator_environment(&self) -> anyhow::Result<String> {
        let url = self.variables.get(NATS_URL).map_or("", String::as_str);
        let seed = self.keys.dir().with_file_name("operator.nk");
        self.keys.export_nats_seed(OPERATOR, &seed)?;
        let inbox = platform::nats::inbox_prefix(OPERATOR);
        let beside = seed.with_file_name("");
        self.keys.export_nats_certificate(OPERATOR, &beside)?;
        let file = |name: &str| beside.join(format!("{OPERATOR}.{name}")).display().to_string();
        let (certificate, key, authorities) = (file("cert.pem"), file("key.pem"), file("authorities.pem"));
        let seed = seed.display();
        Ok(format!(
            "NATS_URL={url}\nNATS_NKEY={seed}\nNATS_CERT={certificate}\nNATS_KEY={key}\nNATS_CA={authorities}\n\
             INBOX_PREFIX={inbox}\n"
        ))
    }

    /// What its NATS reads of certificates.
    fn certificates(&self) -> Vec<String> {
        let dir = self.keys.nats_server_dir();
        ["server.pem", "authorities.pem"].map(|name| std::fs::read_to_string(dir.join(name)).unwrap_or_default()).into()
    }

    /// Has this stack's NATS know the nkeys, and show the certificate, that it should at the time, for good: those who
    /// rotate keys here need not do it.
    pub async fn keep_permissions(&self, look_every: Duration) {
        let mut in_force = (self.permissions.clone(), self.certificates());
        loop {
            tokio::time::sleep(look_every).await;
            let Some(nats) = &self.nats else { continue };
            let reload = async {
                let keys = self.keys.clone();
                tokio::task::spawn_blocking(move || keys.refresh()).await??;
                let keys = self.keys.clone();
                if keys.authorities().all().len() > 1 {
                    tokio::task::spawn_blocking(move || keys.tidy()).await??;
                }
                let wanted = (commands::nats_permissions(&self.keys)?, self.certificates());
                if wanted != in_force {
                    nats.reload(&wanted.0).await?;
                    in_force = wanted;
                    // The `nats` command line has a seed of its own, which is another one now.
                    self.operator_environment()?;
                    tracing::info!("nats knows the nkeys and the certificates of the registries");
                }
                anyhow::Ok(())
            };
            if let Err(error) = reload.await {
                tracing::error!(error = format!("{error:#}"), "nats could not be told of the nkeys");
            }
        }
    }
}

/// Beside the folder that it opens, since both belong to this machine alone.
fn encryption_key_path(folder: &Path) -> PathBuf {
    folder.join("keys-encryption.key")
}

/// The variable of the address of NATS.
pub const NATS_URL: &str = "PETPRO_NATS__URL";
/// The variable of the address of Postgres, without user.
pub const POSTGRES_URL: &str = "PETPRO_POSTGRES__URL";
/// The variable of the address of Postgres for its admin.
pub const ADMIN_URL: &str = "PETPRO_MIGRATE__ADMIN_URL";
/// The variable of the address of Redis.
pub const REDIS_URL: &str = "PETPRO_REDIS__URL";

async fn start_nats(
    options: &StackOptions,
    folder: &Path,
    permissions: &str,
    keys: &KeyStore,
) -> anyhow::Result<Option<Nats>> {
    if options.given.contains_key(NATS_URL) {
        return Ok(None);
    }
    let (accounts, folder) = (permissions.to_owned(), Some(folder.join("nats")));
    let (preferred_port, tls) = (options.first_port, Some(keys.nats_server_dir()));
    let options = NatsOptions { accounts, folder, preferred_port, tls, ..NatsOptions::default() };
    Nats::start(options).await.map(Some)
}

async fn start_postgres(options: &StackOptions, folder: &Path) -> anyhow::Result<Option<Postgres>> {
    if options.given.contains_key(POSTGRES_URL) {
        ensure!(
            options.given.contains_key(ADMIN_URL),
            "{POSTGRES_URL} is set: set {ADMIN_URL} too, to a role that may create roles and schemas there"
        );
        return Ok(None);
    }
    let options = PostgresOptions {
        folder: Some(folder.join("postgres")),
        durability: options.durability,
        preferred_port: options.first_port.map(|port| port + 1),
        ..PostgresOptions::default()
    };
    Postgres::start(options).await.map(Some)
}

async fn start_redis(options: &StackOptions, folder: &Path) -> anyhow::Result<Option<Redis>> {
    if options.given.contains_key(REDIS_URL) {
        return Ok(None);
    }
    let folder = Some(folder.join("redis"));
    Redis::start(RedisOptions { folder, preferred_port: options.first_port.map(|port| port + 2) }).await.map(Some)
}

/// The password of a service's database role; for tests that look into the database as that role.
///
/// # Errors
/// There is none.
pub fn service_password(keys: &KeyStore, service: &str) -> anyhow::Result<String> {
    Ok(keys.postgres_password(service)?.expose_secret().to_owned())
}
