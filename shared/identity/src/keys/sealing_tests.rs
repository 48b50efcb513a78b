use super::*;
use secrecy::{ExposeSecret, SecretString};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use tempfile::TempDir;

const SERVICES: [&str; 2] = ["auth", "booking"];
/// A file of each kind.
const FILES: [&str; 5] =
    ["auth.access.pem", "booking.service.pem", "nats/booking.nk", "postgres/booking.password", "data/booking.key"];

fn key(text: &SecretString) -> KeyEncryptionKey {
    KeyEncryptionKey::parse(text).unwrap()
}

fn sealed_under(text: &SecretString) -> Sealing {
    Sealing::new(key(text), None)
}

fn folder(sealing: &Sealing) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    KeyStore::create_sealed(dir.path(), sealing.clone(), &SERVICES).unwrap();
    dir
}

fn read_everything(dir: &Path, sealing: &Sealing) -> Result<Vec<String>, KeyError> {
    let store = KeyStore::open_sealed(dir, sealing.clone())?;
    Ok(vec![
        store.signing_key("auth", Purpose::Access)?.kid().to_owned(),
        store.signing_key("booking", Purpose::Service)?.kid().to_owned(),
        store.nats_seed("booking")?.expose_secret().to_owned(),
        store.postgres_password("booking")?.expose_secret().to_owned(),
        format!("{:?}", store.data_key("booking")?.expose()),
        store.postgres_password(POSTGRES_ADMIN)?.expose_secret().to_owned(),
    ])
}

#[test]
fn every_secret_is_sealed_but_that_which_postgres_reads() {
    let text = KeyEncryptionKey::generate();
    let (sealing, id) = (sealed_under(&text), key(&text).id().to_owned());
    let dir = folder(&sealing);
    read_everything(dir.path(), &sealing).unwrap();
    let store = KeyStore::open_sealed(dir.path(), sealing.clone()).unwrap();
    let secrets = store.secrets().unwrap();
    assert!(secrets.iter().all(|(_, kept)| *kept == Kept::Sealed(id.clone())), "{secrets:?}");
    for file in FILES {
        assert!(secrets.iter().any(|(name, _)| name == file), "{file} is not in {secrets:?}");
        let path = dir.path().join(file);
        assert!(fs::read_to_string(&path).unwrap().starts_with(&format!("petpro-sealed:1:{id}:")));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let seed = store.nats_seed("booking").unwrap();
    assert!(!fs::read_to_string(dir.path().join("nats/booking.nk")).unwrap().contains(seed.expose_secret()));
    let admin = fs::read_to_string(dir.path().join("postgres/admin.password")).unwrap();
    assert_eq!(admin, store.postgres_password(POSTGRES_ADMIN).unwrap().expose_secret());
    // Nothing is made anew because it is sealed.
    assert!(KeyStore::create_sealed(dir.path(), sealing, &SERVICES).unwrap().is_empty());
}

#[test]
fn another_key_is_refused_and_both_are_named() {
    let text = KeyEncryptionKey::generate();
    let dir = folder(&sealed_under(&text));
    let other = KeyEncryptionKey::generate();
    let cases = [(sealed_under(&other), key(&other).id().to_owned()), (Sealing::none(), "none".to_owned())];
    for (wrong, given) in cases {
        let error = read_everything(dir.path(), &wrong).unwrap_err();
        let said = error.to_string();
        assert!(matches!(error, KeyError::OtherEncryptionKey { .. }), "{error:?}");
        assert!(said.contains(key(&text).id()) && said.contains(&given), "{said}");
        assert!(said.contains("PETPRO_KEYS__ENCRYPTION_KEY_FILE") && said.contains("petpro keys seal"), "{said}");
        let refused = KeyStore::create_sealed(dir.path(), wrong, &SERVICES).unwrap_err();
        assert!(matches!(refused, KeyError::OtherEncryptionKey { .. }), "{refused:?}");
    }
}

#[test]
fn a_file_that_was_changed_or_moved_does_not_open() {
    let sealing = sealed_under(&KeyEncryptionKey::generate());
    let dir = folder(&sealing);
    let store = KeyStore::open_sealed(dir.path(), sealing).unwrap();
    let (mine, others) = (dir.path().join("postgres/booking.password"), dir.path().join("postgres/auth.password"));
    let good = fs::read_to_string(&mine).unwrap();
    fs::copy(&others, &mine).unwrap();
    assert!(matches!(store.postgres_password("booking"), Err(KeyError::Invalid { .. })));
    let body_starts = good.rfind(':').unwrap() + 1;
    for place in body_starts..good.trim_end().len() {
        let mut spoilt = good.clone().into_bytes();
        spoilt[place] = if spoilt[place] == b'A' { b'B' } else { b'A' };
        fs::write(&mine, spoilt).unwrap();
        // The last letters of base64 have bits that mean nothing, and must be nought.
        assert!(matches!(store.postgres_password("booking"), Err(KeyError::Invalid { .. })), "{place}");
    }
    fs::write(&mine, good).unwrap();
    store.postgres_password("booking").unwrap();
}

#[test]
fn what_is_not_sealed_is_read_only_where_that_is_allowed() {
    let dir = folder(&Sealing::none());
    let before = read_everything(dir.path(), &Sealing::none()).unwrap();
    let text = KeyEncryptionKey::generate();
    for strict in [sealed_under(&text), Sealing::without_key()] {
        let error = read_everything(dir.path(), &strict).unwrap_err();
        assert!(
            matches!(error, KeyError::NotSealed { .. }) && error.to_string().contains("petpro keys seal"),
            "{error}"
        );
    }
    assert_eq!(read_everything(dir.path(), &sealed_under(&text).allowing_plain()).unwrap(), before);

    let sealed = KeyStore::seal(dir.path(), sealed_under(&text)).unwrap();
    for file in FILES {
        assert!(sealed.iter().any(|path| path == Path::new(file)), "{file} is not in {sealed:?}");
    }
    assert_eq!(read_everything(dir.path(), &sealed_under(&text)).unwrap(), before);
    assert!(KeyStore::seal(dir.path(), sealed_under(&text)).unwrap().is_empty());
}

#[test]
fn without_a_key_nothing_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let error = KeyStore::create_sealed(dir.path(), Sealing::without_key(), &SERVICES).unwrap_err();
    assert!(matches!(error, KeyError::NoEncryptionKey), "{error:?}");
    assert!(error.to_string().contains("new-encryption-key"), "{error}");
    assert!(matches!(KeyStore::seal(dir.path(), Sealing::none()), Err(KeyError::NoEncryptionKey)));
}

