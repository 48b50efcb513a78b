//! `petpro check-config`.

use super::migrate::MigrateConfig;
use edge::EdgeConfig;
use platform::Settings;
use platform::admin::AdminConfig;
use platform::nats::NatsConfig;
use platform::settings::SettingsError;
use platform::setup::KeysConfig;
use platform::telemetry::LogConfig;
use std::fmt::Debug;
use store::PostgresConfig;

pub(super) fn execute() -> anyhow::Result<()> {
    let settings = Settings::load()?;
    let problems: Vec<String> = [
        show("log", settings.section::<LogConfig>("log")),
        show("admin", settings.section::<AdminConfig>("admin")),
        show("keys", settings.section::<KeysConfig>("keys")),
        show("nats", settings.section::<NatsConfig>("nats")),
        show("postgres", settings.section::<PostgresConfig>("postgres")),
        show("migrate", settings.section::<MigrateConfig>("migrate")),
        show("dispatcher", settings.section::<platform::DispatcherConfig>("dispatcher")),
        show("edge", settings.section::<EdgeConfig>("edge")),
    ]
    .into_iter()
    .flatten()
    .collect();
    if problems.is_empty() {
        return Ok(());
    }
    anyhow::bail!("these settings do not hold:\n  {}", problems.join("\n  "))
}

fn show<T: Debug>(name: &str, section: Result<T, SettingsError>) -> Option<String> {
    match section {
        Ok(section) => {
            println!("{name}: {section:#?}");
            None
        }
        Err(error) => Some(error.to_string()),
    }
}
