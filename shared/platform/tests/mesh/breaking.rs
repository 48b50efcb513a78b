//! A service that is not worth asking is left alone, and a service that is asked too much at once, too.

use crate::resending::{Manner, Process, Shared, ask};
use crate::world::{Vendor, World, call, vendor_service};
use platform::{Meta, Setup, runtime};
use std::sync::Arc;
use std::time::Duration;
use subjects::ids::ClinicId;
use subjects::{ErrorCode, Fault};

const SHORT: Duration = Duration::from_millis(400);
const LONG: Duration = Duration::from_secs(30);

/// 0: as always, 1: on probation, 2: not asked. None: it has never been other than as always.
fn circuit(registry: &prometheus::Registry, class: &str) -> Option<f64> {
    let families = registry.gather();
    let circuits = families.iter().filter(|family| family.name() == "petpro_circuit");
    let mut standing = circuits.flat_map(|family| family.get_metric());
    let of_class = standing.find(|metric| metric.get_label().iter().any(|label| label.value() == class))?;
    Some(of_class.get_gauge().get_value())
}

#[tokio::test]
async fn a_silent_service_is_left_alone_and_asked_again_when_it_has_recovered() {
    let world = World::start("[client.breaker]\nmin_requests = 5\n").await;
    let shared = Arc::new(Shared::default());
    let silent = Process::start(&world, 0, Manner::Silent, &shared).await;
    let edge = world.edge().await;
    let client = &edge.client;
    for outcome in futures::future::join_all((0..5).map(|_| ask(client, "auth.jwks", None, SHORT))).await {
        assert_eq!(outcome.unwrap_err().code, ErrorCode::DeadlineExceeded);
    }
    assert_eq!(circuit(&edge.registry, "read"), Some(2.0));

    let refused = ask(client, "auth.jwks", None, LONG).await.unwrap_err();
    assert_eq!((refused.code, &*refused.reason), (ErrorCode::Unavailable, "circuit_open"));
    assert!(refused.retry_after_ms.is_some_and(|wait| (1..=600).contains(&wait)), "{refused:?}");
    assert_eq!(shared.runs.borrow().len(), 5, "it was not asked");
    // Of what it changes nothing is known.
    assert_eq!(ask(client, "auth.login", None, SHORT).await.unwrap_err().code, ErrorCode::DeadlineExceeded);
    assert_eq!((shared.runs.borrow().len(), circuit(&edge.registry, "change")), (6, None));

    silent.kill();
    let _well = Process::start(&world, 1, Manner::DiesAtTheFirst, &shared).await;
    let recovered = async {
        while circuit(&edge.registry, "read") != Some(0.0) {
            if let Err(fault) = ask(client, "auth.jwks", None, LONG).await {
                assert_eq!(fault.reason, "circuit_open");
                tokio::time::sleep(Duration::from_millis(fault.retry_after_ms.unwrap())).await;
            }
        }
    };
    tokio::time::timeout(LONG, recovered).await.unwrap();
    ask(client, "auth.jwks", None, LONG).await.unwrap();
}

#[tokio::test]
async fn what_would_be_too_much_at_once_is_refused_at_once() {
    let world = World::start("[client]\nmax_under_way = 2\n").await;
    let shared = Arc::new(Shared::default());
    let _silent = Process::start(&world, 0, Manner::Silent, &shared).await;
    let client = world.edge().await.client;
    let two = tokio::spawn({
        let client = client.clone();
        async move { tokio::join!(ask(&client, "auth.jwks", None, LONG), ask(&client, "auth.jwks", None, LONG)) }
    });
    shared.until_runs(2).await;
    let refused = ask(&client, "auth.jwks", None, LONG).await.unwrap_err();
    assert_eq!((refused.code, &*refused.reason), (ErrorCode::Unavailable, "too_many_under_way"));
    two.abort();
    assert!(two.await.unwrap_err().is_cancelled());
    // Whoever gives up makes room.
    assert_eq!(ask(&client, "auth.jwks", None, SHORT).await.unwrap_err().code, ErrorCode::DeadlineExceeded);
    assert_eq!(shared.runs.borrow().len(), 3);
}

#[tokio::test]
async fn what_a_service_cannot_get_from_another_is_not_held_against_itself() {
    let world = World::start("").await;
    let (_auth, _) = world.run_auth().await;
    let host = world.host_with("[client]\nmax_under_way = 1\n");
    let setup = Setup::connect(&host, "vendor").await.unwrap();
    let _vendor = runtime::start(setup, vendor_service(), Vendor).await.unwrap();
    let edge = world.edge().await;
    let find_clinic = async || {
        let body = serde_json::json!({ "id": ClinicId::new() }).to_string();
        let meta = Meta::background("test");
        edge.client.request_raw("clinic.findOne", call(&meta, &body, None, LONG)).await.unwrap_err()
    };
    let mut told = 0;
    while told < 100 {
        // One of them asks auth; most others are refused meanwhile, by the vendor service's own client.
        let faults = futures::future::join_all((0..60).map(|_| find_clinic())).await;
        let refused: Vec<&Fault> = faults.iter().filter(|fault| fault.code == ErrorCode::Unavailable).collect();
        assert!(refused.iter().all(|fault| fault.reason == "dependency_unavailable"), "{refused:?}");
        told += refused.len();
    }
    assert_eq!(circuit(&edge.registry, "read"), None);
}
