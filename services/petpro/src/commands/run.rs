//! `petpro run`.

use super::{check_config, shutdown_signal};
use crate::cli::RunArgs;
use crate::services::{self, Entry};
use anyhow::bail;
use futures::future::join_all;
use platform::admin::{self, AdminConfig};
use platform::runtime::Running;
use platform::setup::Host;
use platform::{Settings, otlp, telemetry};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub(super) async fn execute(args: &RunArgs) -> anyhow::Result<()> {
    let settings = Settings::load()?;
    telemetry::init(&settings.section("log")?)?;
    check_config::check_all(&settings)?;
    let traces = otlp::export(&settings.section("telemetry")?)?;
    let entries = named(&args.services)?;
    let shutdown = shutdown_signal()?;
    let host = Host::new(settings)?;
    let admin = CancellationToken::new();
    let admin_config: AdminConfig = host.settings.section("admin")?;
    let address = admin::serve(&admin_config, host.health.clone(), host.registry.clone(), admin.clone()).await?;
    tracing::info!(admin.address = %address, "admin port is open");
    let running = start(&host, &entries, &shutdown).await?;
    shutdown.cancelled().await;
    let drained = drain(running).await;
    admin.cancel();
    traces.finish().await;
    drained
}

fn named(names: &[String]) -> anyhow::Result<Vec<Entry>> {
    if names.is_empty() {
        return Ok(services::all());
    }
    if let Some(unknown) = names.iter().find(|name| !services::names().contains(&name.as_str())) {
        bail!("there is no service {unknown}; there are {}", services::names().join(", "));
    }
    Ok(services::all().into_iter().filter(|entry| names.iter().any(|name| name == entry.name)).collect())
}

/// Starts services, all at once. On shutdown, or when one of them fails, those that take requests already are drained.
pub(crate) async fn start(
    host: &Host,
    entries: &[Entry],
    shutdown: &CancellationToken,
) -> anyhow::Result<Vec<Running>> {
    // All of them at first: a process is not ready while a service of it has not even connected.
    for entry in entries {
        host.health.set_ready(entry.name, false);
    }
    let mut starting: JoinSet<anyhow::Result<Running>> = JoinSet::new();
    for entry in entries {
        starting.spawn((entry.start)(host.clone()));
    }
    let mut running = Vec::new();
    let failure = loop {
        let started = tokio::select! {
            () = shutdown.cancelled() => break None,
            started = starting.join_next() => started,
        };
        match started {
            None => return Ok(running),
            Some(Ok(Ok(service))) => running.push(service),
            Some(Ok(Err(error))) => break Some(error),
            Some(Err(panic)) => break Some(panic.into()),
        }
    };
    starting.shutdown().await;
    match failure {
        // Nothing is left running, and the caller sees the shutdown for itself.
        None => drain(running).await.map(|()| Vec::new()),
        Some(error) => {
            if let Err(unfinished) = drain(running).await {
                tracing::error!(error = format!("{unfinished:#}"), "could not leave in order");
            }
            Err(error)
        }
    }
}

/// Stops services: first the edge, which needs the others for what it has begun, then all others at once.
///
/// # Errors
/// One of them had unfinished work when its time was over.
pub(crate) async fn drain(running: Vec<Running>) -> anyhow::Result<()> {
    let (edge, others): (Vec<Running>, Vec<Running>) =
        running.into_iter().partition(|service| service.name() == "edge");
    let mut outcomes = join_all(edge.into_iter().map(Running::drain)).await;
    outcomes.extend(join_all(others.into_iter().map(Running::drain)).await);
    outcomes.into_iter().collect()
}
