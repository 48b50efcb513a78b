//! `petpro migrate`.

use crate::cli::MigrateArgs;
use crate::output::say;
use anyhow::Context as _;
use garde::Validate;
use identity::keys::KeyStore;
use migrations::{SERVICES, ServiceLogin};
use platform::Settings;
use platform::setup::KeysConfig;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use store::PostgresConfig;

/// The section `migrate`.
#[derive(Debug, Default, Deserialize, Validate)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct MigrateConfig {
    /// A role that may create roles and schemas, with the database: `postgres://admin:…@host/petpro`.
    #[garde(skip)]
    pub(crate) admin_url: Option<SecretString>,
}

pub(super) async fn execute(args: &MigrateArgs) -> anyhow::Result<()> {
    let settings = Settings::load()?;
    let config: MigrateConfig = settings.section("migrate")?;
    let admin_url = config.admin_url.context("set PETPRO_MIGRATE__ADMIN_URL (or PETPRO_MIGRATE__ADMIN_URL_FILE)")?;
    let admin_url = admin_url.expose_secret();
    if args.status {
        for state in migrations::status(admin_url, &SERVICES).await? {
            let mark = if state.applied { "applied" } else { "missing" };
            say!("{mark}  {}  {}", state.service, state.name)?;
        }
        return Ok(());
    }
    if let Some(service) = &args.down {
        migrations::down(admin_url, service, 1).await?;
        say!("{service}: the last migration is taken back")?;
        return Ok(());
    }
    let keys_config: KeysConfig = settings.section("keys")?;
    let postgres: PostgresConfig = settings.section("postgres")?;
    let keys = keys_config.open()?;
    migrations::migrate(admin_url, &logins(&keys, &postgres.role_prefix)?).await?;
    say!("the database is as this build needs it")?;
    Ok(())
}

/// The login of every service that keeps data.
pub(crate) fn logins(keys: &KeyStore, role_prefix: &str) -> anyhow::Result<Vec<ServiceLogin>> {
    SERVICES
        .iter()
        .map(|service| {
            Ok(ServiceLogin {
                service: (*service).to_owned(),
                role: migrations::role_name(role_prefix, service),
                password: keys.postgres_password(service)?.expose_secret().to_owned(),
            })
        })
        .collect()
}
