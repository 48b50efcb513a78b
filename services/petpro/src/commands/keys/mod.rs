//! `petpro keys`: making, listing, rotating and sealing keys.

mod list;
mod rotate;

use crate::cli::{KeysArgs, KeysCommand};
use crate::output::say;
use crate::services;
use identity::keys::{KeyEncryptionKey, KeyStore, NEIGHBOUR};
use platform::Settings;
use platform::setup::KeysConfig;
use secrecy::ExposeSecret as _;
use std::path::Path;

pub(super) fn execute(args: &KeysArgs) -> anyhow::Result<()> {
    // Nothing of the settings is needed for it, and their file of this very key may not be there yet.
    if matches!(args.command, Some(KeysCommand::NewEncryptionKey)) {
        say!("{}", KeyEncryptionKey::generate().expose_secret())?;
        return Ok(());
    }
    let config: KeysConfig = Settings::load()?.section("keys")?;
    match &args.command {
        None | Some(KeysCommand::NewEncryptionKey) => make(&config),
        Some(KeysCommand::List { json }) => list::execute(&config, *json),
        Some(KeysCommand::Rotate { owners, json }) => rotate::execute(&config, owners, *json),
        Some(KeysCommand::Seal) => seal(&config),
        Some(KeysCommand::Export { to }) => export(&config, to),
    }
}

fn make(config: &KeysConfig) -> anyhow::Result<()> {
    let (sealing, issuance) = (config.sealing()?, config.issuance());
    for key in KeyStore::tidy_folder(&config.dir, sealing.clone(), &issuance)? {
        say!("{}: forgotten, its time is over: {key}", config.dir.display())?;
    }
    let made = KeyStore::create_issuing(&config.dir, sealing, &issuance, &services::names())?;
    if made.is_empty() {
        say!("{}: everything is there already", config.dir.display())?;
        return Ok(());
    }
    say!("{}: made", config.dir.display())?;
    for file in made.secrets.iter().chain(&made.registries) {
        say!("  {}", file.display())?;
    }
    say!(
        "The NATS server needs the new public keys and certificates: `petpro nats-config > permissions.conf`, then reload \
         it."
    )?;
    Ok(())
}

fn seal(config: &KeysConfig) -> anyhow::Result<()> {
    let sealing = config.sealing()?;
    let sealed = KeyStore::seal(&config.dir, sealing.clone())?;
    let id = sealing.current_id().unwrap_or_default();
    for file in &sealed {
        say!("  {}", file.display())?;
    }
    say!("{}: {} files sealed under {id}, all others were already", config.dir.display(), sealed.len())?;
    Ok(())
}

fn export(config: &KeysConfig, to: &Path) -> anyhow::Result<()> {
    for file in config.open()?.export(NEIGHBOUR, to)? {
        say!("{}", file.display())?;
    }
    Ok(())
}
