//! A certificate with its private key.

use crate::keys::KeyError;
use chrono::DateTime;
use rcgen::KeyPair;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use std::fmt;
use std::net::IpAddr;
use std::path::Path;
use subjects::time::Instant;
use x509_cert::der::{Decode, Encode};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

/// What every certificate begins with in its file; its private key stands before it.
const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
/// A certificate is near its end when so much of its life is left: 36 days of a year.
const LAST_PART: i32 = 10;

/// When a certificate holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Validity {
    /// From then on.
    pub begins_at: Instant,
    /// Until then.
    pub ends_at: Instant,
}

impl Validity {
    /// That of a certificate in DER; none if it is no certificate.
    pub fn of_der(der: &[u8]) -> Option<Validity> {
        Validity::of(&x509_cert::Certificate::from_der(der).ok()?)
    }

    pub(super) fn of(certificate: &x509_cert::Certificate) -> Option<Validity> {
        let time = |time: x509_cert::time::Time| {
            DateTime::from_timestamp(i64::try_from(time.to_unix_duration().as_secs()).ok()?, 0)
        };
        let validity = certificate.tbs_certificate.validity;
        Some(Validity { begins_at: time(validity.not_before)?, ends_at: time(validity.not_after)? })
    }

    /// Whether only the last tenth of it is left.
    pub fn is_near_end(&self, now: Instant) -> bool {
        self.ends_at - now < (self.ends_at - self.begins_at) / LAST_PART
    }
}

/// A certificate (RFC 5280) and the private key that belongs to it.
#[derive(Clone)]
pub struct Certificate {
    /// The certificate, PEM.
    pub certificate: String,
    /// The private key, PKCS #8 as PEM.
    pub key: SecretString,
    /// The name of the authority that has issued it, DER: a server asks for certificates by such names.
    pub issuer: Vec<u8>,
    /// When it holds.
    pub validity: Validity,
    /// The names and addresses that it is for, if it is a server's.
    pub(super) server_names: Vec<String>,
}

impl Certificate {
    /// Reads a file that holds a private key and, after it, its certificate.
    pub(super) fn parse(path: &Path, text: &SecretString) -> Result<Certificate, KeyError> {
        let text = text.expose_secret();
        let start = text.find(BEGIN).ok_or_else(|| KeyError::invalid(path, "it has no certificate"))?;
        let (key, certificate) = text.split_at(start);
        KeyPair::from_pem(key).map_err(|_| KeyError::invalid(path, "it has no private key before the certificate"))?;
        Certificate::of(certificate.trim_end(), SecretString::from(key))
            .map_err(|reason| KeyError::invalid(path, reason))
    }

    pub(super) fn of(pem: &str, key: SecretString) -> Result<Certificate, String> {
        let parsed = parse_pem(pem)?;
        let validity = Validity::of(&parsed).ok_or_else(|| "its times are not times".to_owned())?;
        let parsed = parsed.tbs_certificate;
        Ok(Certificate {
            certificate: format!("{pem}\n"),
            key,
            issuer: parsed.issuer.to_der().map_err(|error| error.to_string())?,
            validity,
            server_names: server_names(&parsed)?,
        })
    }

    /// The text of a file that keeps both.
    pub(super) fn to_file(&self) -> SecretString {
        SecretString::from(format!("{}{}", self.key.expose_secret(), self.certificate))
    }
}

/// The one certificate in a text.
pub(super) fn parse_pem(pem: &str) -> Result<x509_cert::Certificate, String> {
    let chain = x509_cert::Certificate::load_pem_chain(pem.as_bytes()).map_err(|error| error.to_string())?;
    match <[x509_cert::Certificate; 1]>::try_from(chain) {
        Ok([certificate]) => Ok(certificate),
        Err(others) => Err(format!("it has {} certificates instead of one", others.len())),
    }
}

fn server_names(certificate: &x509_cert::TbsCertificate) -> Result<Vec<String>, String> {
    let Some((_, names)) = certificate.get::<SubjectAltName>().map_err(|error| error.to_string())? else {
        return Ok(Vec::new());
    };
    let text = |name: GeneralName| match name {
        GeneralName::DnsName(name) => Some(name.to_string()),
        GeneralName::IpAddress(octets) => {
            let bytes = octets.as_bytes();
            let address = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
            address.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok().map(|address| address.to_string())
        }
        _ => None,
    };
    Ok(names.0.into_iter().filter_map(text).collect())
}

/// Without the key.
impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate").field("validity", &self.validity).finish_non_exhaustive()
    }
}
