use super::*;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::ExposeSecret;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const SERVICES: [&str; 3] = ["auth", "vendor", "booking"];

fn made() -> (TempDir, KeysMade) {
    let dir = tempfile::tempdir().unwrap();
    let made = KeyStore::create_missing(dir.path(), &SERVICES).unwrap();
    (dir, made)
}

fn files_below(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else {
            files.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    files
}

#[test]
fn everything_is_made_once_and_then_left_alone() {
    let (dir, first) = made();
    // Signing keys: three services, edge, access, and three for users; seven NATS seeds; an
    // authority, seven certificates and the server's; four passwords; three data keys.
    assert_eq!(first.secrets.len(), 8 + 7 + 9 + 4 + 3, "{first:?}");
    assert_eq!(
        first.registries,
        ["registry.json", "nats/registry.json", "tls/registry.json", "nats-server/authorities.pem"].map(PathBuf::from)
    );

    let before = files_below(dir.path());
    let second = KeyStore::create_missing(dir.path(), &SERVICES).unwrap();
    assert!(second.is_empty(), "{second:?}");
    assert_eq!(files_below(dir.path()), before);

    let third = KeyStore::create_missing(dir.path(), &["auth", "vendor", "booking", "edge", "catalog"]).unwrap();
    let id = KeyStore::open(dir.path()).unwrap().authorities().all()[0].id.clone();
    let certificate = format!("tls/catalog.{id}.pem");
    let expected =
        ["catalog.service.pem", "nats/catalog.nk", &certificate, "postgres/catalog.password", "data/catalog.key"]
            .map(PathBuf::from);
    assert_eq!(third.secrets, expected);
    assert_eq!(third.registries.len(), 2);
}

#[test]
fn only_the_owner_can_read() {
    let (dir, _) = made();
    for folder in ["", "nats", "tls", "nats-server", "postgres", "data"].map(|name| dir.path().join(name)) {
        assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700, "{}", folder.display());
    }
    for file in files_below(dir.path()).keys() {
        assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600, "{}", file.display());
        assert_ne!(file.extension().unwrap_or_default(), "new", "a temporary file was left");
    }
}

#[test]
fn a_folder_of_other_things_keeps_its_mode() {
    let parent = tempfile::tempdir().unwrap();
    let mode_after = |name: &str, content: Option<&str>| {
        let dir = parent.path().join(name);
        fs::create_dir(&dir).unwrap();
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o755)).unwrap();
        if let Some(content) = content {
            fs::write(dir.join(content), "").unwrap();
        }
        KeyStore::create_missing(&dir, &SERVICES).unwrap();
        fs::metadata(&dir).unwrap().permissions().mode() & 0o777
    };
    assert_eq!(mode_after("empty", None), 0o700);
    assert_eq!(mode_after("used", Some("notes.txt")), 0o755);
}

#[test]
fn what_was_made_can_be_used() {
    let (dir, _) = made();
    let store = KeyStore::open(dir.path()).unwrap();
    let expected = [
        ("auth", Purpose::Access),
        ("auth", Purpose::Service),
        ("booking", Purpose::Service),
        ("edge", Purpose::Service),
        ("edge", Purpose::User),
        ("neighbour", Purpose::User),
        ("operator", Purpose::User),
        ("vendor", Purpose::Service),
    ];
    assert_eq!(store.registry().keys().len(), expected.len());
    for (owner, purpose) in expected {
        let key = store.signing_key(owner, purpose).unwrap();
        assert_eq!(store.registry().find(key.kid()), Some(key.public_key()));
        assert_eq!((key.owner(), key.purpose()), (owner, purpose));
    }
    let identities: Vec<String> = store.nats_public_keys().into_keys().collect();
    assert_eq!(identities, ["auth", "booking", "edge", "neighbour", "operator", "provision", "vendor"]);
    for (identity, public_key) in store.nats_public_keys() {
        let seed = store.nats_seed(&identity).unwrap();
        let pair = nkeys::KeyPair::from_seed(seed.expose_secret()).unwrap();
        assert_eq!(pair.public_key(), public_key);
        assert!(public_key.starts_with('U'));
    }
    let mut passwords = Vec::new();
    for role in ["auth", "vendor", "booking", POSTGRES_ADMIN] {
        passwords.push(store.postgres_password(role).unwrap().expose_secret().to_owned());
    }
    assert!(passwords.iter().all(|password| password.len() == 43));
    passwords.sort();
    passwords.dedup();
    assert_eq!(passwords.len(), 4);
}

