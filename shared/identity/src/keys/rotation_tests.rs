use super::folder::Folder;
use super::rotate::{rotate, tidy};
use super::*;
use crate::caller::User;
use crate::tokens::{AccessTokens, ServiceTokens, TokenError, Verifier};
use chrono::{Duration, SubsecRound, Utc};
use std::fs;
use std::path::Path;
use subjects::Role;
use subjects::ids::{SessionId, UserId};
use subjects::time::Instant;
use tempfile::TempDir;

const TIMES: RotationTimes = RotationTimes { overlap: Duration::seconds(300), retirement: None };

/// A folder of sealed keys whose rotations begin whenever the test says.
struct Fixture {
    _dir: TempDir,
    folder: Folder,
    start: Instant,
}

fn fixture() -> Fixture {
    let dir = tempfile::tempdir().unwrap();
    let sealing = Sealing::new(KeyEncryptionKey::parse(&KeyEncryptionKey::generate()).unwrap(), None);
    KeyStore::create_sealed(dir.path(), sealing.clone(), &["auth", "booking"]).unwrap();
    let folder = Folder { dir: dir.path().to_path_buf(), sealing };
    Fixture { _dir: dir, folder, start: Utc::now().trunc_subsecs(0) }
}

impl Fixture {
    fn store(&self) -> KeyStore {
        KeyStore::open_sealed(&self.folder.dir, self.folder.sealing.clone()).unwrap()
    }

    /// The states of auth's keys for access tokens, oldest first.
    fn states(&self, now: Instant) -> Vec<KeyState> {
        let registry = self.store().registry();
        registry.keys_of("auth", Purpose::Access).map(|key| registry.state(key, now)).collect()
    }

    fn files(&self) -> Vec<String> {
        self.store().secrets().unwrap().into_iter().map(|(name, _)| name).collect()
    }
}

fn somebody() -> User {
    User { id: UserId::new(), session: SessionId::new(), roles: vec![Role::Customer] }
}

#[test]
fn a_key_is_known_then_used_then_accepted_then_forgotten() {
    let fixture = fixture();
    let start = fixture.start;
    let rotation = rotate(&fixture.folder, &Issuance::default(), &[], &TIMES, start).unwrap();
    let names: Vec<&str> = rotation.begun.iter().map(|key| key.name.as_str()).collect();
    let expected = [
        "auth.access",
        "auth.service",
        "booking.service",
        "edge.user",
        "edge.service",
        "operator.user",
        "nats/auth",
        "nats/booking",
        "nats/edge",
        "nats/operator",
        "nats/provision",
    ];
    assert_eq!(names.len(), expected.len(), "{names:?}");
    assert!(expected.iter().all(|name| names.contains(name)), "{names:?}");
    assert_eq!((rotation.under_way, rotation.forgotten), (Vec::new(), Vec::new()));

    // An access token lives for 15 minutes, and the one that was signed last is accepted to its end.
    use KeyState::{Active, Gone, Next, Retired};
    let switch = start + Duration::seconds(300);
    let end = switch + Duration::minutes(16);
    for (time, states) in [
        (start, [Active, Next]),
        (switch - Duration::seconds(1), [Active, Next]),
        (switch, [Retired, Active]),
        (end - Duration::seconds(1), [Retired, Active]),
        (end, [Gone, Active]),
    ] {
        assert_eq!(fixture.states(time), states, "{time}");
    }
    assert_eq!(jwks(&fixture.store().registry())["keys"].as_array().unwrap().len(), 2);

    assert_eq!(tidy(&fixture.folder, &Issuance::default(), start).unwrap(), Vec::<String>::new());
    assert!(fixture.files().contains(&"auth.access.next.pem".to_owned()));
    tidy(&fixture.folder, &Issuance::default(), switch).unwrap();
    assert!(!fixture.files().contains(&"auth.access.next.pem".to_owned()), "the private half of the old key is gone");
    assert_eq!(fixture.states(switch), [Retired, Active]);
    let forgotten = tidy(&fixture.folder, &Issuance::default(), end).unwrap();
    assert!(forgotten.iter().any(|name| name.starts_with("auth.access ")), "{forgotten:?}");
    assert_eq!(fixture.states(end), [Active]);
    assert_eq!(fixture.store().signing_key("auth", Purpose::Access).unwrap().kid(), rotation.begun[0].id);
}

#[test]
fn the_same_command_again_changes_nothing_until_a_rotation_is_over() {
    let fixture = fixture();
    let begun = rotate(&fixture.folder, &Issuance::default(), &[], &TIMES, fixture.start).unwrap().begun;
    let registry = fs::read_to_string(fixture.folder.dir.join("registry.json")).unwrap();
    for seconds in [0, 299] {
        let again =
            rotate(&fixture.folder, &Issuance::default(), &[], &TIMES, fixture.start + Duration::seconds(seconds))
                .unwrap();
        assert_eq!((again.begun, again.under_way.as_slice()), (Vec::new(), begun.as_slice()));
        assert_eq!(fs::read_to_string(fixture.folder.dir.join("registry.json")).unwrap(), registry);
    }
    let over = rotate(&fixture.folder, &Issuance::default(), &[], &TIMES, fixture.start + Duration::hours(1)).unwrap();
    assert_eq!((over.begun.len(), over.under_way.len()), (begun.len(), 0));
    assert_eq!(over.forgotten.len(), begun.len());
}

