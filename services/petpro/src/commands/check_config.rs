//! `petpro check-config`, and the check before anything connects.

use super::migrate::MigrateConfig;
use crate::output::say;
use anyhow::bail;
use auth::AuthSettings;
use booking::BookingConfig;
use catalog::CatalogConfig;
use edge::{EdgeConfig, RedisConfig};
use garde::Validate;
use platform::admin::AdminConfig;
use platform::nats::NatsConfig;
use platform::otlp::TelemetryConfig;
use platform::setup::KeysConfig;
use platform::streams::StreamsConfig;
use platform::telemetry::LogConfig;
use platform::{ClientConfig, DispatcherConfig, EjectionConfig, Settings, TrafficConfig};
use profile::ProfileConfig;
use serde::de::DeserializeOwned;
use std::fmt::Debug;
use store::{AuditConfig, PostgresConfig};

pub(super) fn execute() -> anyhow::Result<()> {
    let settings = Settings::load()?;
    check_all(&settings)?;
    for section in SECTIONS {
        say!("{}: {}", section.name, (section.read)(&settings, section.name)?)?;
    }
    Ok(())
}

/// Reads every section, so that a bad value shows before anything connects.
///
/// # Errors
/// All that does not hold, each with its variable.
pub(super) fn check_all(settings: &Settings) -> anyhow::Result<()> {
    let known: Vec<&str> = SECTIONS.iter().map(|section| section.name).collect();
    let unknown = settings.section_names().into_iter().filter(|name| !known.contains(&name.as_str())).map(|name| {
        format!("PETPRO_{}…: there is no section {name}; there are {}", name.to_uppercase(), known.join(", "))
    });
    let broken = SECTIONS.iter().filter_map(|section| (section.read)(settings, section.name).err());
    let problems: Vec<String> = unknown.chain(broken.map(|error| error.to_string())).collect();
    if problems.is_empty() {
        return Ok(());
    }
    bail!("these settings do not hold:\n  {}", problems.join("\n  "))
}

struct Section {
    name: &'static str,
    /// Reads it and answers how it reads.
    read: fn(&Settings, &str) -> anyhow::Result<String>,
}

const SECTIONS: [Section; 19] = [
    Section { name: "log", read: read::<LogConfig> },
    Section { name: "admin", read: read::<AdminConfig> },
    Section { name: "keys", read: read::<KeysConfig> },
    Section { name: "nats", read: read::<NatsConfig> },
    Section { name: "postgres", read: read::<PostgresConfig> },
    Section { name: "audit", read: read::<AuditConfig> },
    Section { name: "redis", read: read::<RedisConfig> },
    Section { name: "migrate", read: read::<MigrateConfig> },
    Section { name: "client", read: read::<ClientConfig> },
    Section { name: "telemetry", read: read::<TelemetryConfig> },
    Section { name: "dispatcher", read: read::<DispatcherConfig> },
    Section { name: "ejection", read: read::<EjectionConfig> },
    Section { name: "traffic", read: read::<TrafficConfig> },
    Section { name: "streams", read: read::<StreamsConfig> },
    Section { name: "edge", read: read::<EdgeConfig> },
    Section { name: "auth", read: read::<AuthSettings> },
    Section { name: "profile", read: read::<ProfileConfig> },
    Section { name: "booking", read: read::<BookingConfig> },
    Section { name: "catalog", read: read::<CatalogConfig> },
];

fn read<T: DeserializeOwned + Validate<Context = ()> + Debug>(
    settings: &Settings,
    name: &str,
) -> anyhow::Result<String> {
    let section: T = settings.section(name)?;
    Ok(format!("{section:#?}"))
}
