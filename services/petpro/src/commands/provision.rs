//! `petpro provision`.

use super::shutdown_signal;
use crate::cli::ProvisionArgs;
use crate::services;
use identity::keys::{KeyStore, PROVISION};
use platform::metrics::Metrics;
use platform::nats::{self, NatsConfig};
use platform::provision::{keep, provision};
use platform::setup::KeysConfig;
use platform::{Settings, telemetry};

pub(super) async fn execute(args: &ProvisionArgs) -> anyhow::Result<()> {
    let settings = Settings::load()?;
    telemetry::init(&settings.section("log")?)?;
    let config: NatsConfig = settings.section("nats")?;
    let keys_config: KeysConfig = settings.section("keys")?;
    let jetstream = connect(&config, &keys_config, &keys_config.open()?).await?;
    let consumers = services::consumers();
    provision(&jetstream, &config, &consumers).await?;
    tracing::info!(consumers = consumers.len(), "streams and consumers are as declared");
    if !args.once {
        keep(&jetstream, &config, &consumers, shutdown_signal()?).await;
    }
    Ok(())
}

/// JetStream under the identity of `provision`.
pub(crate) async fn connect(
    config: &NatsConfig,
    keys_config: &KeysConfig,
    keys: &KeyStore,
) -> anyhow::Result<async_nats::jetstream::Context> {
    let metrics = Metrics::register(&prometheus::Registry::new())?;
    let (client, _signals) = nats::connect_as(config, PROVISION, keys, keys_config.refresh(), metrics).await?;
    Ok(nats::jetstream(client))
}
