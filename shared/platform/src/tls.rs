//! Encrypted connections to NATS, both sides of which show a certificate of our own authority (TLS 1.3, RFC 8446).
//!
//! Keys come from sealed files into memory and lie nowhere else. What is shown and whom is trusted is looked up anew for
//! each connection, so that renewed certificates need no restart, and a connection that stands needs nothing.

use crate::metrics::Metrics;
use anyhow::{Context as _, anyhow};
use async_nats::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use async_nats::rustls::client::{ResolvesClientCert, Resumption, WebPkiServerVerifier};
use async_nats::rustls::crypto::{CryptoProvider, ring};
use async_nats::rustls::pki_types::pem::PemObject;
use async_nats::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use async_nats::rustls::sign::CertifiedKey;
use async_nats::rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme, version,
};
use async_nats::{ConnectOptions, ServerAddr};
use chrono::Utc;
use identity::keys::{KeyStore, Validity};
use secrecy::ExposeSecret;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

/// How often a certificate that is near its end is complained of.
const COMPLAINT_EVERY: Duration = Duration::from_secs(24 * 3600);

/// What the connections of one identity show, and whom they trust. Clones are the same.
#[derive(Clone)]
pub(crate) struct Tls(Arc<Inner>);

struct Inner {
    keys: KeyStore,
    identity: String,
    /// The servers that were asked for. One of a cluster may be found by another address, which its certificate does not
    /// know.
    hosts: Vec<ServerName<'static>>,
    provider: Arc<CryptoProvider>,
    state: RwLock<State>,
}

struct State {
    bundle: String,
    authorities: Arc<WebPkiServerVerifier>,
    /// The newest authority's last.
    shown: Vec<Shown>,
    server: Option<Validity>,
    complained_at: Option<Instant>,
}

struct Shown {
    issuer: Vec<u8>,
    certificate: String,
    key: Arc<CertifiedKey>,
    validity: Validity,
}

impl Tls {
    /// Reads what `identity` has.
    pub(crate) fn new(keys: &KeyStore, identity: &str, servers: &[&str]) -> anyhow::Result<Tls> {
        let provider = Arc::new(ring::default_provider());
        let bundle = keys.authorities().bundle();
        let host = |server: &&str| ServerName::try_from(server.parse::<ServerAddr>().ok()?.host().to_owned()).ok();
        let state = State {
            authorities: trusting(&bundle, &provider)?,
            bundle,
            shown: shown(keys, identity, &provider)?,
            server: None,
            complained_at: None,
        };
        Ok(Tls(Arc::new(Inner {
            keys: keys.clone(),
            identity: identity.to_owned(),
            hosts: servers.iter().filter_map(host).collect(),
            provider,
            state: RwLock::new(state),
        })))
    }

    pub(crate) fn identity(&self) -> &str {
        &self.0.identity
    }

    pub(crate) fn keys(&self) -> &KeyStore {
        &self.0.keys
    }

    /// Options of a connection that is encrypted from its first byte.
    pub(crate) fn secured(&self, options: ConnectOptions) -> anyhow::Result<ConnectOptions> {
        let mut config = ClientConfig::builder_with_provider(self.0.provider.clone())
            .with_protocol_versions(&[&version::TLS13])?
            .dangerous() // What is left out is only the system's list of authorities.
            .with_custom_certificate_verifier(Arc::new(self.clone()))
            .with_client_cert_resolver(Arc::new(self.clone()));
        // A session that goes on would be one of the certificates before.
        config.resumption = Resumption::disabled();
        // async-nats reads the system's list all the same, and passes it over.
        Ok(options.tls_client_config(config).tls_first())
    }

    /// Reads the certificates again, and takes what has changed. The registries were read before.
    pub(crate) fn read_again(&self) -> anyhow::Result<()> {
        let Inner { keys, identity, provider, .. } = self.0.as_ref();
        let bundle = keys.authorities().bundle();
        let held = keys.nats_certificates(identity)?;
        let (has_other_authorities, has_other_certificates) = {
            let state = self.state();
            let is_same =
                state.shown.iter().map(|shown| &shown.certificate).eq(held.iter().map(|held| &held.certificate));
            (state.bundle != bundle, !is_same)
        };
        if has_other_certificates {
            let shown = shown(keys, identity, provider)?;
            self.state_mut().shown = shown;
            tracing::info!(nats.identity = identity, "certificates were renewed, the next connection shows them");
        }
        if has_other_authorities {
            let authorities = trusting(&bundle, provider)?;
            let mut state = self.state_mut();
            (state.authorities, state.bundle) = (authorities, bundle);
            tracing::info!(nats.identity = identity, "the authorities that are trusted have changed");
        }
        Ok(())
    }

