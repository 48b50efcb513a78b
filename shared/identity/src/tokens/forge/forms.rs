//! What is not one token in its compact form, and signatures that are none of it.

use super::{Forge, sign, split, with_flipped_bit};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use jsonwebtoken::Algorithm;
use serde_json::{Value, json};

impl Forge {
    /// What is not a JWS in its compact form, or not exactly one.
    pub(super) fn forms(&self) -> Vec<(String, String)> {
        let good = self.good();
        let parts: Vec<&str> = good.split('.').collect();
        let bytes: Vec<Vec<u8>> = parts.iter().map(|part| URL_SAFE_NO_PAD.decode(part).unwrap()).collect();
        let replaced = |index: usize, text: String| {
            let mut parts: Vec<String> = parts.iter().map(|part| (*part).to_owned()).collect();
            parts[index] = text;
            parts.join(".")
        };
        let mut made = vec![];
        for (index, part) in ["header", "claims", "signature"].into_iter().enumerate() {
            let padded = URL_SAFE.encode(&bytes[index]);
            let forced = if padded == parts[index] { format!("{padded}====") } else { padded };
            made.push((format!("{part} padded"), replaced(index, forced)));
            let plain = STANDARD_NO_PAD.encode(&bytes[index]);
            if plain != parts[index] {
                made.push((format!("{part} in the other alphabet"), replaced(index, plain)));
            }
            if let Some(text) = with_trailing_bits(parts[index]) {
                made.push((format!("{part} with bits behind its last byte"), replaced(index, text)));
            }
            made.push((
                format!("{part} with a space in it"),
                replaced(index, format!("{} {}", &parts[index][..4], &parts[index][4..])),
            ));
            made.push((
                format!("{part} percent-encoded"),
                replaced(index, format!("%{:02X}{}", parts[index].as_bytes()[0], &parts[index][1..])),
            ));
            made.push((format!("no {part}"), replaced(index, String::new())));
            made.push((format!("{part} twice"), replaced(index, format!("{0}.{0}", parts[index]))));
        }
        let (header, claims) = (self.header.to_string(), self.claims.to_string());
        let nested = self.signed(&self.header_with("cty", json!("JWT")), &good);
        let in_order: Vec<&Value> =
            ["iss", "aud", "iat", "exp", "nbf", "sub", "sid", "roles"].map(|name| &self.claims[name]).to_vec();
        let flattened = json!({ "protected": parts[0], "payload": parts[1], "signature": parts[2] });
        let general = json!({ "payload": parts[1], "signatures": [{ "protected": parts[0], "signature": parts[2] }] });
        let swapped = [parts[1], parts[0], parts[2]].join(".");
        let further = [
            ("encrypted, in five parts", format!("{}.{}.{}.{}.{}", parts[0], "AA", parts[1], "AA", parts[2])),
            ("a fourth part", format!("{good}.AA")),
            ("a point behind", format!("{good}.")),
            ("a point before", format!(".{good}")),
            ("something behind", format!("{good}x")),
            ("a second token behind", format!("{good},{good}")),
            ("the scheme twice", format!("Bearer {good}")),
            ("in quotes", format!("\"{good}\"")),
            ("flattened JSON", flattened.to_string()),
            ("general JSON", general.to_string()),
            ("header and claims swapped", swapped),
            ("a token in a token", nested),
            ("claims as a list in their order", self.signed(&header, &json!(in_order).to_string())),
            ("claims as a text", self.signed(&header, &json!(claims).to_string())),
            ("claims with something behind", self.signed(&header, &format!("{claims}{{}}"))),
            ("claims deeply nested", self.signed(&header, &"[".repeat(2_000))),
            ("claims that are nothing", self.signed(&header, "")),
            ("upper case", good.to_uppercase()),
            ("two points", "..".to_owned()),
            ("one word", "x".to_owned()),
            ("nothing but nulls", "bnVsbA.bnVsbA.bnVsbA".to_owned()),
        ];
        made.extend(further.map(|(name, token)| (name.to_owned(), token)));
        let mut long = self.claims.clone();
        long["padding"] = json!("x".repeat(5_000));
        made.push(("longer than a token may be".to_owned(), self.signed(&header, &long.to_string())));
        for length in [1, parts[0].len(), parts[0].len() + 1, parts[0].len() + parts[1].len() + 2, good.len() - 1] {
            made.push((format!("cut off after {length}"), good[..length].to_owned()));
        }
        made
    }

    pub(super) fn signatures(&self) -> Vec<(String, String)> {
        let (message, signature) = split(&self.good());
        let bytes = URL_SAFE_NO_PAD.decode(&signature).unwrap();
        let with = |bytes: &[u8]| format!("{message}.{}", URL_SAFE_NO_PAD.encode(bytes));
        let (r, s) = bytes.split_at(32);
        let mut promoted = self.claims.clone();
        promoted["roles"] = json!(["platform_admin", "customer"]);
        promoted["jti"] = json!("another");
        let (_, of_another) = split(&self.signed(&self.header.to_string(), &promoted.to_string()));
        let (changed, _) = split(&self.signed(&self.header.to_string(), &promoted.to_string()));
        // The point at infinity and zero: with a key of small order that would be a signature of everything.
        let identity = [&[1_u8], [0; 63].as_slice()].concat();
        let mut made = vec![
            ("of another token".to_owned(), format!("{message}.{of_another}")),
            ("on other claims".to_owned(), format!("{changed}.{signature}")),
            ("by another key".to_owned(), sign(&message, &self.strangers_key, Algorithm::EdDSA)),
            ("zeros".to_owned(), with(&[0; 64])),
            ("ones".to_owned(), with(&[0xff; 64])),
            ("the point at infinity".to_owned(), with(&identity)),
            ("halves swapped".to_owned(), with(&[s, r].concat())),
            ("in DER".to_owned(), with(&[&[0x30, 0x44, 2, 0x20], r, &[2, 0x20], s].concat())),
            ("one byte short".to_owned(), with(&bytes[..63])),
            ("one byte long".to_owned(), with(&[bytes.as_slice(), &[0]].concat())),
            ("twice".to_owned(), with(&[bytes.as_slice(), &bytes].concat())),
            ("its s with the order of the group added".to_owned(), with(&[r, &plus_order(s)].concat())),
        ];
        for (part, position) in [("header", 0), ("claims", 1), ("signature", 2)] {
            made.push((format!("a bit flipped in the {part}"), with_flipped_bit(&self.good(), position, 100)));
        }
        made
    }
}

/// Base64url of the same bytes with other bits where the last character has bits to spare.
fn with_trailing_bits(part: &str) -> Option<String> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let last = *part.as_bytes().last()?;
    let value = ALPHABET.iter().position(|byte| *byte == last)?;
    let has_spare_bits = !part.len().is_multiple_of(4);
    has_spare_bits.then(|| format!("{}{}", &part[..part.len() - 1], char::from(ALPHABET[value | 1])))
}

/// A number of 32 bytes, the lowest first, with the order of the group added (RFC 8032 section 5.1): for a verifier that
/// does not look at its size the same signature again.
fn plus_order(s: &[u8]) -> Vec<u8> {
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut carry = 0;
    let added = s.iter().zip(ORDER).map(|(left, right)| {
        let sum = u16::from(*left) + u16::from(right) + carry;
        carry = sum >> 8;
        sum.to_le_bytes()[0]
    });
    added.collect()
}
