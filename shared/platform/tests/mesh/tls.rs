//! Nobody comes to NATS without a certificate of our authority, nobody trusts another server, and nothing can be read on
//! the way.

use crate::world::{World, edge_declaration, metrics};
use async_nats::{Client, ConnectErrorKind, ConnectOptions};
use chrono::Duration;
use identity::keys::{Issuance, KeyStore, RotationTimes};
use platform::nats::{NatsConfig, connect, secured};
use secrecy::ExposeSecret as _;
use tempfile::TempDir;
use testkit::{Nats, NatsOptions, Proxy};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const PLANTED: &str = "Bruno-is-afraid-of-thunder";

/// Keys of somebody else, with another authority.
fn others() -> (TempDir, KeyStore) {
    let folder = tempfile::tempdir().unwrap();
    KeyStore::create_missing(folder.path(), &["edge"]).unwrap();
    let keys = KeyStore::open(folder.path()).unwrap();
    (folder, keys)
}

/// The edge's nkey in this store.
fn nkey(keys: &KeyStore) -> ConnectOptions {
    ConnectOptions::with_nkey(keys.nats_seed("edge").unwrap().expose_secret().to_owned())
}

/// What a client says that trusts the world's server and shows the edge's certificate of this store, or none.
async fn shown(world: &World, certificates: Option<&KeyStore>) -> Result<Client, async_nats::ConnectError> {
    let files = tempfile::tempdir().unwrap();
    let file = |name: &str| files.path().join(name);
    world.key_store().export_nats_certificate("operator", files.path()).unwrap();
    let mut options = nkey(&world.key_store()).tls_first().add_root_certificates(file("operator.authorities.pem"));
    if let Some(keys) = certificates {
        keys.export_nats_certificate("edge", files.path()).unwrap();
        options = options.add_client_certificate(file("edge.cert.pem"), file("edge.key.pem"));
    }
    options.connect(world.nats.url()).await
}

/// It has not come so far as to be asked who it is.
fn is_kept_out(outcome: Result<Client, async_nats::ConnectError>) -> bool {
    matches!(outcome, Err(error) if error.kind() == ConnectErrorKind::Io)
}

#[tokio::test]
async fn plain_text_is_answered_with_nothing() {
    let world = World::start("").await;
    let mut stream = TcpStream::connect(("127.0.0.1", world.nats.port())).await.unwrap();
    stream.write_all(b"CONNECT {\"verbose\":true}\r\nPING\r\n").await.unwrap();
    let mut said = Vec::new();
    // How it is closed does not matter.
    let _ = stream.read_to_end(&mut said).await;
    let said = String::from_utf8_lossy(&said);
    assert!(!said.contains("INFO") && !said.contains("PONG") && !said.contains("+OK"), "{said}");
}

#[tokio::test]
async fn only_certificates_of_our_authority_that_still_hold_are_let_in() {
    let world = World::start("").await;
    let (_folder, others) = others();
    shown(&world, Some(&world.key_store())).await.unwrap();
    assert!(is_kept_out(shown(&world, None).await), "without a certificate");
    assert!(is_kept_out(shown(&world, Some(&others)).await), "with one of another authority");

    let over = Issuance { lifetime: Duration::minutes(-1), ..Issuance::default() };
    let times = RotationTimes { overlap: Duration::hours(1), retirement: None };
    world.key_store().issuing(over).rotate(&["edge"], &times).unwrap();
    assert!(is_kept_out(shown(&world, Some(&world.key_store())).await), "with one that has expired");
    let config = NatsConfig { url: world.nats.url(), ..NatsConfig::default() };
    assert!(connect(&config, "edge", &world.key_store(), metrics()).await.is_err());
}

