use crate::keys::folder::Folder;
use crate::keys::rotate::{rotate, tidy};
use crate::keys::{
    AUTHORITY, Issuance, Kept, KeyEncryptionKey, KeyError, KeyState, KeyStore, NATS_SERVER, RotationTimes, Sealing,
};
use chrono::{Duration, SubsecRound, Utc};
use secrecy::ExposeSecret;
use std::fs;
use subjects::time::Instant;
use tempfile::TempDir;

const SERVICES: [&str; 2] = ["auth", "booking"];
const TIMES: RotationTimes =
    RotationTimes { overlap: Duration::seconds(300), retirement: Some(Duration::seconds(600)) };

struct Fixture {
    _dir: TempDir,
    folder: Folder,
    start: Instant,
}

fn fixture() -> Fixture {
    let dir = tempfile::tempdir().unwrap();
    let sealing = Sealing::new(KeyEncryptionKey::parse(&KeyEncryptionKey::generate()).unwrap(), None);
    KeyStore::create_sealed(dir.path(), sealing.clone(), &SERVICES).unwrap();
    let folder = Folder { dir: dir.path().to_path_buf(), sealing };
    Fixture { _dir: dir, folder, start: Utc::now().trunc_subsecs(0) }
}

impl Fixture {
    fn store(&self) -> KeyStore {
        KeyStore::open_sealed(&self.folder.dir, self.folder.sealing.clone()).unwrap()
    }

    fn make(&self, issuance: &Issuance) -> Vec<String> {
        let made = KeyStore::create_issuing(&self.folder.dir, self.folder.sealing.clone(), issuance, &SERVICES);
        made.unwrap().secrets.iter().map(|path| path.display().to_string()).collect()
    }

    fn rotate(&self, owners: &[&str], now: Instant) -> crate::keys::Rotation {
        rotate(&self.folder, &Issuance::default(), owners, &TIMES, now).unwrap()
    }

    fn tidy(&self, now: Instant) -> Vec<String> {
        tidy(&self.folder, &Issuance::default(), now).unwrap()
    }

    fn server(&self) -> String {
        fs::read_to_string(self.folder.dir.join("nats-server/server.pem")).unwrap()
    }

    /// The ids of the authorities that everybody trusts, and their states.
    fn authorities(&self, now: Instant) -> Vec<(String, KeyState)> {
        let authorities = self.store().authorities();
        authorities.all().iter().map(|one| (one.id.clone(), authorities.state(one, now))).collect()
    }
}

#[test]
fn private_keys_are_sealed_and_only_what_nats_server_reads_lies_open() {
    let fixture = fixture();
    let store = fixture.store();
    let secrets = store.secrets().unwrap();
    let of_tls: Vec<_> = secrets.iter().filter(|(name, _)| name.starts_with("tls/")).collect();
    assert_eq!(of_tls.len(), 1 + 6, "an authority, two services, edge, operator, provision and neighbour: {of_tls:?}");
    assert!(of_tls.iter().all(|(_, kept)| matches!(kept, Kept::Sealed(_))), "{of_tls:?}");
    let held = &store.nats_certificates("booking").unwrap()[0];
    assert!(held.key.expose_secret().contains("PRIVATE KEY") && !format!("{held:?}").contains("PRIVATE"));
    assert!(fixture.server().contains("PRIVATE KEY"));
    let year = held.validity.ends_at - fixture.start;
    assert!((Duration::days(364)..=Duration::days(366)).contains(&year), "{year}");
    let authority = store.authorities().all()[0].validity().unwrap();
    assert!(authority.ends_at - fixture.start > Duration::days(3649));
    assert!(matches!(store.nats_certificates("nobody"), Err(KeyError::Missing { .. })));
}

#[test]
fn what_is_near_its_end_or_lacks_a_name_is_made_anew_and_nothing_else() {
    let fixture = fixture();
    assert_eq!(fixture.make(&Issuance::default()), Vec::<String>::new());
    let named = Issuance { server_names: vec!["nats-2".to_owned(), "10.0.0.7".to_owned()], ..Issuance::default() };
    assert_eq!(fixture.make(&named), ["nats-server/server.pem"]);
    assert_eq!(fixture.make(&named), Vec::<String>::new());
    rotate(&fixture.folder, &Issuance::default(), &[NATS_SERVER], &TIMES, fixture.start).unwrap();
    assert_eq!(fixture.make(&named), Vec::<String>::new(), "it keeps its names");

    let short = Issuance { lifetime: Duration::minutes(1), ..Issuance::default() };
    rotate(&fixture.folder, &short, &["booking", NATS_SERVER], &TIMES, fixture.start).unwrap();
    assert!(fixture.store().nats_certificates("booking").unwrap()[0].validity.is_near_end(fixture.start));
    let id = fixture.store().authorities().all()[0].id.clone();
    assert_eq!(
        fixture.make(&Issuance::default()),
        [format!("tls/booking.{id}.pem"), "nats-server/server.pem".to_owned()]
    );
}

