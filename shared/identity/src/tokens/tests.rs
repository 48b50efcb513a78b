use super::*;
use crate::caller::User;
use crate::keys::{KeyStore, Purpose, SigningKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{Duration, SubsecRound, Utc};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use subjects::ids::{SessionId, UserId};
use subjects::time::Instant;
use subjects::{Fault, Role};

/// Real key files, and a verifier for what reaches the vendor service.
struct Fixture {
    _dir: tempfile::TempDir,
    store: KeyStore,
    verifier: Verifier,
    user: User,
    now: Instant,
}

fn fixture() -> Fixture {
    let dir = tempfile::tempdir().unwrap();
    KeyStore::create_missing(dir.path(), &["auth", "vendor", "booking"]).unwrap();
    let store = KeyStore::open(dir.path()).unwrap();
    let verifier = Verifier::new(&store.registry(), "vendor");
    let user = User { id: UserId::new(), session: SessionId::new(), roles: vec![Role::Customer] };
    Fixture { _dir: dir, store, verifier, user, now: Utc::now().trunc_subsecs(0) }
}

impl Fixture {
    fn key(&self, owner: &str, purpose: Purpose) -> SigningKey {
        self.store.signing_key(owner, purpose).unwrap()
    }

    /// The claims of a good user token from the edge.
    fn user_claims(&self) -> Value {
        json!({
            "iss": "edge",
            "aud": "mesh",
            "sub": self.user.id,
            "sid": self.user.session,
            "roles": ["customer"],
            "iat": self.now.timestamp(),
            "exp": self.now.timestamp() + 60,
        })
    }

    fn service_claims(&self) -> Value {
        json!({
            "iss": "booking",
            "aud": "vendor",
            "iat": self.now.timestamp(),
            "exp": self.now.timestamp() + 60,
        })
    }

    fn user_of(&self, token: &str) -> Result<User, TokenError> {
        self.verifier.verify_user_of(Purpose::User, token, self.now)
    }

    fn access_of(&self, token: &str) -> Result<User, TokenError> {
        self.verifier.verify_user_of(Purpose::Access, token, self.now)
    }

    fn service_of(&self, token: &str) -> Result<String, TokenError> {
        self.verifier.verify_service_at(token, self.now)
    }

    /// A user token signed by the edge, good but for what `change` does to its claims.
    fn changed_user_token(&self, change: impl FnOnce(&mut Value)) -> String {
        let mut claims = self.user_claims();
        change(&mut claims);
        self.key("edge", Purpose::User).sign_token("petpro-user+jwt", &claims)
    }

    /// The same header and claims as a good user token, with any header and signature.
    fn raw_user_token(&self, header: Value, signature: &[u8]) -> String {
        let encode = |part: &[u8]| URL_SAFE_NO_PAD.encode(part);
        let claims = self.user_claims().to_string();
        format!("{}.{}.{}", encode(header.to_string().as_bytes()), encode(claims.as_bytes()), encode(signature))
    }
}

#[test]
fn each_kind_of_token_is_accepted_where_it_belongs() {
    let fixture = fixture();
    let access = AccessTokens::new(fixture.key("auth", Purpose::Access)).issue(&fixture.user, fixture.now);
    assert_eq!(fixture.verifier.verify_access(&access), Ok(fixture.user.clone()));
    for owner in ["edge", "operator", "neighbour"] {
        let token = UserTokens::new(fixture.key(owner, Purpose::User)).issue(&fixture.user, fixture.now);
        assert_eq!(fixture.verifier.verify_user(&token), Ok((fixture.user.clone(), owner.to_owned())));
    }
    let token = ServiceTokens::new(fixture.key("booking", Purpose::Service)).for_audience("vendor");
    assert_eq!(fixture.verifier.verify_service(&token), Ok("booking".to_owned()));
}

#[test]
fn an_access_token_is_one_of_rfc_9068() {
    let fixture = fixture();
    let tokens = AccessTokens::new(fixture.key("auth", Purpose::Access));
    let token = tokens.issue(&fixture.user, fixture.now);
    let header = jsonwebtoken::decode_header(&token).unwrap();
    assert_eq!((header.typ.as_deref(), header.alg), (Some("at+jwt"), Algorithm::EdDSA));
    let claims: Value = jsonwebtoken::dangerous::insecure_decode_claims(&token).unwrap();
    assert_eq!(claims["iss"], "petpro");
    assert_eq!(claims["aud"], "edge");
    assert_eq!(claims["sub"], json!(fixture.user.id));
    assert_eq!(claims["sid"], json!(fixture.user.session));
    assert_eq!(claims["roles"], json!(["customer"]));
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 15 * 60);
    let second: Value =
        jsonwebtoken::dangerous::insecure_decode_claims(tokens.issue(&fixture.user, fixture.now)).unwrap();
    assert_ne!(claims["jti"], second["jti"]);
}