#[test]
fn the_key_encryption_key_is_changed_with_both_at_hand() {
    let (old, new) = (KeyEncryptionKey::generate(), KeyEncryptionKey::generate());
    let dir = folder(&sealed_under(&old));
    let before = read_everything(dir.path(), &sealed_under(&old)).unwrap();
    let both = Sealing::new(key(&new), Some(key(&old)));
    assert_eq!(read_everything(dir.path(), &both).unwrap(), before, "the old one still opens");
    let sealed = KeyStore::seal(dir.path(), both).unwrap();
    assert!(sealed.len() >= FILES.len(), "{sealed:?}");
    assert_eq!(read_everything(dir.path(), &sealed_under(&new)).unwrap(), before);
    assert!(read_everything(dir.path(), &sealed_under(&old)).is_err());
}

#[test]
fn only_what_was_generated_is_a_key() {
    let text = KeyEncryptionKey::generate();
    let spaced = SecretString::from(format!("{}\n", text.expose_secret()));
    assert_eq!(key(&spaced).id(), key(&text).id());
    for wrong in ["", "AAAA", "not base64url!", &"A".repeat(64)] {
        assert!(KeyEncryptionKey::parse(&SecretString::from(wrong)).is_none(), "{wrong}");
    }
    let shown = format!("{:?} {:?}", key(&text), sealed_under(&text));
    assert!(!shown.contains(text.expose_secret()) && shown.contains(key(&text).id()), "{shown}");

    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("encryption.key");
    let made = KeyEncryptionKey::read_or_create(&path).unwrap();
    assert_eq!(KeyEncryptionKey::read_or_create(&path).unwrap().id(), made.id());
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn what_is_handed_to_others_can_be_read_by_them() {
    let sealing = sealed_under(&KeyEncryptionKey::generate());
    let dir = folder(&sealing);
    let store = KeyStore::open_sealed(dir.path(), sealing).unwrap();
    let to = tempfile::tempdir().unwrap();
    let written = store.export(NEIGHBOUR, &to.path().join("neighbour")).unwrap();
    let text = |path: &Path| fs::read_to_string(path).unwrap();
    assert_eq!(written.len(), 5);
    let key = SigningKey::from_pkcs8_pem(NEIGHBOUR, Purpose::User, &text(&written[0])).unwrap();
    assert_eq!(key.kid(), store.signing_key(NEIGHBOUR, Purpose::User).unwrap().kid());
    assert_eq!(text(&written[1]), store.nats_seed(NEIGHBOUR).unwrap().expose_secret());
    let held = store.nats_certificates(NEIGHBOUR).unwrap().remove(0);
    let bundle = store.authorities().bundle();
    let certified = [held.certificate.as_str(), held.key.expose_secret(), bundle.as_str()];
    assert_eq!([2, 3, 4].map(|file: usize| text(&written[file])), certified);
    for path in written {
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
