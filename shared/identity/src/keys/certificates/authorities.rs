//! The public registry of authorities: whose certificates are trusted.

use super::certificate::{Validity, parse_pem};
use crate::keys::folder::Folder;
use crate::keys::state::state;
use crate::keys::{KeyError, KeyState, files};
use serde::{Deserialize, Serialize};
use std::path::Path;
use subjects::time::Instant;

/// An authority that has issued certificates for connections to NATS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authority {
    /// Its name, from a hash of its public key.
    pub id: String,
    /// Its own certificate, PEM.
    pub certificate: String,
    /// From when on nats-server is given a certificate of it; until then it is only trusted. From the beginning where
    /// nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issues_from: Option<Instant>,
    /// From when on it may be forgotten.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leaves_at: Option<Instant>,
}

impl Authority {
    /// When its certificate holds.
    pub fn validity(&self) -> Option<Validity> {
        Validity::of(&parse_pem(&self.certificate).ok()?)
    }
}

/// The authorities that are trusted, in the order in which they came: one, or two while one follows the other.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authorities {
    authorities: Vec<Authority>,
}

impl Authorities {
    /// Reads a registry and checks it; on failure says what is wrong.
    pub fn from_json(text: &str) -> Result<Authorities, String> {
        let read: Authorities = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if read.authorities.is_empty() {
            return Err("it has no authority".to_owned());
        }
        for authority in &read.authorities {
            let id = &authority.id;
            if id.is_empty() || !id.chars().all(|letter| letter.is_ascii_hexdigit()) {
                return Err(format!("{id:?} is not the id of an authority"));
            }
            parse_pem(&authority.certificate).map_err(|reason| format!("the certificate of {id}: {reason}"))?;
        }
        Ok(read)
    }

    pub(in crate::keys) fn read(dir: &Path) -> Result<Authorities, KeyError> {
        let path = files::authorities_path(dir);
        Authorities::from_json(&files::read_text(&path)?).map_err(|reason| KeyError::invalid(&path, reason))
    }

    pub(super) fn write(&self, folder: &Folder) -> Result<(), KeyError> {
        crate::keys::live::write_json(&files::authorities_path(&folder.dir), self)
    }

    /// All of them.
    pub fn all(&self) -> &[Authority] {
        &self.authorities
    }

    /// All their certificates, PEM: what a client or a server is to trust.
    pub fn bundle(&self) -> String {
        self.authorities.iter().map(|authority| authority.certificate.as_str()).collect()
    }

    /// The one that issues at this time what nats-server shows.
    pub fn active(&self, now: Instant) -> Option<&Authority> {
        let begun = self.authorities.iter().filter(|authority| authority.issues_from <= Some(now));
        begun.max_by_key(|authority| authority.issues_from)
    }

    /// Where an authority stands in its life. Until it is forgotten it is trusted, whatever the time.
    pub fn state(&self, authority: &Authority, now: Instant) -> KeyState {
        let is_active = self.active(now).is_some_and(|active| active.id == authority.id);
        state(authority.issues_from, None, is_active, now)
    }

    pub(super) fn find(&self, id: &str) -> Option<&Authority> {
        self.authorities.iter().find(|authority| authority.id == id)
    }

    pub(super) fn add(&mut self, authority: Authority) {
        self.authorities.push(authority);
    }

    pub(super) fn change(&mut self, change: impl FnMut(&mut Authority)) {
        self.authorities.iter_mut().for_each(change);
    }

    pub(super) fn forget(&mut self, id: &str) {
        self.authorities.retain(|authority| authority.id != id);
    }
}
