//! Making what is missing, and reading what is there.

use super::authorities::{Authorities, Authority};
use super::authority::{SigningAuthority, Subject};
use super::certificate::{Certificate, Validity};
use super::server;
use crate::keys::create::KeysMade;
use crate::keys::folder::Folder;
use crate::keys::{KeyError, files};
use chrono::Duration;
use std::collections::BTreeSet;
use subjects::time::Instant;

/// How certificates are issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuance {
    /// How long they hold.
    pub lifetime: Duration,
    /// By which names and addresses clients reach nats-server, beside `localhost`, `127.0.0.1`, `::1` and `nats`.
    pub server_names: Vec<String>,
}

impl Default for Issuance {
    fn default() -> Issuance {
        Issuance { lifetime: Duration::days(365), server_names: Vec::new() }
    }
}

/// Makes an authority where there is none, and certificates of it for those who have none, or one near its end.
pub(in crate::keys) fn create_missing(
    folder: &Folder,
    issuance: &Issuance,
    identities: &BTreeSet<&str>,
    now: Instant,
    made: &mut KeysMade,
) -> Result<(), KeyError> {
    let authorities = read_or_create_authorities(folder, now, made)?;
    for authority in authorities.all() {
        for identity in identities {
            let path = files::certificate_path(&folder.dir, identity, &authority.id)?;
            let current = read_if_there(folder, identity, authority)?;
            if current.is_none_or(|current| current.validity.is_near_end(now)) {
                issue(folder, issuance, &SigningAuthority::read(folder, &authority.id)?, identity, now)?;
                made.secret(&folder.dir, &path);
            }
        }
    }
    if let Some((path, _)) = server::bring_up(folder, issuance, &authorities, false, now)? {
        made.secret(&folder.dir, &path);
    }
    if let Some(path) = server::write_authorities(folder, &authorities)? {
        made.registry(&folder.dir, &path);
    }
    Ok(())
}

fn read_or_create_authorities(folder: &Folder, now: Instant, made: &mut KeysMade) -> Result<Authorities, KeyError> {
    match Authorities::read(&folder.dir) {
        Err(KeyError::Missing { .. }) => {}
        read => return read,
    }
    let mut authorities = Authorities::default();
    // Those of a registry that was lost.
    for id in left_authorities(folder)? {
        authorities.add(SigningAuthority::read(folder, &id)?.public());
    }
    if authorities.all().is_empty() {
        let authority = SigningAuthority::generate(folder, now)?;
        made.secret(&folder.dir, &files::authority_path(&folder.dir, authority.id())?);
        authorities.add(authority.public());
    }
    authorities.write(folder)?;
    made.registry(&folder.dir, &files::authorities_path(&folder.dir));
    Ok(authorities)
}

/// The ids of the authorities whose private keys are here.
pub(super) fn left_authorities(folder: &Folder) -> Result<Vec<String>, KeyError> {
    let found = files::files_ending(&folder.dir.join("tls"), "key")?;
    let id = |path: &std::path::PathBuf| {
        path.file_stem().and_then(|stem| stem.to_str()?.strip_prefix("authority.")).map(str::to_owned)
    };
    let mut ids: Vec<String> = found.iter().filter_map(id).collect();
    ids.sort();
    Ok(ids)
}

/// Certifies a new key of an identity, in place of the one that it had of this authority.
pub(super) fn issue(
    folder: &Folder,
    issuance: &Issuance,
    authority: &SigningAuthority,
    identity: &str,
    now: Instant,
) -> Result<Certificate, KeyError> {
    let path = files::certificate_path(&folder.dir, identity, authority.id())?;
    let subject = Subject { name: identity, server_names: &[] };
    let certificate = authority.issue(&path, &subject, issuance.lifetime, now)?;
    folder.write_secret(&path, &certificate.to_file())?;
    Ok(certificate)
}

/// What an authority has certified for an identity.
pub(super) fn read_if_there(
    folder: &Folder,
    identity: &str,
    authority: &Authority,
) -> Result<Option<Certificate>, KeyError> {
    let path = files::certificate_path(&folder.dir, identity, &authority.id)?;
    let text = folder.read_secret_if_there(&path)?;
    text.map(|text| Certificate::parse(&path, &text)).transpose()
}

/// The certificates of an identity with their authorities, the newest authority's last.
pub(in crate::keys) fn held_by<'a>(
    folder: &Folder,
    authorities: &'a Authorities,
    identity: &str,
) -> Result<Vec<(&'a Authority, Certificate)>, KeyError> {
    let mut held = Vec::new();
    for authority in authorities.all() {
        if let Some(certificate) = read_if_there(folder, identity, authority)? {
            held.push((authority, certificate));
        }
    }
    Ok(held)
}

/// When the certificate holds that nats-server has, if it has one.
pub(in crate::keys) fn validity_of_server(folder: &Folder) -> Result<Option<Validity>, KeyError> {
    Ok(server::read_if_there(folder)?.map(|certificate| certificate.validity))
}