#[test]
fn shorter_times_bring_a_rotation_forward_and_longer_ones_do_not_put_it_off() {
    let fixture = fixture();
    let begun = rotate(&fixture.folder, &Issuance::default(), &["auth"], &TIMES, fixture.start).unwrap().begun;
    let later = fixture.start + Duration::seconds(10);
    let long = RotationTimes { overlap: Duration::days(1), retirement: Some(Duration::days(1)) };
    assert_eq!(rotate(&fixture.folder, &Issuance::default(), &["auth"], &long, later).unwrap().under_way, begun);
    let short = RotationTimes { overlap: Duration::seconds(20), retirement: Some(Duration::zero()) };
    let hurried = rotate(&fixture.folder, &Issuance::default(), &["auth"], &short, later).unwrap().under_way;
    let over = Some(fixture.start + Duration::seconds(30));
    assert_eq!(hurried.len(), 3);
    for (hurried, begun) in hurried.iter().zip(&begun) {
        assert_eq!((&hurried.name, &hurried.id), (&begun.name, &begun.id));
        assert_eq!((hurried.used_from, hurried.old_until), (over, over));
    }
    use KeyState::{Active, Gone, Next};
    assert_eq!(fixture.states(fixture.start + Duration::seconds(29)), [Active, Next]);
    assert_eq!(fixture.states(fixture.start + Duration::seconds(30)), [Gone, Active]);
}

#[test]
fn an_interrupted_rotation_goes_on_with_the_key_that_it_made() {
    let fixture = fixture();
    let before = ["registry.json", "nats/registry.json"].map(|name| fs::read(fixture.folder.dir.join(name)).unwrap());
    let first = rotate(&fixture.folder, &Issuance::default(), &["auth"], &TIMES, fixture.start).unwrap();
    // As if it had ended after the private keys were written, and before the registries were.
    for (name, content) in ["registry.json", "nats/registry.json"].iter().zip(before) {
        fs::write(fixture.folder.dir.join(name), content).unwrap();
    }
    let second = rotate(&fixture.folder, &Issuance::default(), &["auth"], &TIMES, fixture.start).unwrap();
    assert_eq!(second, first);
    assert_eq!(
        second.begun.iter().map(|key| key.name.as_str()).collect::<Vec<_>>(),
        ["auth.access", "auth.service", "nats/auth",]
    );
}

#[test]
fn a_neighbours_keys_change_only_by_name() {
    let fixture = fixture();
    let rotation = rotate(&fixture.folder, &Issuance::default(), &[NEIGHBOUR], &TIMES, fixture.start).unwrap();
    assert_eq!(
        rotation.begun.iter().map(|key| key.name.as_str()).collect::<Vec<_>>(),
        ["neighbour.user", "nats/neighbour",]
    );
}

#[test]
fn keys_that_were_put_side_by_side_by_hand_leave_in_the_end() {
    let fixture = fixture();
    fs::remove_file(fixture.folder.dir.join("auth.access.pem")).unwrap();
    KeyStore::create_sealed(&fixture.folder.dir, fixture.folder.sealing.clone(), &["auth"]).unwrap();
    assert_eq!(fixture.states(fixture.start), [KeyState::Retired, KeyState::Active]);
    let rotation = rotate(&fixture.folder, &Issuance::default(), &["auth"], &TIMES, fixture.start).unwrap();
    assert_eq!(rotation.under_way.len(), 1);
    assert_eq!(fixture.states(fixture.start + Duration::minutes(16)), [KeyState::Gone, KeyState::Active]);
}

#[test]
fn who_signs_and_who_verifies_follow_without_a_restart() {
    let fixture = fixture();
    let (signing, verifying) = (fixture.store(), fixture.store());
    let tokens = AccessTokens::new(signing.signer("auth", Purpose::Access).unwrap());
    let services = ServiceTokens::new(signing.signer("booking", Purpose::Service).unwrap());
    let (edge, auth) = (Verifier::following(&verifying, "edge"), Verifier::following(&verifying, "auth"));
    let user = somebody();
    let kid = |token: &str| jsonwebtoken::decode_header(token).unwrap().kid.unwrap();
    let old = tokens.issue(&user, Utc::now());
    let old_service = services.for_audience("auth");
    assert_eq!(edge.verify_access(&old), Ok(user.clone()));

    // A rotation that began a while ago, so that the new keys are in use already.
    let times = RotationTimes { overlap: Duration::seconds(60), retirement: Some(Duration::seconds(3600)) };
    rotate(&fixture.folder, &Issuance::default(), &[], &times, Utc::now() - Duration::seconds(120)).unwrap();
    assert_eq!(kid(&tokens.issue(&user, Utc::now())), kid(&old), "the signer has not looked yet");
    assert!(signing.refresh().unwrap() && !signing.refresh().unwrap());
    let (new, new_service) = (tokens.issue(&user, Utc::now()), services.for_audience("auth"));
    assert_ne!(kid(&new), kid(&old));
    assert_ne!(kid(&new_service), kid(&old_service), "one that was issued before is not given again");
    assert_eq!(edge.verify_access(&new), Err(TokenError::UnknownKey), "the verifier has not looked yet");
    assert!(verifying.refresh().unwrap());
    for token in [&old, &new] {
        assert_eq!(edge.verify_access(token), Ok(user.clone()));
    }
    for token in [&old_service, &new_service] {
        assert_eq!(auth.verify_service(token), Ok("booking".to_owned()));
    }
}

