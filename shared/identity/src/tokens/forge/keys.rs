//! Under another algorithm, another key's name, or a key of one's own.

use super::{Forge, message_of, sign, split};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, ThumbprintHash};
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::json;

/// What an Ed25519 public key has before it in SPKI (RFC 8410).
const SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0];

impl Forge {
    pub(super) fn algorithms(&self) -> Vec<(String, String)> {
        let mut made = vec![];
        let (message, signature) = split(&self.good());
        for name in ["none", "None", "NONE", "nOnE", "none ", ""] {
            let header = self.header_with("alg", json!(name));
            made.push((format!("{name:?}, unsigned"), format!("{}.", self.message(&header))));
            made.push((format!("{name:?}, signed"), self.signed(&header, &self.claims.to_string())));
        }
        // RFC 9864 has a new name for ours, and nobody else's signatures are ours.
        let others =
            ["ES256", "ES384", "RS256", "RS512", "PS256", "Ed25519", "Ed448", "eddsa", "EdDSA ", "A128KW", "dir"];
        for name in others {
            let header = self.header_with("alg", json!(name));
            made.push((format!("{name:?}, signed"), self.signed(&header, &self.claims.to_string())));
        }
        for odd in [json!(null), json!(["EdDSA"]), json!({ "name": "EdDSA" }), json!(0)] {
            made.push((odd.to_string(), self.signed(&self.header_with("alg", odd), &self.claims.to_string())));
        }
        for (secret_name, secret) in self.public_key_as_secrets() {
            for (name, algorithm) in
                [("HS256", Algorithm::HS256), ("HS384", Algorithm::HS384), ("HS512", Algorithm::HS512)]
            {
                let message = self.message(&self.header_with("alg", json!(name)));
                let key = EncodingKey::from_secret(&secret);
                made.push((format!("{name} under the public key {secret_name}"), sign(&message, &key, algorithm)));
            }
        }
        made.push(("missing".to_owned(), self.signed(&self.header_without("alg"), &self.claims.to_string())));
        let unsigned = self.message(&self.header_with("alg", json!("none")));
        made.push(("none, with the signature of a good token".to_owned(), format!("{unsigned}.{signature}")));
        assert_ne!(message, unsigned);
        made
    }

    /// The public key as whoever reads it somewhere might take it for a secret.
    fn public_key_as_secrets(&self) -> Vec<(&'static str, Vec<u8>)> {
        let x = public_x(&self.key);
        let raw = URL_SAFE_NO_PAD.decode(&x).unwrap();
        let der = [SPKI.as_slice(), &raw].concat();
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(&der));
        let jwk = json!({ "crv": "Ed25519", "kty": "OKP", "x": x }).to_string();
        vec![
            ("in bytes", raw),
            ("as x", x.into_bytes()),
            ("in DER", der),
            ("in PEM", pem.trim_end().to_owned().into_bytes()),
            ("in PEM with its last line break", pem.into_bytes()),
            ("as a JWK", jwk.into_bytes()),
            ("as nothing", vec![]),
        ]
    }

    pub(super) fn key_names(&self) -> Vec<(String, String)> {
        let kid = self.header["kid"].as_str().unwrap();
        let mut kids = vec![
            json!(""),
            json!("unknown"),
            json!("../../../../dev/null"),
            json!("auth.access.pem"),
            json!("' or '1'='1"),
            json!("x' union select 'AA'--"),
            json!("a".repeat(2_000)),
            json!("\u{0}"),
            json!(format!("{kid}\u{0}")),
            json!(format!(" {kid}")),
            json!(kid.to_lowercase() + "A"),
            json!(&kid[1..]),
            json!([kid]),
            json!({ "kid": kid }),
            json!(0),
            json!(null),
        ];
        kids.extend(self.other_kids.iter().map(|kid| json!(kid)));
        let claims = self.claims.to_string();
        let mut made: Vec<_> = kids
            .into_iter()
            .map(|kid| (format!("{kid:.40}"), self.signed(&self.header_with("kid", kid), &claims)))
            .collect();
        made.push(("missing".to_owned(), self.signed(&self.header_without("kid"), &claims)));
        made
    }

    /// Signed by a key that the token brings along or leads to.
    pub(super) fn own_keys(&self) -> Vec<(String, String)> {
        let x = public_x(&self.strangers_key);
        let kid = jwk_of(&self.strangers_key).thumbprint(ThumbprintHash::SHA256).unwrap();
        let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": x, "kid": kid, "use": "sig" });
        let certificate = STANDARD.encode([0x30; 64]);
        let mut made = vec![];
        for (name, value) in [
            ("nothing", json!(null)),
            ("jwk", jwk),
            ("jku", json!(format!("{}jwks.json", self.key_server))),
            ("x5u", json!(format!("{}chain.pem", self.key_server))),
            ("x5c", json!([certificate])),
            ("x5t#S256", json!(kid)),
            ("url", json!(self.key_server)),
            ("iss", json!(self.key_server)),
        ] {
            for own_kid in [None, Some(json!(kid)), Some(json!(format!("{}kid", self.key_server)))] {
                let under = own_kid.as_ref().map_or("the good name", |_| "its own name");
                let mut header = self.header.clone();
                header[name] = value.clone();
                header["kid"] = own_kid.unwrap_or(header["kid"].take());
                let message = message_of(header.to_string().as_bytes(), self.claims.to_string().as_bytes());
                made.push((format!("{name} under {under}"), sign(&message, &self.strangers_key, Algorithm::EdDSA)));
            }
        }
        made
    }
}

fn jwk_of(key: &EncodingKey) -> Jwk {
    Jwk::from_encoding_key(key, Algorithm::EdDSA).unwrap()
}

fn public_x(key: &EncodingKey) -> String {
    let AlgorithmParameters::OctetKeyPair(pair) = jwk_of(key).algorithm else { panic!("no Ed25519 key") };
    pair.x
}
