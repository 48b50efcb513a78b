use crate::load::Found;
use crate::machine::Machine;
use crate::page::{Figures, Page, Row};
use crate::process::{Part, Usage, Usages};
use crate::raw_postgres::ServerSettings;
use crate::search_plan::SearchPlan;
use crate::subject::Subject;
use crate::watching::Watching;
use chrono::NaiveDate;
use std::time::Duration;

fn row(subject: Subject, per_second: f64, p50_ms: u64) -> Row {
    let usage = Usage { cpu: Duration::from_secs(1), resident_bytes: 50_000_000 };
    let found = Found {
        per_second,
        p50: Duration::from_millis(p50_ms),
        p95: Duration::from_millis(p50_ms + 1),
        p99: Duration::from_millis(p50_ms * 2),
        answers: 4000,
        errors: 0,
        first_error: None,
    };
    Row { subject, connections: 1, found, used: Usages::of_one(Part::Nats, usage) }
}

fn page(rows: Vec<Row>) -> String {
    let [processor, system, file_system] = ["P", "S", "F"].map(str::to_owned);
    let [version, fsync, synchronous_commit] = ["15", "on", "on"].map(str::to_owned);
    let until_ready = [300, 100, 200].map(Duration::from_millis).to_vec();
    let usage = Usage { cpu: Duration::ZERO, resident_bytes: 50_000_000 };
    let at_rest = Usages::of_one(Part::Measured, usage);
    let resident = |resident_bytes| Usage { cpu: Duration::ZERO, resident_bytes };
    // nats-server gives some of it back meanwhile.
    let unwatched = Usages::of_each(&[(Part::Measured, resident(10_000_000)), (Part::Nats, resident(30_000_000))]);
    let watched = Usages::of_each(&[(Part::Measured, resident(40_000_000)), (Part::Nats, resident(20_000_000))]);
    let figures = Figures { until_ready, rest: Duration::from_secs(5), at_rest, after_load: Usages::default() };
    let page = Page {
        date: NaiveDate::from_ymd_opt(2026, 3, 1).unwrap(),
        machine: Machine { processor, cores: 2, system, file_system },
        nats_version: Some("2".to_owned()),
        postgres: ServerSettings { version, fsync, synchronous_commit },
        settings: vec![("PETPRO_A".to_owned(), "b".to_owned())],
        seconds: 5,
        warm_up: 1,
        body_bytes: 500,
        bookings: 2000,
        products: Some(100),
        rows,
        figures,
        search: Some(SearchPlan { statements: vec!["Index Scan using a_index on a".to_owned()] }),
        events: None,
        watching: Some(Watching { watchers: 1000, before: unwatched, after: watched }),
    };
    page.to_string()
}

#[test]
fn ours_is_compared_with_its_parts() {
    let text = page(vec![
        row(Subject::Nats, 4000.0, 1),
        row(Subject::Axum, 8000.0, 2),
        row(Subject::Select, 8000.0, 3),
        row(Subject::GetClinicUncached, 1000.0, 12),
    ]);
    assert!(text.contains("| **GET /clinics/{id}**, no cache | 1 | 1000 | 12.000 | 13.000 | 24.000 | 0 |"), "{text}");
    assert!(text.contains("| **GET /clinics/{id}**, no cache | 1 | – | 0.250 | – | – | – |"), "{text}");
    assert!(text.contains("| **GET /clinics/{id}**, no cache | 1 | 2000 | 50.0 % | – | 2.0 |"), "{text}");
    assert!(text.contains("median of 3 | 200 ms |"), "{text}");
    assert!(text.contains("| the longest of them | 300 ms |"), "{text}");
    assert!(text.contains("| petpro | 50.0 | – |"), "{text}");
    assert!(text.contains("`PETPRO_A=b`."), "{text}");
    assert!(text.contains("over 100 products"), "{text}");
    assert!(text.contains("| petpro | 10.0 | 40.0 | 30.0 |"), "{text}");
    assert!(text.contains("| what has grown, together | | + 30.0 | 30.0 |"), "{text}");
    assert!(text.contains("a_index"), "{text}");
}

#[test]
fn each_layer_is_what_it_adds() {
    let text = page(vec![row(Subject::Nats, 4000.0, 1), row(Subject::MeshJwks, 2000.0, 3)]);
    assert!(text.contains("less a raw request | 1 | 2000 |"), "{text}");
    assert!(!text.contains("the edge: "), "{text}");
}

#[test]
fn what_was_not_measured_is_a_dash() {
    let text = page(vec![row(Subject::Insert, 4000.0, 1), row(Subject::PostBooking, 1000.0, 12)]);
    assert!(text.contains("| **POST /bookings** | 1 | – | – | 25.0 % | – |"), "{text}");
}
