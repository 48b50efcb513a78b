//! Logs: for people on a terminal, JSON lines otherwise.

use garde::Validate;
use serde::Deserialize;
use std::io::IsTerminal as _;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// The section `log`.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(default, deny_unknown_fields)]
pub struct LogConfig {
    /// What is logged, for example `info` or `info,booking=debug`.
    #[garde(length(min = 1, max = 1024))]
    pub filter: String,
    /// How: `auto` is for people on a terminal and JSON otherwise.
    #[garde(skip)]
    pub format: LogFormat,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people on a terminal, JSON otherwise.
    Auto,
    /// For people.
    Pretty,
    /// One JSON object a line.
    Json,
}

impl Default for LogConfig {
    fn default() -> LogConfig {
        LogConfig {
            filter: "info,sqlx=warn,async_nats=warn,sea_orm_migration=warn".to_owned(),
            format: LogFormat::Auto,
        }
    }
}

/// Starts logging to standard error. Once a process.
///
/// # Errors
/// The filter is not one, or logging was started before.
pub fn init(config: &LogConfig) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&config.filter).map_err(|error| anyhow::anyhow!("PETPRO_LOG__FILTER: {error}"))?;
    let terminal = std::io::stderr().is_terminal();
    let pretty = match config.format {
        LogFormat::Auto => terminal,
        LogFormat::Pretty => true,
        LogFormat::Json => false,
    };
    let registry = tracing_subscriber::registry().with(filter);
    // A line that cannot be written, because nobody reads any more, must not end what it was to tell of.
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).log_internal_errors(false);
    if pretty {
        registry.with(layer.compact().with_target(false).with_ansi(terminal)).try_init()?;
    } else {
        registry.with(layer.json().flatten_event(true).with_span_list(false)).try_init()?;
    }
    Ok(())
}
