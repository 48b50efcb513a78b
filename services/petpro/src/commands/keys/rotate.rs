//! `petpro keys rotate`.

use crate::operator::{moment, print_json};
use crate::output::say;
use anyhow::bail;
use identity::keys::{AUTHORITY, KeyStore, NATS_SERVER, RotatedKey};
use platform::setup::KeysConfig;
use serde_json::json;
use std::collections::BTreeSet;

pub(super) fn execute(config: &KeysConfig, owners: &[String], as_json: bool) -> anyhow::Result<()> {
    let times = config.rotation_times()?;
    let keys = config.open()?;
    let known = owners_of(&keys);
    if let Some(unknown) = owners.iter().find(|owner| !known.contains(*owner)) {
        bail!("{unknown} has no keys; there are those of {}", known.into_iter().collect::<Vec<_>>().join(", "));
    }
    let owners: Vec<&str> = owners.iter().map(String::as_str).collect();
    let rotation = keys.rotate(&owners, &times)?;
    if as_json {
        return print_json(&json!(rotation));
    }
    for key in &rotation.forgotten {
        say!("forgotten, its time is over: {key}")?;
    }
    tell("begun", &rotation.begun)?;
    tell("under way already", &rotation.under_way)?;
    for certificate in &rotation.renewed {
        say!("renewed: {}, holds until {}", certificate.name, moment(certificate.ends_at))?;
    }
    let is_of_nats = |key: &RotatedKey| key.name.starts_with("nats/");
    if rotation.begun.iter().any(is_of_nats) {
        say!(
            "\nNATS has to know the new nkeys before they are used: `petpro nats-config > permissions.conf` now, and reload \
             it (`nats-server --signal reload`); once more when the old ones are over. Tokens need nothing more."
        )?;
    }
    let is_authority = |key: &RotatedKey| key.name == "tls/authority";
    if rotation.begun.iter().chain(&rotation.under_way).any(is_authority) {
        say!(
            "\nReload NATS now. Once the new authority is used give `petpro keys` and reload NATS, and both once more when the \
             old one is over."
        )?;
    } else if rotation.renewed.iter().any(|certificate| certificate.name == "nats-server") {
        say!("NATS shows its new certificate once it is reloaded.")?;
    }
    say!("`petpro keys list` shows how far it is; this command may be given again at any time.")?;
    Ok(())
}

fn tell(what: &str, keys: &[RotatedKey]) -> std::io::Result<()> {
    for key in keys {
        let time = |time: Option<_>| time.map_or_else(|| "now".to_owned(), moment);
        let (used_from, old_until) = (time(key.used_from), time(key.old_until));
        say!("{what}: {} {}, used from {used_from}, the one before it accepted until {old_until}", key.name, key.id)?;
    }
    Ok(())
}

fn owners_of(keys: &KeyStore) -> BTreeSet<String> {
    let registry = keys.registry();
    let of_tokens = registry.keys().iter().map(|key| key.owner.clone());
    let of_nats = [NATS_SERVER, AUTHORITY].map(str::to_owned);
    of_tokens.chain(keys.nats_registry().identities().map(str::to_owned)).chain(of_nats).collect()
}
