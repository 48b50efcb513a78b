//! `petpro keys`.

use crate::output::say;
use crate::services;
use identity::keys::KeyStore;
use platform::Settings;
use platform::setup::KeysConfig;

pub(super) fn execute() -> anyhow::Result<()> {
    let config: KeysConfig = Settings::load()?.section("keys")?;
    let made = KeyStore::create_missing(&config.dir, &services::names())?;
    if made.is_empty() {
        say!("{}: everything is there already", config.dir.display())?;
        return Ok(());
    }
    say!("{}: made", config.dir.display())?;
    for file in made.secrets.iter().chain(&made.registries) {
        say!("  {}", file.display())?;
    }
    say!("The NATS server needs the new public keys: `petpro nats-config > permissions.conf`, then reload it.")?;
    Ok(())
}
