//! Tokens that somebody might try: each is made of a good one, with the one thing wrong that its name says. The tests of
//! the verifier and those of the whole platform try the same.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use serde_json::{Map, Value, json};

#[path = "forge/contents.rs"]
mod contents;
#[path = "forge/forms.rs"]
mod forms;
#[path = "forge/keys.rs"]
mod keys;

/// What an Ed25519 private key has around it in PKCS #8 (RFC 8410).
const PKCS8: [u8; 16] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];

/// A token, and what is wrong with it.
pub struct Attack {
    pub name: String,
    pub token: String,
}

/// What a good token of a kind is made of.
pub struct Forge {
    /// The key that signs this kind.
    key: EncodingKey,
    /// Somebody's own.
    strangers_key: EncodingKey,
    header: Value,
    claims: Value,
    /// The names of keys that sign something else.
    other_kids: Vec<String>,
    /// Where a header may say that its key is to be had.
    key_server: String,
}

impl Forge {
    /// `private_key` in PEM is the one that `kid` names; `claims` are good for a token of the type `typ`. To `key_server`
    /// headers lead the verifier.
    pub fn new(
        private_key: &str,
        kid: &str,
        typ: &str,
        claims: Value,
        other_kids: Vec<String>,
        key_server: &str,
    ) -> Forge {
        let key_of = |seed: &[u8]| EncodingKey::from_ed_der(&[PKCS8.as_slice(), seed].concat());
        let encoded: String = private_key.lines().filter(|line| !line.starts_with("-----")).collect();
        // The file has the public key behind the seed.
        let decoded = STANDARD.decode(encoded).unwrap();
        Forge {
            key: key_of(&decoded[PKCS8.len()..][..32]),
            strangers_key: key_of(&[7; 32]),
            header: json!({ "typ": typ, "alg": "EdDSA", "kid": kid }),
            claims,
            other_kids,
            key_server: key_server.to_owned(),
        }
    }

    /// The token that all others are made of.
    pub fn good(&self) -> String {
        self.signed(&self.header.to_string(), &self.claims.to_string())
    }

    /// Everything that must not pass.
    pub fn attacks(&self) -> Vec<Attack> {
        let mut attacks = vec![];
        for (what, made) in [
            ("algorithm", self.algorithms()),
            ("key name", self.key_names()),
            ("key of one's own", self.own_keys()),
            ("header", self.headers()),
            ("claim", self.wrong_claims()),
            ("member twice", self.doubled()),
            ("form", self.forms()),
            ("signature", self.signatures()),
        ] {
            let named = made.into_iter().map(|(name, token)| Attack { name: format!("{what}: {name}"), token });
            attacks.extend(named);
        }
        attacks
    }

    fn header_with(&self, name: &str, value: Value) -> String {
        let mut header = self.header.clone();
        header[name] = value;
        header.to_string()
    }

    fn header_without(&self, name: &str) -> String {
        let mut header: Map<String, Value> = self.header.as_object().unwrap().clone();
        header.remove(name);
        Value::Object(header).to_string()
    }

    fn message(&self, header: &str) -> String {
        message_of(header.as_bytes(), self.claims.to_string().as_bytes())
    }

    fn signed(&self, header: &str, claims: &str) -> String {
        sign(&message_of(header.as_bytes(), claims.as_bytes()), &self.key, Algorithm::EdDSA)
    }
}

/// The token with a bit of the bytes of one of its three parts turned over; the bits are counted around.
pub fn with_flipped_bit(token: &str, part: usize, bit: usize) -> String {
    let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    let mut bytes = URL_SAFE_NO_PAD.decode(&parts[part]).unwrap();
    let bit = bit % (bytes.len() * 8);
    bytes[bit / 8] ^= 1 << (bit % 8);
    parts[part] = URL_SAFE_NO_PAD.encode(bytes);
    parts.join(".")
}

fn message_of(header: &[u8], claims: &[u8]) -> String {
    format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims))
}

fn sign(message: &str, key: &EncodingKey, algorithm: Algorithm) -> String {
    format!("{message}.{}", crypto::sign(message.as_bytes(), key, algorithm).unwrap())
}

/// The signed part and the signature.
fn split(token: &str) -> (String, String) {
    let (message, signature) = token.rsplit_once('.').unwrap();
    (message.to_owned(), signature.to_owned())
}