#[test]
fn a_service_needs_no_secret_but_its_own() {
    let (dir, _) = made();
    for path in files_below(dir.path()).into_keys() {
        let name = path.file_name().unwrap().to_str().unwrap();
        if name != "registry.json" && !name.starts_with("booking.") {
            fs::remove_file(&path).unwrap();
        }
    }
    let store = KeyStore::open(dir.path()).unwrap();
    store.signing_key("booking", Purpose::Service).unwrap();
    store.nats_seed("booking").unwrap();
    store.postgres_password("booking").unwrap();

    let error = store.signing_key("edge", Purpose::User).unwrap_err();
    assert!(matches!(error, KeyError::Missing { .. }));
    assert!(error.to_string().contains("run `petpro keys`"), "{error}");
}

#[test]
fn a_lost_registry_is_made_again_from_the_private_keys() {
    let (dir, _) = made();
    let before = KeyStore::open(dir.path()).unwrap();
    fs::remove_file(dir.path().join("registry.json")).unwrap();
    fs::remove_file(dir.path().join("nats/registry.json")).unwrap();
    assert!(matches!(KeyStore::open(dir.path()), Err(KeyError::Missing { .. })));

    let made = KeyStore::create_missing(dir.path(), &SERVICES).unwrap();
    assert!(made.secrets.is_empty());
    let after = KeyStore::open(dir.path()).unwrap();
    assert_eq!(after.registry(), before.registry());
    assert_eq!(after.nats_public_keys(), before.nats_public_keys());
}