#[test]
fn no_kind_of_token_passes_for_another() {
    let fixture = fixture();
    let access = AccessTokens::new(fixture.key("auth", Purpose::Access)).issue(&fixture.user, fixture.now);
    let user = UserTokens::new(fixture.key("edge", Purpose::User)).issue(&fixture.user, fixture.now);
    let service = ServiceTokens::new(fixture.key("booking", Purpose::Service)).for_audience_at("vendor", fixture.now);
    // Twice, since the second time each is remembered as what it is.
    for _ in 0..2 {
        assert!(fixture.access_of(&access).is_ok());
        assert!(fixture.user_of(&user).is_ok());
        assert!(fixture.service_of(&service).is_ok());
        assert_eq!(fixture.user_of(&access), Err(TokenError::WrongType));
        assert_eq!(fixture.service_of(&access), Err(TokenError::WrongType));
        assert_eq!(fixture.access_of(&user), Err(TokenError::WrongType));
        assert_eq!(fixture.service_of(&user), Err(TokenError::WrongType));
        assert_eq!(fixture.access_of(&service), Err(TokenError::WrongType));
        assert_eq!(fixture.user_of(&service), Err(TokenError::WrongType));
    }
}

#[test]
fn alg_none_is_refused() {
    let fixture = fixture();
    let kid = fixture.key("edge", Purpose::User).kid().to_owned();
    for alg in ["none", "None", "NONE"] {
        let header = json!({ "typ": "petpro-user+jwt", "alg": alg, "kid": kid });
        assert_eq!(fixture.user_of(&fixture.raw_user_token(header, b"")), Err(TokenError::Malformed));
    }
    let header = json!({ "typ": "petpro-user+jwt", "alg": "EdDSA", "kid": kid });
    assert_eq!(fixture.user_of(&fixture.raw_user_token(header.clone(), b"")), Err(TokenError::Signature));
    assert_eq!(fixture.user_of(&fixture.raw_user_token(header.clone(), &[0; 63])), Err(TokenError::Signature));
    assert_eq!(fixture.user_of(&fixture.raw_user_token(header, &[0; 64])), Err(TokenError::Signature));
}

#[test]
fn the_public_key_is_no_shared_secret() {
    let fixture = fixture();
    let key = fixture.key("edge", Purpose::User);
    let x = key.public_key().x.clone();
    let secrets = [URL_SAFE_NO_PAD.decode(&x).unwrap(), x.into_bytes()];
    for (secret, algorithm) in secrets
        .iter()
        .flat_map(|secret| [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512].map(|algorithm| (secret, algorithm)))
    {
        let mut header = Header::new(algorithm);
        header.typ = Some("petpro-user+jwt".to_owned());
        header.kid = Some(key.kid().to_owned());
        let token = jsonwebtoken::encode(&header, &fixture.user_claims(), &EncodingKey::from_secret(secret)).unwrap();
        assert_eq!(fixture.user_of(&token), Err(TokenError::Algorithm));
    }
}

