//! What nats-server reads: it opens no sealed files, so these lie open in a folder of their own.

use super::authorities::Authorities;
use super::authority::{SigningAuthority, Subject};
use super::certificate::Certificate;
use super::{Issuance, NATS_SERVER};
use crate::keys::folder::Folder;
use crate::keys::{KeyError, files};
use secrecy::ExposeSecret;
use std::path::PathBuf;
use subjects::time::Instant;

/// The server's private key and certificate.
const SERVER_FILE: &str = "server.pem";
/// The authorities whose clients, and other nodes, it lets in.
const AUTHORITIES_FILE: &str = "authorities.pem";
/// By what every server is reached: on its own machine, and in containers.
const USUAL_NAMES: [&str; 4] = ["localhost", "127.0.0.1", "::1", "nats"];

/// The certificate that nats-server has now.
pub(super) fn read_if_there(folder: &Folder) -> Result<Option<Certificate>, KeyError> {
    let path = server_path(folder);
    match files::read_secret(&path) {
        Ok(text) => Certificate::parse(&path, &text).map(Some),
        Err(KeyError::Missing { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether the server has a certificate of the authority that now issues them.
pub(super) fn is_of_active(folder: &Folder, authorities: &Authorities, now: Instant) -> Result<bool, KeyError> {
    let (Some(current), Some(active)) = (read_if_there(folder)?, authorities.active(now)) else { return Ok(false) };
    Ok(is_issued_by(&current, &active.certificate))
}

/// Gives the server a new certificate, where it has none, one of another authority, one that lacks a name, or one near
/// its end; or whatever it has, if `is_renewed`. Answers its file then.
pub(super) fn bring_up(
    folder: &Folder,
    issuance: &Issuance,
    authorities: &Authorities,
    is_renewed: bool,
    now: Instant,
) -> Result<Option<(PathBuf, Certificate)>, KeyError> {
    let path = server_path(folder);
    let Some(active) = authorities.active(now) else { return Ok(None) };
    let current = read_if_there(folder)?;
    let names = names(issuance, current.as_ref());
    let is_good = |current: &Certificate| {
        is_issued_by(current, &active.certificate)
            && names.iter().all(|name| current.server_names.contains(name))
            && !current.validity.is_near_end(now)
    };
    if !is_renewed && current.as_ref().is_some_and(is_good) {
        return Ok(None);
    }
    let authority = SigningAuthority::read(folder, &active.id)?;
    let subject = Subject { name: NATS_SERVER, server_names: &names };
    let new = authority.issue(&path, &subject, issuance.lifetime, now)?;
    files::write_private(&path, new.to_file().expose_secret())?;
    Ok(Some((path, new)))
}

/// Tells the server which authorities there are. Answers the file, if that is anything new.
pub(super) fn write_authorities(folder: &Folder, authorities: &Authorities) -> Result<Option<PathBuf>, KeyError> {
    let path = files::nats_server_dir(&folder.dir).join(AUTHORITIES_FILE);
    let bundle = authorities.bundle();
    if files::read_text_if_there(&path)?.as_ref() == Some(&bundle) {
        return Ok(None);
    }
    files::write_private(&path, &bundle)?;
    Ok(Some(path))
}

fn server_path(folder: &Folder) -> PathBuf {
    files::nats_server_dir(&folder.dir).join(SERVER_FILE)
}

fn is_issued_by(certificate: &Certificate, authority: &str) -> bool {
    // An authority is its own issuer.
    Certificate::of(authority.trim_end(), Default::default()).is_ok_and(|own| own.issuer == certificate.issuer)
}

/// Those it has stay: whoever renews it need not know by which names it is reached.
fn names(issuance: &Issuance, current: Option<&Certificate>) -> Vec<String> {
    let mut names: Vec<String> = USUAL_NAMES.map(str::to_owned).into();
    for name in current.iter().flat_map(|current| &current.server_names).chain(&issuance.server_names) {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}
