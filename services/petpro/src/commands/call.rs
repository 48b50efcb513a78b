//! `petpro call`.

use super::token;
use crate::cli::CallArgs;
use crate::output::say;
use anyhow::{Context as _, bail};
use identity::keys::OPERATOR;
use platform::metrics::Metrics;
use platform::nats::{self, NatsConfig};
use platform::setup::KeysConfig;
use platform::{Settings, headers};
use std::time::Duration;

/// How long a person waits.
const TIMEOUT: Duration = Duration::from_secs(10);

pub(super) async fn execute(args: &CallArgs) -> anyhow::Result<()> {
    let settings = Settings::load()?;
    let nats_config: NatsConfig = settings.section("nats")?;
    let keys_config: KeysConfig = settings.section("keys")?;
    let keys = keys_config.open()?;
    let metrics = Metrics::register(&prometheus::Registry::new())?;
    let (client, signals) = nats::connect(&nats_config, OPERATOR, &keys, metrics).await?;
    let mut headers = async_nats::HeaderMap::new();
    headers.insert(headers::AUTHORIZATION, format!("Bearer {}", token::issue(&keys, &args.token)?).as_str());
    if let Some(version) = args.if_match {
        headers.insert(headers::IF_MATCH, version.to_string().as_str());
    }
    let since = std::time::Instant::now();
    let request = async_nats::Request::new().headers(headers).payload(args.json.clone().into()).timeout(None);
    let reply = tokio::select! {
        reply = client.send_request(args.subject.clone(), request) => {
            reply.with_context(|| format!("nobody answered {}", args.subject))?
        }
        () = signals.refused_publish(&args.subject, since) => {
            bail!("the operator may not publish to {}: is it a subject of the contract?", args.subject)
        }
        () = tokio::time::sleep(TIMEOUT) => bail!("no answer from {} within {} s", args.subject, TIMEOUT.as_secs()),
    };
    let body: serde_json::Value = serde_json::from_slice(&reply.payload).context("the reply is not JSON")?;
    say!("{}", serde_json::to_string_pretty(&body)?)?;
    let failed = reply.headers.as_ref().is_some_and(|headers| headers.get(headers::SERVICE_ERROR_CODE).is_some());
    if failed {
        bail!("{} was refused", args.subject);
    }
    Ok(())
}