#[test]
fn certificates_are_renewed_at_once_and_a_neighbours_only_by_name() {
    let fixture = fixture();
    let certificate = |identity: &str| fixture.store().nats_certificates(identity).unwrap().remove(0).certificate;
    let before = ["booking", "neighbour"].map(certificate);
    let server = fixture.server();
    let renewed = fixture.rotate(&[], fixture.start).renewed;
    let names: Vec<&str> = renewed.iter().map(|renewed| renewed.name.as_str()).collect();
    assert_eq!(names, ["tls/auth", "tls/booking", "tls/edge", "tls/operator", "tls/provision", "nats-server"]);
    assert_ne!(certificate("booking"), before[0]);
    assert_eq!(certificate("neighbour"), before[1]);
    assert_ne!(fixture.server(), server);
    assert_eq!(fixture.authorities(fixture.start).len(), 1, "the authority stays");
    assert_eq!(fixture.rotate(&["neighbour"], fixture.start).renewed.len(), 1);
    assert_ne!(certificate("neighbour"), before[1]);
}

#[test]
fn an_authority_is_trusted_then_used_and_the_old_one_forgotten_long_after() {
    use KeyState::{Active, Next, Retired};
    let fixture = fixture();
    let start = fixture.start;
    let old = fixture.authorities(start).remove(0).0;
    let begun = fixture.rotate(&[AUTHORITY], start).begun;
    let new = begun[0].id.clone();
    let server = fixture.server();
    assert_eq!(fixture.authorities(start), [(old.clone(), Active), (new.clone(), Next)]);
    let held = fixture.store().nats_certificates("booking").unwrap();
    assert_eq!(held.len(), 2, "everybody has a certificate of both");
    assert_ne!(held[0].issuer, held[1].issuer);
    let bundle = fs::read_to_string(fixture.folder.dir.join("nats-server/authorities.pem")).unwrap();
    assert_eq!(bundle.matches("BEGIN CERTIFICATE").count(), 2);
    assert_eq!(fixture.rotate(&[AUTHORITY], start).under_way, begun, "the same again changes nothing");

    fixture.tidy(start + Duration::seconds(299));
    assert_eq!(fixture.server(), server);
    // The command that should have followed was forgotten for a day: everything waits for it.
    let late = start + Duration::days(1);
    assert_eq!(fixture.authorities(late), [(old.clone(), Retired), (new.clone(), Active)]);
    assert_eq!(fixture.tidy(late), Vec::<String>::new());
    assert_ne!(fixture.server(), server, "the server has a certificate of the new authority");
    assert_eq!(fixture.tidy(late + Duration::seconds(599)), Vec::<String>::new());
    assert_eq!(fixture.authorities(late).len(), 2, "nats-server may not have been reloaded yet");
    assert_eq!(fixture.tidy(late + Duration::seconds(600)), [format!("tls/authority {old}")]);
    assert_eq!(fixture.authorities(late), [(new.clone(), Active)]);
    let left: Vec<String> = fixture.store().secrets().unwrap().into_iter().map(|(name, _)| name).collect();
    assert!(!left.iter().any(|name| name.contains(&old)), "{left:?}");
    assert_eq!(fixture.store().nats_certificates("booking").unwrap().len(), 1);
}

#[test]
fn an_interrupted_change_of_authority_goes_on_with_the_one_that_it_made() {
    let fixture = fixture();
    let registry = fixture.folder.dir.join("tls/registry.json");
    let before = fs::read(&registry).unwrap();
    let first = fixture.rotate(&[AUTHORITY], fixture.start).begun;
    fs::write(&registry, before).unwrap();
    assert_eq!(fixture.rotate(&[AUTHORITY], fixture.start).begun, first);
}

#[test]
fn a_lost_registry_of_authorities_is_made_again() {
    let fixture = fixture();
    let before = fixture.store().authorities();
    fs::remove_file(fixture.folder.dir.join("tls/registry.json")).unwrap();
    assert_eq!(fixture.make(&Issuance::default()), Vec::<String>::new());
    assert_eq!(fixture.store().authorities(), before);
}
