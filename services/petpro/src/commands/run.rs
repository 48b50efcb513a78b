//! `petpro run`.

use super::shutdown_signal;
use crate::cli::RunArgs;
use crate::services::{self, Entry};
use anyhow::bail;
use futures::future::{join_all, try_join_all};
use platform::admin::{self, AdminConfig};
use platform::runtime::Running;
use platform::setup::Host;
use platform::{Settings, telemetry};
use tokio_util::sync::CancellationToken;

pub(super) async fn execute(args: &RunArgs) -> anyhow::Result<()> {
    let settings = Settings::load()?;
    telemetry::init(&settings.section("log")?)?;
    let entries = named(&args.services)?;
    let shutdown = shutdown_signal()?;
    let host = Host::new(settings)?;
    let admin = CancellationToken::new();
    let admin_config: AdminConfig = host.settings.section("admin")?;
    let address = admin::serve(&admin_config, host.health.clone(), host.registry.clone(), admin.clone()).await?;
    tracing::info!(admin.address = %address, "admin port is open");
    let running = tokio::select! {
        running = start(&host, &entries) => running?,
        () = shutdown.cancelled() => return Ok(()),
    };
    shutdown.cancelled().await;
    drain(running).await;
    admin.cancel();
    Ok(())
}

fn named(names: &[String]) -> anyhow::Result<Vec<Entry>> {
    if names.is_empty() {
        return Ok(services::ALL.to_vec());
    }
    if let Some(unknown) = names.iter().find(|name| !services::names().contains(&name.as_str())) {
        bail!("there is no service {unknown}; there are {}", services::names().join(", "));
    }
    Ok(services::ALL.into_iter().filter(|entry| names.iter().any(|name| name == entry.name)).collect())
}

/// Starts services, all at once.
pub(crate) async fn start(host: &Host, entries: &[Entry]) -> anyhow::Result<Vec<Running>> {
    // All of them at first: a process is not ready while a service of it has not even connected.
    for entry in entries {
        host.health.set_ready(entry.name, false);
    }
    try_join_all(entries.iter().map(|entry| (entry.start)(host.clone()))).await
}

/// Stops services: first the edge, which needs the others for what it has begun, then all others at once.
pub(crate) async fn drain(running: Vec<Running>) {
    let (edge, others): (Vec<Running>, Vec<Running>) =
        running.into_iter().partition(|service| service.name() == "edge");
    join_all(edge.into_iter().map(Running::drain)).await;
    join_all(others.into_iter().map(Running::drain)).await;
}