#[test]
fn a_replaced_key_leaves_the_old_public_key_in_the_registry() {
    let (dir, _) = made();
    let old = KeyStore::open(dir.path()).unwrap().signing_key("auth", Purpose::Access).unwrap();
    fs::remove_file(dir.path().join("auth.access.pem")).unwrap();
    KeyStore::create_missing(dir.path(), &SERVICES).unwrap();
    let store = KeyStore::open(dir.path()).unwrap();
    let new = store.signing_key("auth", Purpose::Access).unwrap();
    assert_ne!(new.kid(), old.kid());
    let published = jwks(&store.registry());
    let kids: Vec<&str> =
        published["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap()).collect();
    assert_eq!(kids, [old.kid(), new.kid()]);
    assert_eq!(published["keys"][0]["kty"], "OKP");
    assert_eq!(published["keys"][0]["x"], old.public_key().x.as_str());
}

#[test]
fn a_key_that_is_not_in_the_registry_is_not_used() {
    let (dir, _) = made();
    let stranger = SigningKey::generate("booking", Purpose::Service).to_pkcs8_pem().unwrap();
    fs::write(dir.path().join("booking.service.pem"), stranger.expose_secret()).unwrap();
    let store = KeyStore::open(dir.path()).unwrap();
    let error = store.signing_key("booking", Purpose::Service).unwrap_err();
    assert!(matches!(error, KeyError::NotInRegistry { .. }), "{error:?}");
}

#[test]
fn damaged_files_are_named_and_not_overwritten() {
    for file in ["registry.json", "nats/registry.json", "auth.access.pem", "nats/booking.nk"] {
        let (dir, _) = made();
        fs::write(dir.path().join(file), "not what it was").unwrap();
        let error = KeyStore::create_missing(dir.path(), &SERVICES).unwrap_err();
        assert!(matches!(&error, KeyError::Invalid { path, .. } if path.ends_with(file)), "{error:?}");
        assert!(error.to_string().contains("petpro keys"));
        assert_eq!(fs::read_to_string(dir.path().join(file)).unwrap(), "not what it was");
    }
}

#[test]
fn names_cannot_lead_out_of_the_folder() {
    let (dir, _) = made();
    let store = KeyStore::open(dir.path()).unwrap();
    for name in ["", "../secret", "a/b", "Booking", "-a", ".lock", &"a".repeat(64)] {
        assert!(matches!(store.nats_seed(name), Err(KeyError::BadName { .. })), "{name}");
        assert!(matches!(store.postgres_password(name), Err(KeyError::BadName { .. })), "{name}");
        assert!(matches!(store.signing_key(name, Purpose::Service), Err(KeyError::BadName { .. })), "{name}");
        assert!(matches!(KeyStore::create_missing(dir.path(), &[name]), Err(KeyError::BadName { .. })), "{name}");
    }
}

#[test]
fn many_at_once_make_one_set() {
    let dir = tempfile::tempdir().unwrap();
    let made: Vec<KeysMade> = std::thread::scope(|scope| {
        let makers: Vec<_> =
            (0..4).map(|_| scope.spawn(|| KeyStore::create_missing(dir.path(), &SERVICES).unwrap())).collect();
        makers.into_iter().map(|maker| maker.join().unwrap()).collect()
    });
    assert_eq!(made.iter().filter(|made| !made.is_empty()).count(), 1);
    let store = KeyStore::open(dir.path()).unwrap();
    store.signing_key("auth", Purpose::Access).unwrap();
}

#[test]
fn debug_output_shows_no_secret() {
    let (dir, made) = made();
    let store = KeyStore::open(dir.path()).unwrap();
    let key = store.signing_key("edge", Purpose::User).unwrap();
    let seed = store.nats_seed("edge").unwrap();
    let password = store.postgres_password("auth").unwrap();
    let shown = format!("{made:?} {store:?} {key:?} {seed:?} {password:?}");
    assert!(!shown.contains(seed.expose_secret()));
    assert!(!shown.contains(password.expose_secret()));
    let pem = fs::read_to_string(dir.path().join("edge.user.pem")).unwrap();
    let secret_line = pem.lines().nth(1).unwrap();
    assert!(!shown.contains(secret_line));
    assert!(shown.contains("[REDACTED]"));
}

/// What is wrong with a registry that holds this one key.
fn refusal(key: &PublicKey) -> String {
    Registry::from_json(&serde_json::json!({ "keys": [key] }).to_string()).unwrap_err()
}

#[test]
fn only_sound_public_keys_come_into_the_registry() {
    let good = SigningKey::generate("edge", Purpose::User).public_key().clone();
    let bytes = URL_SAFE_NO_PAD.decode(&good.x).unwrap();
    for length in [0, 1, 31, 33, 64] {
        let x = URL_SAFE_NO_PAD.encode(bytes.iter().copied().cycle().take(length).collect::<Vec<u8>>());
        let wanted = format!("has {length} bytes instead of 32");
        assert!(refusal(&PublicKey { x, ..good.clone() }).contains(&wanted));
    }
    assert!(refusal(&PublicKey { x: "?".repeat(43), ..good.clone() }).contains("base64url"));
    let weak = URL_SAFE_NO_PAD.encode([0; 32]);
    assert!(refusal(&PublicKey { x: weak, ..good.clone() }).contains("weak"));
    assert!(refusal(&PublicKey { kid: "chosen".to_owned(), ..good.clone() }).contains("thumbprint"));
    for (owner, purpose) in [
        ("booking", Purpose::User),
        ("edge", Purpose::Access),
        ("operator", Purpose::Service),
        ("neighbour", Purpose::Service),
    ] {
        let key = PublicKey { owner: owner.to_owned(), purpose, ..good.clone() };
        assert!(refusal(&key).contains("may not sign"), "{owner}");
    }
    assert!(Registry::from_json(&serde_json::json!({ "keys": [good, good] }).to_string()).is_err());
    assert!(Registry::from_json("{}").is_err());
}

#[test]
fn the_kid_is_the_thumbprint_of_rfc_8037() {
    // RFC 8037, appendix A.2 and A.3.
    let bytes = URL_SAFE_NO_PAD.decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo").unwrap();
    let key = ed25519_dalek::VerifyingKey::from_bytes(&bytes.try_into().unwrap()).unwrap();
    assert_eq!(PublicKey::new("edge", Purpose::User, &key).kid, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

#[test]
fn a_data_key_is_read_whole_or_not_at_all() {
    let (dir, _) = made();
    let store = KeyStore::open(dir.path()).unwrap();
    let booking = store.data_key("booking").unwrap();
    assert_ne!(booking.expose(), store.data_key("vendor").unwrap().expose());
    assert_eq!(booking.expose(), store.data_key("booking").unwrap().expose());
    assert_eq!(format!("{booking:?}"), "DataKey");
    for bad in ["AAAA", "not base64url!", &"A".repeat(64)] {
        fs::write(dir.path().join("data/booking.key"), bad).unwrap();
        assert!(matches!(store.data_key("booking"), Err(KeyError::Invalid { .. })), "{bad}");
    }
}
