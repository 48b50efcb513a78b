//! `petpro keys list`.

use crate::operator::{Cell, Colour, Table, moment, print_json};
use crate::output::say;
use chrono::{DateTime, Utc};
use identity::keys::{Authority, Kept, KeyState, KeyStore, Validity};
use platform::setup::KeysConfig;
use serde::Serialize;
use serde_json::json;

/// A key or a certificate that can be rotated.
#[derive(Serialize)]
struct Listed {
    name: String,
    state: KeyState,
    id: String,
    used_from: Option<DateTime<Utc>>,
    leaves_at: Option<DateTime<Utc>>,
    /// Of certificates.
    expires_at: Option<DateTime<Utc>>,
}

pub(super) fn execute(config: &KeysConfig, as_json: bool) -> anyhow::Result<()> {
    let keys = config.open()?;
    let listed = listed(&keys, Utc::now())?;
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
    let mut table = Table::new(&["KEY", "STATE", "ID", "USED FROM", "LEAVES", "EXPIRES"]);
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
            Cell::text(time(key.expires_at)),
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

fn listed(keys: &KeyStore, now: DateTime<Utc>) -> anyhow::Result<Vec<Listed>> {
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
            expires_at: None,
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
            expires_at: None,
        }));
    }
    listed.extend(certificates(keys, now)?);
    Ok(listed)
}

/// The authorities, what they have certified, and what nats-server shows.
fn certificates(keys: &KeyStore, now: DateTime<Utc>) -> anyhow::Result<Vec<Listed>> {
    let authorities = keys.authorities();
    let row = |name: &str, authority: &Authority, validity: Option<Validity>| Listed {
        name: name.to_owned(),
        state: authorities.state(authority, now),
        id: authority.id.clone(),
        used_from: authority.issues_from,
        leaves_at: authority.leaves_at,
        expires_at: validity.map(|validity| validity.ends_at),
    };
    let mut listed: Vec<Listed> =
        authorities.all().iter().map(|authority| row("tls/authority", authority, authority.validity())).collect();
    for identity in keys.nats_registry().identities() {
        let name = format!("tls/{identity}");
        listed.extend(
            keys.certified(identity)?.iter().map(|(authority, validity)| row(&name, authority, Some(*validity))),
        );
    }
    if let (Some(active), Some(validity)) = (authorities.active(now), keys.validity_of_server()?) {
        listed.push(row("nats-server", active, Some(validity)));
    }
    Ok(listed)
}
