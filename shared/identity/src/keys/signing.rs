//! A private key, and the compact form of what it signs.

use super::{PublicKey, Purpose};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::Signer;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey, EncodePrivateKey};
use secrecy::SecretString;
use serde_json::json;
use std::fmt;
use std::sync::Arc;

/// A private Ed25519 key of one owner for one purpose. It is wiped from memory when the last clone is dropped, and
/// never shown.
#[derive(Clone)]
pub struct SigningKey {
    public: PublicKey,
    private: Arc<ed25519_dalek::SigningKey>,
}

impl SigningKey {
    /// A new key. Others accept what it signs only once it stands in the registry.
    pub fn generate(owner: &str, purpose: Purpose) -> SigningKey {
        SigningKey::from_private(owner, purpose, ed25519_dalek::SigningKey::from_bytes(&rand::random()))
    }

    pub(super) fn from_pkcs8_pem(owner: &str, purpose: Purpose, pem: &str) -> Result<SigningKey, &'static str> {
        let private = ed25519_dalek::SigningKey::from_pkcs8_pem(pem)
            .map_err(|_| "it is not an Ed25519 private key in PKCS #8 PEM")?;
        Ok(SigningKey::from_private(owner, purpose, private))
    }

    /// The private key in PEM (PKCS #8, RFC 8410), as who is given it reads it.
    ///
    /// # Errors
    /// It cannot be encoded.
    pub fn to_pkcs8_pem(&self) -> Result<SecretString, &'static str> {
        let pem = self.private.to_pkcs8_pem(LineEnding::LF).map_err(|_| "the new key cannot be encoded")?;
        Ok(SecretString::from(pem.as_str()))
    }

    fn from_private(owner: &str, purpose: Purpose, private: ed25519_dalek::SigningKey) -> SigningKey {
        let public = PublicKey::new(owner, purpose, &private.verifying_key());
        SigningKey { public, private: Arc::new(private) }
    }

    /// The key's name in token headers.
    pub fn kid(&self) -> &str {
        &self.public.kid
    }

    /// Who signs with it.
    pub fn owner(&self) -> &str {
        &self.public.owner
    }

    /// What is signed with it.
    pub fn purpose(&self) -> Purpose {
        self.public.purpose
    }

    /// The public half, for the registry.
    pub fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// A signed JWT in compact form (RFC 7515 section 7.1, RFC 8037).
    pub(crate) fn sign_token(&self, typ: &str, claims: &serde_json::Value) -> String {
        let header = json!({ "typ": typ, "alg": "EdDSA", "kid": self.kid() });
        let header_part = URL_SAFE_NO_PAD.encode(header.to_string());
        let claims_part = URL_SAFE_NO_PAD.encode(claims.to_string());
        let signed_part = format!("{header_part}.{claims_part}");
        let signature = self.private.sign(signed_part.as_bytes());
        format!("{signed_part}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("owner", &self.owner())
            .field("purpose", &self.purpose())
            .field("kid", &self.kid())
            .finish_non_exhaustive()
    }
}