    /// Tells until when the certificates hold, and complains of one that is near its end.
    pub(crate) fn tell(&self, metrics: &Metrics) {
        let Inner { keys, identity, .. } = self.0.as_ref();
        let now = Utc::now();
        // Of two, the one that lasts is what counts.
        let client = self.state().shown.iter().map(|shown| shown.validity).max_by_key(|validity| validity.ends_at);
        let authorities = keys.authorities();
        let authority = authorities.all().iter().filter_map(|one| one.validity()).max_by_key(|one| one.ends_at);
        let server = self.state().server;
        let mut near_end = Vec::new();
        for (kind, validity) in [("client", client), ("server", server), ("authority", authority)] {
            let Some(validity) = validity else { continue };
            metrics.certificate_ends(identity, kind, validity.ends_at);
            if validity.is_near_end(now) {
                near_end.push(format!("{kind} until {}", validity.ends_at.to_rfc3339()));
            }
        }
        let mut state = self.state_mut();
        let is_quiet = state.complained_at.is_some_and(|at| at.elapsed() < COMPLAINT_EVERY);
        if !near_end.is_empty() && !is_quiet {
            state.complained_at = Some(Instant::now());
            tracing::warn!(
                nats.identity = identity,
                certificates = near_end.join(", "),
                "certificates for nats are near their end: `petpro keys rotate`, and reload nats-server"
            );
        }
    }

    fn state(&self) -> RwLockReadGuard<'_, State> {
        self.0.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn state_mut(&self) -> RwLockWriteGuard<'_, State> {
        self.0.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What stands in the way of an encrypted connection, if that is why there is none.
pub(crate) fn problem(error: &(dyn std::error::Error + 'static)) -> Option<Error> {
    let mut next = Some(error);
    while let Some(cause) = next {
        let inner = cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        let tls = cause.downcast_ref::<Error>().or_else(|| inner?.downcast_ref::<Error>());
        if let Some(tls) = tls {
            return Some(tls.clone());
        }
        next = cause.source();
    }
    None
}

fn trusting(bundle: &str, provider: &Arc<CryptoProvider>) -> anyhow::Result<Arc<WebPkiServerVerifier>> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(bundle.as_bytes()) {
        roots.add(certificate.map_err(|error| anyhow!("the authorities for NATS: {error}"))?)?;
    }
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone())
        .build()
        .context("the authorities for NATS")
}

fn shown(keys: &KeyStore, identity: &str, provider: &CryptoProvider) -> anyhow::Result<Vec<Shown>> {
    let held = keys.nats_certificates(identity)?.into_iter();
    held.map(|held| {
        // Errors of the parser name no content.
        let key = PrivateKeyDer::from_pem_slice(held.key.expose_secret().as_bytes())
            .map_err(|error| anyhow!("the private key of {identity} for NATS: {error}"))?;
        let certificate = CertificateDer::from_pem_slice(held.certificate.as_bytes())
            .map_err(|error| anyhow!("the certificate of {identity} for NATS: {error}"))?;
        let key = CertifiedKey::new(vec![certificate], provider.key_provider.load_private_key(key)?);
        Ok(Shown { issuer: held.issuer, certificate: held.certificate, key: Arc::new(key), validity: held.validity })
    })
    .collect()
}

impl ResolvesClientCert for Tls {
    /// The server says which authorities it knows; the newest certificate of one of these is shown.
    fn resolve(&self, issuers: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let state = self.state();
        let is_known = |shown: &&Shown| issuers.iter().any(|issuer| *issuer == shown.issuer);
        let known = state.shown.iter().rev().find(is_known).or(state.shown.last());
        known.map(|shown| shown.key.clone())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

impl ServerCertVerifier for Tls {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let authorities = self.state().authorities.clone();
        let verify =
            |name: &ServerName<'_>| authorities.verify_server_cert(end_entity, intermediates, name, ocsp_response, now);
        let mut verified = verify(server_name);
        for host in &self.0.hosts {
            use CertificateError::{NotValidForName, NotValidForNameContext};
            if let Err(Error::InvalidCertificate(NotValidForName | NotValidForNameContext { .. })) = &verified {
                verified = verify(host);
            }
        }
        if verified.is_ok() {
            self.state_mut().server = Validity::of_der(end_entity);
        }
        verified
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.state().authorities.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.state().authorities.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.state().authorities.supported_verify_schemes()
    }
}

/// Without any key.
impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("identity", &self.0.identity).finish_non_exhaustive()
    }
}
