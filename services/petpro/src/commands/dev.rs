//! `petpro dev`.

use super::{check_config, provision, run, seed, shutdown_signal};
use crate::cli::DevArgs;
use crate::demo_users;
use crate::output::say;
use crate::progress::step;
use crate::services;
use crate::stack::{ADMIN_URL, NATS_URL, POSTGRES_URL, REDIS_URL, Stack, StackOptions};
use anyhow::{Context as _, bail};
use edge::EdgeConfig;
use platform::admin::{self, AdminConfig};
use platform::nats::NatsConfig;
use platform::setup::{Host, KeysConfig};
use platform::{Settings, otlp, telemetry};
use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::io::{ErrorKind, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use testkit::Durability;
use tokio_util::sync::CancellationToken;

/// How long the start waits for read models.
const HEARING_PATIENCE: Duration = Duration::from_secs(30);

pub(super) async fn execute(args: &DevArgs) -> anyhow::Result<()> {
    let started = Instant::now();
    let shutdown = shutdown_signal()?;
    let settings = Settings::load()?;
    check_config::check_all(&settings)?;
    let edge: EdgeConfig = settings.section("edge")?;
    TcpListener::bind(edge.listen).with_context(|| {
        format!("{} is taken: stop what listens there, or set PETPRO_EDGE__LISTEN=127.0.0.1:8081", edge.listen)
    })?;
    std::fs::create_dir_all(&args.data).with_context(|| format!("cannot make {}", args.data.display()))?;
    let data = args.data.canonicalize()?;
    let _pid_file = PidFile::take(data.join("dev.pid"))?;
    let _stack_file = RemovedAtEnd(data.join("stack.toml"));
    telemetry::init(&settings.section("log")?)?;
    let traces = otlp::export(&settings.section("telemetry")?)?;

    let options = StackOptions {
        folder: data.clone(),
        durability: Durability::Kept,
        first_port: Some(first_port(&data)),
        given: given_servers(),
    };
    let stack = Stack::start(options).await?;
    let outcome = serve(&stack, settings, &data, &edge, started, shutdown).await;
    let stopping = step("stopping NATS, Postgres and Redis");
    stack.stop().await?;
    stopping.done();
    traces.finish().await;
    outcome
}

async fn serve(
    stack: &Stack,
    settings: Settings,
    data: &Path,
    edge: &EdgeConfig,
    started: Instant,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let own_admin_port = std::env::var("PETPRO_ADMIN__LISTEN").is_err();
    // Whoever tries things out asks more often than a customer does.
    let mut settings = stack.settings(settings).set_if_unsaid("edge.limits_profile", "wide");
    // Until a notification service sends codes, the log shows them; only where all of it is on this machine.
    if stack.nats.is_some() && stack.postgres.is_some() {
        settings = settings.set_if_unsaid("auth.show_codes_in_log", true);
    }
    if own_admin_port {
        settings = settings.set("admin.listen", "127.0.0.1:0");
    }
    std::fs::write(data.join("nats.env"), stack.operator_environment()?)?;

    let provisioning = step("streams and consumers");
    let nats: NatsConfig = settings.section("nats")?;
    let consumers = services::consumers();
    let keys_config: KeysConfig = settings.section("keys")?;
    let jetstream = provision::connect(&nats, &keys_config, &stack.keys).await?;
    platform::provision::provision(&jetstream, &nats, &consumers).await?;
    let keeping = CancellationToken::new();
    let keeper = tokio::spawn({
        let keeping = keeping.clone();
        async move { platform::provision::keep(&jetstream, &nats, &consumers, keeping).await }
    });
    provisioning.done();

    let host = Host::new(settings)?;
    let seeding = step("people, pets and clinics");
    seed::seed(&host).await?;
    seeding.done();
    let stocking = step(format_args!("{} products", seed::PRODUCTS));
    seed::products(&host, seed::PRODUCTS).await?;
    stocking.done();

    let starting = step("services");
    let admin_stop = CancellationToken::new();
    let admin_config: AdminConfig = host.settings.section("admin")?;
    let admin = admin::serve(&admin_config, host.health.clone(), host.registry.clone(), admin_stop.clone()).await?;
    let running = run::start(&host, &services::all(), &shutdown).await?;
    starting.done();
    let hearing = step("read models");
    if let Err(error) = stack.until_heard(&services::consumers(), HEARING_PATIENCE).await {
        tracing::warn!(error = format!("{error:#}"), "the platform is up, and read models lag behind");
    }
    hearing.done();
    if !shutdown.is_cancelled() {
        let variables = write_stack_file(data, stack, &admin.to_string(), edge)?;
        if let Err(error) = welcome(edge, &admin.to_string(), &variables, started) {
            tracing::warn!(error = %error, "the platform is up, and could not say so");
        }
    }

    tokio::select! {
        () = shutdown.cancelled() => {}
        () = stack.keep_permissions(keys_config.refresh()) => {}
    }
    let draining = step("finishing what has begun");
    let drained = run::drain(running).await;
    keeping.cancel();
    keeper.await?;
    admin_stop.cancel();
    draining.done();
    drained
}

fn given_servers() -> BTreeMap<String, String> {
    [NATS_URL, POSTGRES_URL, ADMIN_URL, REDIS_URL]
        .into_iter()
        .filter_map(|variable| Some((variable.to_owned(), std::env::var(variable).ok()?)))
        .collect()
}

/// Each checkout has ports of its own, the same ones each time where they are free.
fn first_port(data: &Path) -> u16 {
    let path = data.to_string_lossy();
    let sum = path.bytes().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)));
    u16::try_from(20_000 + (sum % 3_000) * 4).unwrap_or(20_000)
}