#[tokio::test]
async fn a_server_of_another_authority_is_not_trusted() {
    let (_folder, others) = others();
    let nats =
        Nats::start(NatsOptions { tls: Some(others.nats_server_dir()), ..NatsOptions::default() }).await.unwrap();
    let config = NatsConfig { url: nats.url(), ..NatsConfig::default() };
    connect(&config, "edge", &others, metrics()).await.unwrap();
    let (_folder, ours) = self::others();
    let error = connect(&config, "edge", &ours, metrics()).await.map(|_| ()).unwrap_err();
    let told = format!("{error:#}");
    assert!(told.contains("UnknownIssuer") && told.contains("petpro keys"), "{told}");
}

#[tokio::test]
async fn a_certificate_lets_nobody_in_who_has_not_the_nkey() {
    let world = World::start("").await;
    let (_folder, others) = others();
    for options in [nkey(&others), ConnectOptions::new()] {
        let options = secured(options, &world.key_store(), "edge").unwrap();
        // The server closes the connection at once, sometimes before its refusal was read.
        let mut refused = ConnectErrorKind::Io;
        for _ in 0..100 {
            if refused == ConnectErrorKind::Io {
                refused = options.clone().connect(world.nats.url()).await.map(|_| ()).unwrap_err().kind();
            }
        }
        assert_eq!(refused, ConnectErrorKind::AuthorizationViolation);
    }
}

async fn say_it_through_a_proxy(nats: &Nats, options: ConnectOptions) -> Vec<u8> {
    let proxy = Proxy::start().unwrap();
    proxy.tap();
    proxy.pass_on_to(nats.port());
    let client = options.connect(proxy.address().to_string()).await.unwrap();
    let mut heard = client.subscribe("pets").await.unwrap();
    client.publish("pets", PLANTED.into()).await.unwrap();
    use futures::StreamExt as _;
    assert_eq!(heard.next().await.unwrap().payload, PLANTED);
    proxy.tapped()
}

#[tokio::test]
async fn what_passes_over_the_wire_cannot_be_read() {
    let contains = |bytes: &[u8], text: &str| bytes.windows(text.len()).any(|part| part == text.as_bytes());
    let open = Nats::start(NatsOptions::default()).await.unwrap();
    let tapped = say_it_through_a_proxy(&open, ConnectOptions::new()).await;
    assert!(contains(&tapped, PLANTED) && contains(&tapped, "INFO {"), "the tap hears nothing");

    let (_folder, keys) = others();
    let closed =
        Nats::start(NatsOptions { tls: Some(keys.nats_server_dir()), ..NatsOptions::default() }).await.unwrap();
    let options = secured(ConnectOptions::new(), &keys, "edge").unwrap();
    let tapped = say_it_through_a_proxy(&closed, options).await;
    assert!(tapped.len() > PLANTED.len());
    for word in [PLANTED, "INFO", "CONNECT", "pets"] {
        assert!(!contains(&tapped, word), "{word}");
    }
}

/// Until when each certificate holds, by the label `certificate`.
fn told(registry: &prometheus::Registry) -> Vec<(String, f64)> {
    let families = registry.gather();
    let family = families.iter().find(|family| family.name() == "petpro_certificate_expires_timestamp_seconds");
    let metrics = family.into_iter().flat_map(|family| family.get_metric());
    let kind = |metric: &prometheus::proto::Metric| {
        metric.get_label().iter().find(|label| label.name() == "certificate").unwrap().value().to_owned()
    };
    metrics.map(|metric| (kind(metric), metric.get_gauge().get_value())).collect()
}

#[tokio::test]
async fn metrics_tell_until_when_certificates_hold() {
    let world = World::of(&[edge_declaration()], "refresh_ms = 50").await;
    let edge = world.edge().await;
    while told(&edge.registry).len() < 3 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let held = world.key_store().nats_certificates("edge").unwrap()[0].validity.ends_at.timestamp();
    let told = told(&edge.registry);
    let of = |kind: &str| told.iter().find(|(told, _)| told == kind).unwrap().1;
    assert_eq!(of("client") as i64, held);
    assert!(of("authority") > of("server"), "{told:?}");
}
