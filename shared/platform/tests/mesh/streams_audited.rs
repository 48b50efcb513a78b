//! What the audit log keeps of request-streams: each once, wherever it begins and however many leases it takes.

use crate::streams_toy::{Log, Toy};
use async_nats::HeaderMap;
use identity::User;
use platform::AuditRow;
use serde_json::json;
use std::time::Duration;
use subjects::Role;
use subjects::ids::{ClinicId, SessionId, UserId};

/// More than there is credit for in a lease.
const ROWS: usize = 300;

/// Who asked, through whom, and who has signed for them.
fn told(row: &AuditRow) -> (Option<UserId>, Option<&str>, Option<&str>) {
    assert_eq!(row.operation, "booking.watch");
    (row.actor_id, row.via.as_deref(), row.signed_by.as_deref())
}

#[tokio::test]
async fn a_stream_is_kept_once_also_where_it_goes_on_from_a_place() {
    let toy = Toy::start().await;
    let (_replica, log) = toy.replica_and_log("").await;
    for _ in 0..ROWS {
        toy.row(ClinicId::new());
    }
    let admin = User { id: UserId::new(), session: SessionId::new(), roles: vec![Role::PlatformAdmin] };
    let token = toy.world.token_of(&admin, "edge");
    let mut watching = toy.watch_as(&token, json!({}), None, Duration::ZERO).await.unwrap();
    let mut heard = Log::default();
    heard.until_ready(&mut watching).await;
    assert_eq!(heard.snapshots, ROWS);
    let kept = log.take(usize::MAX);
    assert_eq!(kept.iter().map(told).collect::<Vec<_>>(), [(Some(admin.id), Some("edge"), Some("edge"))]);

    // A place is what a client says: whoever comes with one begins a stream like anybody else.
    let place = watching.place().unwrap();
    let _resumed = toy.watch_as(&token, json!({}), Some(place), Duration::ZERO).await.unwrap();
    let kept = log.take(usize::MAX);
    assert_eq!(kept.iter().map(told).collect::<Vec<_>>(), [(Some(admin.id), Some("edge"), Some("edge"))]);

    // That it goes on is not believed of whoever is no service.
    let operator = toy.world.operator().await;
    let mut headers = HeaderMap::new();
    let bearer = format!("Bearer {}", toy.world.token_of(&admin, "operator"));
    for (name, value) in
        [("Authorization", bearer.as_str()), ("Petpro-Stream-From", "1-1"), ("Petpro-Stream-Renewal", "true")]
    {
        headers.insert(name, value);
    }
    operator.request_with_headers("booking.watch", headers, "{}".into()).await.unwrap();
    let kept = log.take(usize::MAX);
    assert_eq!(kept.iter().map(told).collect::<Vec<_>>(), [(Some(admin.id), None, Some("operator"))]);
}