#[test]
fn another_key_is_refused_under_its_own_name_and_under_a_known_one() {
    let fixture = fixture();
    let stranger = SigningKey::generate("edge", Purpose::User);
    let token = UserTokens::new(stranger).issue(&fixture.user, fixture.now);
    assert_eq!(fixture.user_of(&token), Err(TokenError::UnknownKey));

    let good = fixture.changed_user_token(|_| {});
    let (_, signature) = token.rsplit_once('.').unwrap();
    let (signed_part, _) = good.rsplit_once('.').unwrap();
    assert_eq!(fixture.user_of(&format!("{signed_part}.{signature}")), Err(TokenError::Signature));

    let header = json!({ "typ": "petpro-user+jwt", "alg": "EdDSA" });
    assert_eq!(fixture.user_of(&fixture.raw_user_token(header, &[0; 64])), Err(TokenError::UnknownKey));
}

#[test]
fn a_key_in_the_header_is_not_believed() {
    let fixture = fixture();
    let kid = fixture.key("edge", Purpose::User).kid().to_owned();
    let x = SigningKey::generate("edge", Purpose::User).public_key().x.clone();
    for x in [x, "AA".to_owned()] {
        let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": x });
        let header = json!({ "typ": "petpro-user+jwt", "alg": "EdDSA", "kid": kid, "jwk": jwk });
        assert_eq!(fixture.user_of(&fixture.raw_user_token(header, &[0; 64])), Err(TokenError::Signature));
    }
}

#[test]
fn changed_claims_break_the_signature() {
    let fixture = fixture();
    let good = fixture.changed_user_token(|_| {});
    assert!(fixture.user_of(&good).is_ok());
    let promoted = fixture.changed_user_token(|claims| claims["roles"] = json!(["platform_admin"]));
    let parts: Vec<&str> = good.split('.').collect();
    let forged = format!("{}.{}.{}", parts[0], promoted.split('.').nth(1).unwrap(), parts[2]);
    assert_eq!(fixture.user_of(&forged), Err(TokenError::Signature));
}

#[test]
fn a_known_key_signs_only_what_it_is_for() {
    let fixture = fixture();
    // The vendor service says that some user asks.
    let token = fixture.key("vendor", Purpose::Service).sign_token("petpro-user+jwt", &fixture.user_claims());
    assert_eq!(fixture.user_of(&token), Err(TokenError::WrongPurpose));
    // The edge's key for users says that booking calls.
    let token = fixture.key("edge", Purpose::User).sign_token("petpro-service+jwt", &fixture.service_claims());
    assert_eq!(fixture.service_of(&token), Err(TokenError::WrongPurpose));
    // auth's service key signs an access token.
    let mut claims = fixture.user_claims();
    claims["iss"] = json!("petpro");
    claims["aud"] = json!("edge");
    let token = fixture.key("auth", Purpose::Service).sign_token("at+jwt", &claims);
    assert_eq!(fixture.access_of(&token), Err(TokenError::WrongPurpose));
    // A key of a purpose that its owner may not hold never comes into a registry, so here it is just unknown.
    let token = UserTokens::new(SigningKey::generate("booking", Purpose::User)).issue(&fixture.user, fixture.now);
    assert_eq!(fixture.user_of(&token), Err(TokenError::UnknownKey));
}

#[test]
fn the_issuer_is_the_owner_of_the_key() {
    let fixture = fixture();
    let token = fixture.key("vendor", Purpose::Service).sign_token("petpro-service+jwt", &fixture.service_claims());
    assert_eq!(fixture.service_of(&token), Err(TokenError::Issuer));
    let token = fixture.changed_user_token(|claims| claims["iss"] = json!("operator"));
    assert_eq!(fixture.user_of(&token), Err(TokenError::Issuer));
}

#[test]
fn a_token_for_another_audience_is_refused() {
    let fixture = fixture();
    let tokens = ServiceTokens::new(fixture.key("booking", Purpose::Service));
    assert_eq!(fixture.service_of(&tokens.for_audience_at("auth", fixture.now)), Err(TokenError::Audience));
    let token = fixture.changed_user_token(|claims| claims["aud"] = json!("edge"));
    assert_eq!(fixture.user_of(&token), Err(TokenError::Audience));
    let token = fixture.changed_user_token(|claims| claims["aud"] = json!(["mesh", "edge"]));
    assert_eq!(fixture.user_of(&token), Err(TokenError::Claims));
}

