//! An authority with its private key, which only `petpro keys` reads.

use super::authorities::Authority;
use super::certificate::Certificate;
use crate::keys::folder::Folder;
use crate::keys::{KeyError, files};
use chrono::Duration;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use std::path::Path;
use subjects::time::Instant;
use time::OffsetDateTime;

/// Certificates hold from a while ago on: not all clocks are right.
const BACKDATED: Duration = Duration::hours(1);
/// How long an authority lives.
const AUTHORITY_LIFETIME: Duration = Duration::days(3650);
/// How much of a hash names an authority.
const ID_BYTES: usize = 6;

/// An authority that can issue certificates.
pub(super) struct SigningAuthority {
    id: String,
    key: KeyPair,
    own: Certificate,
}

/// What is certified of whom.
pub(super) struct Subject<'a> {
    /// An identity, or the server.
    pub(super) name: &'a str,
    /// The names and addresses of a server; none of a client.
    pub(super) server_names: &'a [String],
}

impl SigningAuthority {
    /// Makes a new one and keeps it.
    pub(super) fn generate(folder: &Folder, now: Instant) -> Result<SigningAuthority, KeyError> {
        let unnamed = folder.dir.join("tls");
        let failed = |error: rcgen::Error| KeyError::invalid(&unnamed, error.to_string());
        let key = KeyPair::generate().map_err(failed)?;
        let id: String =
            Sha256::digest(key.public_key_raw()).iter().take(ID_BYTES).map(|byte| format!("{byte:02x}")).collect();
        let mut params = params_of(&id);
        (params.not_before, params.not_after) = (moment(now - BACKDATED), moment(now + AUTHORITY_LIFETIME));
        let pem = params.self_signed(&key).map_err(failed)?.pem();
        let own = certificate(&unnamed, &pem, &key)?;
        let authority = SigningAuthority { id, key, own };
        folder.write_secret(&files::authority_path(&folder.dir, &authority.id)?, &authority.own.to_file())?;
        Ok(authority)
    }

    /// The one of this id, if its private key is here.
    pub(super) fn read_if_there(folder: &Folder, id: &str) -> Result<Option<SigningAuthority>, KeyError> {
        let path = files::authority_path(&folder.dir, id)?;
        let Some(text) = folder.read_secret_if_there(&path)? else { return Ok(None) };
        let own = Certificate::parse(&path, &text)?;
        let key =
            KeyPair::from_pem(own.key.expose_secret()).map_err(|error| KeyError::invalid(&path, error.to_string()))?;
        Ok(Some(SigningAuthority { id: id.to_owned(), key, own }))
    }

    /// The one of this id, which has to be here.
    pub(super) fn read(folder: &Folder, id: &str) -> Result<SigningAuthority, KeyError> {
        match SigningAuthority::read_if_there(folder, id)? {
            Some(authority) => Ok(authority),
            None => Err(KeyError::Missing { path: files::authority_path(&folder.dir, id)? }),
        }
    }

    /// Whether only the last tenth of its life is left.
    pub(super) fn is_near_end(&self, now: Instant) -> bool {
        self.own.validity.is_near_end(now)
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// As the registry has it, without its key.
    pub(super) fn public(&self) -> Authority {
        let certificate = self.own.certificate.clone();
        Authority { id: self.id.clone(), certificate, issues_from: None, leaves_at: None }
    }

    /// Certifies a new key of somebody. The certificate ends with the authority's own at the latest.
    pub(super) fn issue(
        &self,
        path: &Path,
        subject: &Subject<'_>,
        lifetime: Duration,
        now: Instant,
    ) -> Result<Certificate, KeyError> {
        let failed = |error: rcgen::Error| KeyError::invalid(path, error.to_string());
        let key = KeyPair::generate().map_err(failed)?;
        let mut params = CertificateParams::new(subject.server_names).map_err(failed)?;
        params.distinguished_name = name(subject.name);
        params.not_before = moment(now - BACKDATED);
        params.not_after = moment((now + lifetime).min(self.own.validity.ends_at));
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        if !subject.server_names.is_empty() {
            // Nodes of a cluster are each other's clients.
            params.extended_key_usages.push(ExtendedKeyUsagePurpose::ServerAuth);
        }
        params.use_authority_key_identifier_extension = true;
        let own = params_of(&self.id);
        let pem = params.signed_by(&key, &Issuer::from_params(&own, &self.key)).map_err(failed)?.pem();
        certificate(path, &pem, &key)
    }
}

/// What an authority of this id says of itself, the same each time: certificates name it by it.
fn params_of(id: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = name(&format!("PetPro NATS authority {id}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn name(common_name: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common_name);
    name
}

fn certificate(path: &Path, pem: &str, key: &KeyPair) -> Result<Certificate, KeyError> {
    let pem = pem.replace('\r', "");
    let key = SecretString::from(key.serialize_pem().replace('\r', ""));
    Certificate::of(pem.trim_end(), key).map_err(|reason| KeyError::invalid(path, reason))
}

fn moment(time: Instant) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(time.timestamp()).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}
