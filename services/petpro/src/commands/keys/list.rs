//! `petpro keys list`.

use crate::operator::{Cell, Colour, Table, moment, print_json};
use crate::output::say;
use chrono::{DateTime, Utc};
use identity::keys::{Kept, KeyState, KeyStore};
use platform::setup::KeysConfig;
use serde::Serialize;
use serde_json::json;

/// A key that can be rotated.
#[derive(Serialize)]
struct Listed {
    name: String,
    state: KeyState,
    id: String,
    used_from: Option<DateTime<Utc>>,
    leaves_at: Option<DateTime<Utc>>,
}

pub(super) fn execute(config: &KeysConfig, as_json: bool) -> anyhow::Result<()> {
    let keys = config.open()?;
    let listed = listed(&keys, Utc::now());
    let secrets = keys.secrets()?;
    let sealing = config.sealing()?;
    let current = sealing.current_id().map(str::to_owned);
    let is_as_it_should_be = |kept: &Kept| matches!(kept, Kept::Sealed(id) if Some(id) == current.as_ref());
    let (sealed, others): (Vec<_>, Vec<_>) = secrets.into_iter().partition(|(_, kept)| is_as_it_should_be(kept));
    if as_json {
        let others: Vec<_> = others.iter().map(|(file, kept)| json!({ "file": file, "kept": words(kept) })).collect();
        return print_json(&json!({
            "keys": listed,
            "encryption_key": current,
            "sealed_files": sealed.len(),
            "other_files": others,
        }));
    }
    let mut table = Table::new(&["KEY", "STATE", "ID", "USED FROM", "LEAVES"]);
    for key in listed {
        let time = |time: Option<DateTime<Utc>>| time.map_or_else(|| "-".to_owned(), moment);
        let colour = match key.state {
            KeyState::Active => Colour::Green,
            KeyState::Next => Colour::Yellow,
            KeyState::Retired | KeyState::Gone => Colour::Dim,
        };
        table.row(vec![
            Cell::text(key.name),
            Cell::text(key.state.as_str()).in_colour(colour),
            Cell::text(key.id),
            Cell::text(time(key.used_from)),
            Cell::text(time(key.leaves_at)),
        ]);
    }
    table.print()?;
    let under = current.map_or_else(|| "the settings have no key for them".to_owned(), |id| format!("under {id}"));
    say!("\n{} of {} files of secrets are sealed: {under}", sealed.len(), sealed.len() + others.len())?;
    for (file, kept) in others {
        say!("  {file} is {}", words(&kept))?;
    }
    Ok(())
}

fn words(kept: &Kept) -> String {
    match kept {
        Kept::Plain => "not sealed".to_owned(),
        Kept::Sealed(id) => format!("sealed under {id}"),
    }
}

fn listed(keys: &KeyStore, now: DateTime<Utc>) -> Vec<Listed> {
    let (registry, nats) = (keys.registry(), keys.nats_registry());
    let mut listed: Vec<Listed> = registry
        .keys()
        .iter()
        .map(|key| Listed {
            name: format!("{}.{}", key.owner, key.purpose.as_str()),
            state: registry.state(key, now),
            id: key.kid.clone(),
            used_from: key.signs_from,
            leaves_at: key.leaves_at,
        })
        .collect();
    listed.sort_by(|one, other| one.name.cmp(&other.name));
    for identity in nats.identities() {
        listed.extend(nats.keys_of(identity).into_iter().map(|key| Listed {
            name: format!("nats/{identity}"),
            state: nats.state(identity, &key, now),
            id: key.key,
            used_from: key.connects_from,
            leaves_at: key.leaves_at,
        }));
    }
    listed
}