#[test]
fn a_token_is_valid_in_its_time_and_five_seconds_around_it() {
    let fixture = fixture();
    let token = fixture.changed_user_token(|_| {});
    let at = |seconds: i64| {
        // A fresh memory each time, and a second look that finds the token remembered.
        let verifier = Verifier::new(&fixture.store.registry(), "vendor");
        let moment = fixture.now + Duration::seconds(seconds);
        let first = verifier.verify_user_of(Purpose::User, &token, moment).map(|_| ());
        let second = verifier.verify_user_of(Purpose::User, &token, moment).map(|_| ());
        assert_eq!(first, second);
        first
    };
    assert_eq!(at(-6), Err(TokenError::NotYetValid));
    assert_eq!(at(-5), Ok(()));
    assert_eq!(at(0), Ok(()));
    assert_eq!(at(64), Ok(()));
    assert_eq!(at(65), Err(TokenError::Expired));

    let not_before = fixture.now.timestamp() + 6;
    let token = fixture.changed_user_token(|claims| claims["nbf"] = json!(not_before));
    assert_eq!(fixture.user_of(&token), Err(TokenError::NotYetValid));
    for extreme in [i64::MAX, i64::MIN] {
        for claim in ["iat", "exp"] {
            let token = fixture.changed_user_token(|claims| claims[claim] = json!(extreme));
            assert!(fixture.user_of(&token).is_err(), "{claim} {extreme}");
        }
    }
}

#[test]
fn no_token_lives_longer_than_its_kind_may() {
    let fixture = fixture();
    let issued = fixture.now.timestamp();
    let lives = |seconds: i64| fixture.changed_user_token(|claims| claims["exp"] = json!(issued + seconds));
    assert!(fixture.user_of(&lives(60)).is_ok());
    assert_eq!(fixture.user_of(&lives(61)), Err(TokenError::TooLongLived));
    let mut claims = fixture.service_claims();
    claims["exp"] = json!(issued + 61);
    let token = fixture.key("booking", Purpose::Service).sign_token("petpro-service+jwt", &claims);
    assert_eq!(fixture.service_of(&token), Err(TokenError::TooLongLived));
    let mut claims = fixture.user_claims();
    claims["iss"] = json!("petpro");
    claims["aud"] = json!("edge");
    for (seconds, expected) in [(15 * 60, Ok(())), (15 * 60 + 1, Err(TokenError::TooLongLived))] {
        claims["exp"] = json!(issued + seconds);
        let token = fixture.key("auth", Purpose::Access).sign_token("at+jwt", &claims);
        assert_eq!(fixture.access_of(&token).map(|_| ()), expected);
    }
}

#[test]
fn a_remembered_token_expires_all_the_same() {
    let fixture = fixture();
    let token = fixture.changed_user_token(|_| {});
    assert!(fixture.user_of(&token).is_ok());
    let later = fixture.now + Duration::seconds(65);
    assert_eq!(fixture.verifier.verify_user_of(Purpose::User, &token, later), Err(TokenError::Expired));
    let tokens = ServiceTokens::new(fixture.key("booking", Purpose::Service));
    let token = tokens.for_audience_at("vendor", fixture.now);
    assert!(fixture.service_of(&token).is_ok());
    assert_eq!(fixture.verifier.verify_service_at(&token, later), Err(TokenError::Expired));
}

#[test]
fn missing_claims_are_refused() {
    let fixture = fixture();
    for claim in ["iss", "aud", "iat", "exp", "sub", "sid"] {
        let token = fixture.changed_user_token(|claims| {
            claims.as_object_mut().unwrap().remove(claim);
        });
        assert_eq!(fixture.user_of(&token), Err(TokenError::Claims), "{claim}");
    }
    for claim in ["iss", "aud", "iat", "exp", "sub", "sid", "roles"] {
        let token = fixture.changed_user_token(|claims| claims[claim] = json!({ "not": "this" }));
        assert_eq!(fixture.user_of(&token), Err(TokenError::Claims), "{claim}");
    }
}