/// Settings of the running stack, for `petpro call` and the like in this folder.
fn write_stack_file(data: &Path, stack: &Stack, admin: &str, edge: &EdgeConfig) -> anyhow::Result<PathBuf> {
    let mut sections: BTreeMap<&str, String> = BTreeMap::new();
    let variables = stack.variables.iter().filter(|(name, _)| name.as_str() != ADMIN_URL);
    let addresses = BTreeMap::from([
        ("PETPRO_ADMIN__LISTEN".to_owned(), admin.to_owned()),
        ("PETPRO_EDGE__LISTEN".to_owned(), edge.listen.to_string()),
    ]);
    for (name, value) in variables.chain(&addresses) {
        let Some((section, key)) = name.trim_start_matches("PETPRO_").split_once("__") else { continue };
        let line = format!("{} = {value:?}\n", key.to_lowercase());
        sections.entry(section).or_default().push_str(&line);
    }
    let text: String =
        sections.iter().map(|(section, lines)| format!("[{}]\n{lines}", section.to_lowercase())).collect();
    let path = data.join("stack.toml");
    std::fs::write(&path, format!("# Written by `petpro dev` while it runs.\n{text}"))?;
    Ok(path)
}

fn welcome(edge: &EdgeConfig, admin: &str, stack_file: &Path, started: Instant) -> std::io::Result<()> {
    let url = format!("http://{}", edge.listen);
    say!("\nPetPro is up after {:.1} s.\n", started.elapsed().as_secs_f64())?;
    say!("  API      {url}/api/v1        docs {url}/docs        health {url}/health")?;
    say!("  metrics  http://{admin}/metrics")?;
    say!("  settings {}", stack_file.display())?;
    say!("\n  demo logins, password {}:", demo_users::PASSWORD)?;
    for user in &demo_users::ALL {
        say!("    {:<24} {}", user.email, user.about)?;
    }
    say!("\n  Try `./just demo` in another terminal. Ctrl-C stops everything.\n")?;
    Ok(())
}

/// Holds the checkout's one running stack, for `./just down`. The lock is the process's: it is free when the process is
/// gone, however that came about.
struct PidFile {
    _lock: File,
    _file: RemovedAtEnd,
}

impl PidFile {
    fn take(path: PathBuf) -> anyhow::Result<PidFile> {
        let mut file = File::options().create(true).truncate(false).read(true).write(true).open(&path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                bail!("this checkout's platform is running already: `./just down` stops it")
            }
            Err(TryLockError::Error(error)) => return Err(error).context("cannot lock dev.pid"),
        }
        file.set_len(0)?;
        write!(file, "{}", std::process::id())?;
        Ok(PidFile { _lock: file, _file: RemovedAtEnd(path) })
    }
}

/// A file that says something only as long as this process runs.
struct RemovedAtEnd(PathBuf);

impl Drop for RemovedAtEnd {
    fn drop(&mut self) {
        match std::fs::remove_file(&self.0) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                tracing::warn!(file = %self.0.display(), error = %error, "a file of this stack stays behind");
            }
            _ => {}
        }
    }
}
