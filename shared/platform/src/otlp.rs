//! Traces go out by OTLP (protobuf over HTTP) where an address is configured.

use crate::spans::{self, Exporting};
use anyhow::Context as _;
use async_trait::async_trait;
use garde::Validate;
use http::{Request, Response};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::hyper::HyperClient;
use opentelemetry_http::{Bytes, HttpClient, HttpError};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracerProvider};
use serde::Deserialize;
use std::time::Duration;
use tokio::runtime::Handle;

/// Spans that wait for their export at the most; more are dropped, and counted in a warning.
const QUEUE: usize = 4_096;
/// Spans in one export.
const BATCH: usize = 512;
/// How long spans wait for others to go with.
const EXPORT_EVERY: Duration = Duration::from_secs(2);
/// How long one export may take.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the last spans may take to leave when the process ends.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(3);

/// The section `telemetry`.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(default, deny_unknown_fields)]
pub struct TelemetryConfig {
    /// Where traces go: an OTLP collector's base address, for example `http://127.0.0.1:4318`, below which spans are
    /// posted to `/v1/traces`. Without TLS: meant for a collector on the same host or network. Absent: nothing is
    /// exported.
    #[garde(inner(length(max = 1024), pattern("^http://[^/@]+(/[^@]*)?$")))]
    pub otlp_endpoint: Option<String>,
    /// The share of traces that are exported, 0 to 1, of those that begin here; one that has begun elsewhere goes on
    /// as it was decided there.
    #[garde(range(min = 0.0, max = 1.0))]
    pub sample_ratio: f64,
}

impl Default for TelemetryConfig {
    fn default() -> TelemetryConfig {
        TelemetryConfig { otlp_endpoint: None, sample_ratio: 1.0 }
    }
}

/// The export of traces, until it is finished.
#[derive(Debug, Default)]
#[must_use = "the last spans leave with `finish`"]
pub struct Export(Option<SdkTracerProvider>);

/// Starts to export traces where an address is configured. Once a process, within its runtime.
///
/// # Errors
/// An address that is none, or traces are exported already.
pub fn export(config: &TelemetryConfig) -> anyhow::Result<Export> {
    let Some(endpoint) = &config.otlp_endpoint else { return Ok(Export::default()) };
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(OnRuntime { runtime: Handle::current(), client: client() })
        .with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
        .with_timeout(EXPORT_TIMEOUT)
        .build()
        .context("PETPRO_TELEMETRY__OTLP_ENDPOINT")?;
    let batches = BatchConfigBuilder::default()
        .with_max_queue_size(QUEUE)
        .with_max_export_batch_size(BATCH)
        .with_scheduled_delay(EXPORT_EVERY)
        .build();
    let processor = BatchSpanProcessor::builder(exporter).with_batch_config(batches).build();
    let provider = SdkTracerProvider::builder()
        .with_span_processor(processor)
        .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(config.sample_ratio))))
        .with_resource(Resource::builder_empty().with_service_name("petpro").build())
        .build();
    let exporting = Exporting { tracer: provider.tracer("petpro"), sample_ratio: config.sample_ratio };
    anyhow::ensure!(spans::export_by(exporting), "traces are exported already");
    tracing::info!(otlp.endpoint = endpoint, sample_ratio = config.sample_ratio, "exporting traces");
    Ok(Export(Some(provider)))
}

impl Export {
    /// Sends what is left, within 3 s at the most. Spans that begin later are lost.
    pub async fn finish(self) {
        let Some(provider) = self.0 else { return };
        let flushed = tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(FLUSH_TIMEOUT));
        match flushed.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(error = %error, "the last traces may be lost"),
            Err(error) => tracing::warn!(error = %error, "the last traces may be lost"),
        }
    }
}

fn client() -> HyperClient {
    HyperClient::with_default_connector(EXPORT_TIMEOUT, None)
}

/// Sends from the process's runtime: the exporter waits on a thread of its own, where no connection could live.
#[derive(Debug)]
struct OnRuntime {
    runtime: Handle,
    client: HyperClient,
}

#[async_trait]
impl HttpClient for OnRuntime {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.client.clone();
        self.runtime.spawn(async move { client.send_bytes(request).await }).await?
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Settings;

    #[test]
    fn an_address_is_http_and_holds_no_password() {
        let section = |endpoint: &str| {
            let settings = Settings::from_toml(&format!("[telemetry]\notlp_endpoint = '{endpoint}'"));
            settings.section::<TelemetryConfig>("telemetry")
        };
        assert!(section("http://127.0.0.1:4318").is_ok() && section("http://collector:4318/petpro/").is_ok());
        for bad in ["", "https://collector:4318", "collector:4318", "http://", "http://user:secret@collector:4318"] {
            let complaint = section(bad).unwrap_err().to_string();
            assert!(complaint.starts_with("PETPRO_TELEMETRY__OTLP_ENDPOINT: "), "{complaint}");
            assert!(!complaint.contains("secret"));
        }
    }
}