#[test]
fn unknown_roles_give_nothing_and_take_nothing() {
    let fixture = fixture();
    let token = fixture.changed_user_token(|claims| claims["roles"] = json!(["The Emperor", "support", "customer"]));
    let user = fixture.user_of(&token).unwrap();
    // What a role allows that was made is looked up; a name that none can have is passed over.
    assert_eq!(user.roles, [Role::parse("support").unwrap(), Role::Customer]);
    assert!(!crate::Caller::of_user(user).is_permitted());
}

#[test]
fn a_critical_extension_is_refused() {
    let fixture = fixture();
    let kid = fixture.key("edge", Purpose::User).kid().to_owned();
    let header = json!({ "typ": "petpro-user+jwt", "alg": "EdDSA", "kid": kid, "crit": ["x"], "x": 1 });
    assert_eq!(fixture.user_of(&fixture.raw_user_token(header, &[0; 64])), Err(TokenError::Malformed));
}

#[test]
fn garbage_and_huge_tokens_are_refused() {
    let fixture = fixture();
    let good = fixture.changed_user_token(|_| {});
    let mut garbage: Vec<String> =
        ["", ".", "..", "...", "a.b.c", "{}", "Bearer x", "\0\0.\0.\0", "ü.ü.ü", "e30.e30.e30", "bnVsbA.bnVsbA.bnVsbA"]
            .map(str::to_owned)
            .to_vec();
    garbage.extend([format!("{good}."), format!(".{good}"), format!("{good} "), format!("{good}=")]);
    // Every beginning of a good token.
    garbage.extend((0..good.len()).map(|length| good[..length].to_owned()));
    for token in garbage {
        assert!(fixture.user_of(&token).is_err(), "{token}");
        assert!(fixture.access_of(&token).is_err(), "{token}");
        assert!(fixture.service_of(&token).is_err(), "{token}");
    }
    let huge = fixture.changed_user_token(|claims| claims["padding"] = json!("x".repeat(1 << 20)));
    assert_eq!(fixture.user_of(&huge), Err(TokenError::TooLong));
    let nested = URL_SAFE_NO_PAD.encode("[".repeat(2_500));
    assert_eq!(fixture.user_of(&format!("{nested}.e30.AA")), Err(TokenError::Malformed));
}

#[test]
fn a_service_token_is_given_again_until_shortly_before_its_expiry() {
    let fixture = fixture();
    let tokens = ServiceTokens::new(fixture.key("booking", Purpose::Service));
    let first = tokens.for_audience_at("vendor", fixture.now);
    let after = |seconds| fixture.now + Duration::seconds(seconds);
    assert_eq!(tokens.for_audience_at("vendor", after(44)), first);
    assert_ne!(tokens.for_audience_at("auth", after(44)), first);
    let second = tokens.clone().for_audience_at("vendor", after(45));
    assert_ne!(second, first);
    assert_eq!(tokens.for_audience_at("vendor", after(46)), second);
    assert!(!format!("{tokens:?}").contains(&second));
}

#[test]
fn refusals_tell_the_caller_only_whether_the_token_has_expired() {
    let expired = Fault::from(TokenError::Expired);
    assert_eq!((expired.code.status(), expired.reason.as_ref()), (401, "token_expired"));
    let others = [TokenError::Signature, TokenError::UnknownKey, TokenError::Audience, TokenError::TooLong];
    let faults = others.map(Fault::from);
    assert!(faults.iter().all(|fault| *fault == faults[0] && fault.reason == "invalid_token"));
}

#[test]
fn a_neighbour_speaks_for_customers_only() {
    let fixture = fixture();
    let user = User { roles: vec![Role::PlatformAdmin, Role::Customer], ..fixture.user.clone() };
    let roles_by = |owner: &str| {
        let token = UserTokens::new(fixture.key(owner, Purpose::User)).issue(&user, fixture.now);
        fixture.user_of(&token).unwrap().roles
    };
    assert_eq!(roles_by("edge"), [Role::PlatformAdmin, Role::Customer]);
    assert_eq!(roles_by("neighbour"), [Role::Customer]);
}