#[test]
fn a_token_of_a_key_that_has_left_is_refused_also_where_it_is_remembered() {
    let fixture = fixture();
    let store = fixture.store();
    let user = somebody();
    let old = AccessTokens::new(store.signing_key("auth", Purpose::Access).unwrap());
    let times = RotationTimes { overlap: Duration::seconds(60), retirement: Some(Duration::seconds(60)) };
    rotate(&fixture.folder, &Issuance::default(), &[], &times, fixture.start).unwrap();
    store.refresh().unwrap();
    let verifier = Verifier::following(&store, "edge");
    let (last, end) = (fixture.start + Duration::seconds(119), fixture.start + Duration::seconds(120));
    let token = old.issue(&user, fixture.start);
    assert_eq!(verifier.verify_user_of(Purpose::Access, &token, last), Ok(user));
    assert_eq!(verifier.verify_user_of(Purpose::Access, &token, end), Err(TokenError::UnknownKey));
    let another = old.issue(&somebody(), fixture.start);
    assert_eq!(verifier.verify_user_of(Purpose::Access, &another, end), Err(TokenError::UnknownKey));
}

#[test]
fn what_cannot_be_read_changes_nothing_and_is_tried_again() {
    let fixture = fixture();
    let store = fixture.store();
    let tokens = AccessTokens::new(store.signer("auth", Purpose::Access).unwrap());
    let kid = || jsonwebtoken::decode_header(tokens.issue(&somebody(), Utc::now())).unwrap().kid.unwrap();
    let before = kid();
    let path = fixture.folder.dir.join("registry.json");
    let good = fs::read(&path).unwrap();
    fs::write(&path, "{").unwrap();
    assert!(matches!(store.refresh(), Err(KeyError::Invalid { .. })));
    assert_eq!(kid(), before);
    fs::write(&path, good).unwrap();

    rotate(&fixture.folder, &Issuance::default(), &[], &TIMES, Utc::now() - Duration::seconds(400)).unwrap();
    let waiting = fixture.folder.dir.join("auth.access.next.pem");
    let sealed = fs::read(&waiting).unwrap();
    fs::write(&waiting, "spoilt").unwrap();
    assert!(store.refresh().is_err());
    assert!(store.refresh().is_err(), "it is said again");
    assert_eq!(kid(), before);
    fs::write(&waiting, sealed).unwrap();
    store.refresh().unwrap();
    assert_ne!(kid(), before);
}

#[test]
fn a_nats_identity_has_both_seeds_while_either_may_be_asked_for() {
    let fixture = fixture();
    let old = fixture.store().nats_public_keys()["booking"].clone();
    let times = RotationTimes { overlap: Duration::seconds(60), retirement: Some(Duration::seconds(60)) };
    let now = Utc::now();
    rotate(&fixture.folder, &Issuance::default(), &["booking"], &times, now - Duration::seconds(30)).unwrap();
    let store = fixture.store();
    let seeds: Vec<String> = store.nats_seeds("booking").unwrap().into_iter().map(|seed| seed.key).collect();
    let new = seeds[1].clone();
    assert_eq!((&seeds[0], &store.nats_public_keys()["booking"]), (&old, &old));
    assert_eq!(store.nats_registry().known("booking", now), [old.clone(), new.clone()]);

    // The same rotation, looked at later.
    let registry = fixture.store().nats_registry();
    assert_eq!(registry.active("booking", now + Duration::seconds(31)).unwrap().key, new);
    assert_eq!(registry.known("booking", now + Duration::seconds(31)), [old.clone(), new.clone()]);
    assert_eq!(registry.known("booking", now + Duration::seconds(91)), std::slice::from_ref(&new));
    tidy(&fixture.folder, &Issuance::default(), now + Duration::seconds(31)).unwrap();
    assert_eq!(fixture.store().nats_seeds("booking").unwrap().len(), 2, "a server may not know the new one yet");
    tidy(&fixture.folder, &Issuance::default(), now + Duration::seconds(91)).unwrap();
    let left: Vec<String> = fixture.store().nats_seeds("booking").unwrap().into_iter().map(|seed| seed.key).collect();
    assert_eq!(left, [new]);
    assert!(!Path::new(&fixture.folder.dir.join("nats/booking.next.nk")).exists());
}
