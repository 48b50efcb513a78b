//! Certificates, and the authority behind them, are renewed while requests are answered.

use crate::resending::ask;
use crate::world::{World, auth_declaration, edge_declaration};
use chrono::Duration as Span;
use identity::keys::{AUTHORITY, KeyStore, NATS_SERVER, RotationTimes};
use platform::Declaration;
use platform::permissions::{permissions, render};
use platform::setup::Setup;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(20);
const TIMES: RotationTimes = RotationTimes { overlap: Span::seconds(1), retirement: Some(Span::zero()) };

fn accounts(declarations: &[Declaration], keys: &KeyStore) -> String {
    render(&permissions(declarations), |identity| keys.nats_public_keys()[identity].clone())
}

/// As `petpro keys` does it with certificates that are near their end; nkeys stay as they are.
fn renew_leaves(keys: &KeyStore) {
    let id = keys.authorities().all()[0].id.clone();
    for identity in ["edge", "auth"] {
        std::fs::remove_file(keys.dir().join(format!("tls/{identity}.{id}.pem"))).unwrap();
    }
    let made = KeyStore::create_missing(keys.dir(), &["auth"]).unwrap();
    assert_eq!(made.secrets.len(), 2, "{made:?}");
}

/// Asks as the edge does without end, and counts. At a reload nats-server forgets who may be answered, so an answer that is
/// on its way then is lost, and asked for again.
async fn ask_on(edge: &Setup, answered: &AtomicUsize) -> ! {
    let client = edge.client.resending();
    loop {
        ask(&client, "auth.jwks", None, LONG).await.unwrap();
        answered.fetch_add(1, Ordering::Relaxed);
    }
}

async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(LONG, waiting).await.expect(what);
}

#[tokio::test]
async fn no_request_fails_while_certificates_and_their_authority_are_renewed() {
    let declarations = [auth_declaration(), edge_declaration()];
    let world = World::of(&declarations, "refresh_ms = 50").await;
    let keys = world.key_store();
    let (_auth, _instance) = world.run_auth().await;
    let edge = world.edge().await;
    let (edge_keys, answered) = (edge.keys.clone(), AtomicUsize::new(0));
    let accounts = accounts(&declarations, &keys);
    let old = keys.authorities().all()[0].id.clone();
    let certificate = |keys: &KeyStore| keys.nats_certificates("edge").unwrap().pop().unwrap().certificate;
    let more = async |what: &str| {
        let before = answered.load(Ordering::Relaxed);
        until(what, || answered.load(Ordering::Relaxed) > before + 20).await;
    };
    // A connection that is made from nothing, and one that is made again with what a process has learnt meanwhile.
    let come_anew = async |what: &str| {
        world.connect("operator").await.0.flush().await.unwrap();
        more(what).await;
        let mut connections = edge.signals.connections();
        connections.borrow_and_update();
        edge.nats.force_reconnect().await.unwrap();
        tokio::time::timeout(LONG, connections.changed()).await.expect(what).unwrap();
        more(what).await;
    };
    let renew = async {
        more("at first").await;
        let before = certificate(&keys);
        renew_leaves(&keys);
        keys.rotate(&[NATS_SERVER], &TIMES).unwrap();
        assert_ne!(certificate(&keys), before);
        world.nats.reload(&accounts).await.unwrap();
        tokio::time::sleep(Duration::from_millis(300)).await;
        come_anew("with renewed certificates").await;

        let new = keys.rotate(&[AUTHORITY], &TIMES).unwrap().begun[0].id.clone();
        world.nats.reload(&accounts).await.unwrap();
        until("the edge knows both authorities", || edge_keys.authorities().all().len() == 2).await;
        come_anew("while both are trusted").await;
        tokio::time::sleep(Duration::from_millis(1_100)).await;
        let server = std::fs::read(keys.nats_server_dir().join("server.pem")).unwrap();
        assert_eq!(keys.tidy().unwrap(), Vec::<String>::new());
        assert_ne!(std::fs::read(keys.nats_server_dir().join("server.pem")).unwrap(), server);
        world.nats.reload(&accounts).await.unwrap();
        come_anew("with a server of the new authority").await;
        let forgotten = keys.tidy().unwrap();
        assert!(forgotten.contains(&format!("tls/authority {old}")), "{forgotten:?}");
        world.nats.reload(&accounts).await.unwrap();
        until("the edge has forgotten the old one", || edge_keys.authorities().all().len() == 1).await;
        come_anew("without the old authority").await;
        assert_eq!(edge_keys.authorities().all()[0].id, new);
    };
    tokio::select! {
        () = renew => {}
        never = ask_on(&edge, &answered) => never,
    }
}
