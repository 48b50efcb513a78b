//! New certificates in place of old ones, and a new authority in place of an old one.
//!
//! A new certificate of the same authority is as good as the one before, so it is used at once. A new authority is known
//! at first; whoever has certificates of both shows the newest that the server asks for.

use super::authorities::Authorities;
use super::authority::SigningAuthority;
use super::issue::{issue, left_authorities};
use super::server;
use super::{AUTHORITY, Issuance, NATS_SERVER};
use crate::keys::folder::Folder;
use crate::keys::rotate::{RenewedCertificate, RotatedKey, Rotation};
use crate::keys::{KeyError, KeyState, NEIGHBOUR, RotationTimes, files};
use chrono::Duration;
use subjects::time::Instant;

/// Renews the certificates of those who are named, or of all but neighbours where nobody is; replaces the authority if
/// it is named, or near its end where nobody is.
pub(in crate::keys) fn rotate(
    folder: &Folder,
    issuance: &Issuance,
    identities: &[String],
    owners: &[&str],
    times: &RotationTimes,
    now: Instant,
    rotation: &mut Rotation,
) -> Result<(), KeyError> {
    tidy(folder, issuance, now, &mut rotation.forgotten)?;
    let mut authorities = Authorities::read(&folder.dir)?;
    let is_ending = |authorities: &Authorities| {
        let active = authorities.active(now).and_then(|active| SigningAuthority::read(folder, &active.id).ok());
        active.is_some_and(|active| active.is_near_end(now))
    };
    if owners.contains(&AUTHORITY) || (owners.is_empty() && is_ending(&authorities)) {
        rotate_authority(folder, issuance, identities, &mut authorities, times, now, rotation)?;
    }
    let is_meant = |name: &str| if owners.is_empty() { name != NEIGHBOUR } else { owners.contains(&name) };
    for authority in authorities.all() {
        for identity in identities.iter().filter(|identity| is_meant(identity)) {
            let signing = SigningAuthority::read(folder, &authority.id)?;
            let ends_at = issue(folder, issuance, &signing, identity, now)?.validity.ends_at;
            if authorities.state(authority, now) == KeyState::Active {
                rotation.renewed.push(RenewedCertificate { name: format!("tls/{identity}"), ends_at });
            }
        }
    }
    if is_meant(NATS_SERVER)
        && let Some((_, renewed)) = server::bring_up(folder, issuance, &authorities, true, now)?
    {
        rotation.renewed.push(RenewedCertificate { name: "nats-server".to_owned(), ends_at: renewed.validity.ends_at });
    }
    server::write_authorities(folder, &authorities)?;
    Ok(())
}

fn rotate_authority(
    folder: &Folder,
    issuance: &Issuance,
    identities: &[String],
    authorities: &mut Authorities,
    times: &RotationTimes,
    now: Instant,
    rotation: &mut Rotation,
) -> Result<(), KeyError> {
    let is_under_way = authorities.all().len() > 1;
    if !is_under_way {
        let next = next_authority(folder, authorities, now)?;
        // Everybody has one before anybody hears of the authority.
        for identity in identities {
            issue(folder, issuance, &next, identity, now)?;
        }
        authorities.add(next.public());
    }
    let Some(newest) = authorities.all().last().map(|newest| newest.id.clone()) else { return Ok(()) };
    let planned = now + times.overlap;
    let issues_from =
        authorities.find(&newest).and_then(|newest| newest.issues_from).map_or(planned, |from| from.min(planned));
    let leaves_at = issues_from.max(now) + times.retirement_of_nats_keys();
    authorities.change(|authority| {
        if authority.id == newest {
            authority.issues_from = Some(issues_from);
        } else {
            authority.leaves_at = Some(authority.leaves_at.map_or(leaves_at, |before| before.min(leaves_at)));
        }
    });
    authorities.write(folder)?;
    let old_until = authorities.all().iter().filter_map(|authority| authority.leaves_at).max();
    let rotated = RotatedKey { name: "tls/authority".to_owned(), id: newest, used_from: Some(issues_from), old_until };
    if is_under_way {
        rotation.under_way.push(rotated)
    } else {
        rotation.begun.push(rotated)
    }
    Ok(())
}

/// The one that an interrupted rotation has left, or a new one.
fn next_authority(folder: &Folder, authorities: &Authorities, now: Instant) -> Result<SigningAuthority, KeyError> {
    for id in left_authorities(folder)? {
        if authorities.find(&id).is_none() {
            return SigningAuthority::read(folder, &id);
        }
    }
    SigningAuthority::generate(folder, now)
}

/// Gives the server a certificate of the authority whose time has come, and forgets an old authority once that is some
/// time ago.
pub(in crate::keys) fn tidy(
    folder: &Folder,
    issuance: &Issuance,
    now: Instant,
    forgotten: &mut Vec<String>,
) -> Result<(), KeyError> {
    let mut authorities = Authorities::read(&folder.dir)?;
    // First, so that no authority is forgotten by the command that replaces what the server has of it.
    if server::is_of_active(folder, &authorities, now)? {
        forget_old(folder, &mut authorities, now, forgotten)?;
    } else if server::bring_up(folder, issuance, &authorities, false, now)?.is_some() {
        put_off(&mut authorities, now);
        authorities.write(folder)?;
    }
    server::write_authorities(folder, &authorities)?;
    Ok(())
}

fn forget_old(
    folder: &Folder,
    authorities: &mut Authorities,
    now: Instant,
    forgotten: &mut Vec<String>,
) -> Result<(), KeyError> {
    let is_over = |leaves_at: Option<Instant>| leaves_at.is_some_and(|leaves_at| leaves_at <= now);
    let old = authorities.all().iter().filter(|authority| is_over(authority.leaves_at));
    let old: Vec<String> = old.map(|authority| authority.id.clone()).collect();
    for id in old {
        // Its private key first: what is interrupted here goes on with the next command, and no key is left that somebody
        // could take for a new one.
        files::remove(&files::authority_path(&folder.dir, &id)?)?;
        authorities.forget(&id);
        authorities.write(folder)?;
        for path in files::files_ending(&folder.dir.join("tls"), "pem")? {
            if path.to_string_lossy().ends_with(&format!(".{id}.pem")) {
                files::remove(&path)?;
            }
        }
        forgotten.push(format!("tls/authority {id}"));
    }
    Ok(())
}

/// The server has a certificate of the new authority from now on, later than was planned perhaps: the old one is trusted
/// from here for as long as it was to be.
fn put_off(authorities: &mut Authorities, now: Instant) {
    let issues_from = authorities.active(now).and_then(|active| active.issues_from);
    authorities.change(|authority| {
        if let (Some(leaves_at), Some(issues_from)) = (authority.leaves_at, issues_from) {
            authority.leaves_at = Some(leaves_at.max(now + (leaves_at - issues_from).max(Duration::zero())));
        }
    });
}
