//! A mesh in which instances of the booking service come and go, and the vendor service may be away.

use crate::{profile_seat, vendor_seat};
use platform::runtime::Running;
use std::ops::Deref;
use std::sync::Arc;
use testmesh::Mesh;

pub struct World(pub Arc<Mesh>);

impl Deref for World {
    type Target = Mesh;

    fn deref(&self) -> &Mesh {
        &self.0
    }
}

impl World {
    /// Nothing is swept away after the start: what has expired is there until somebody wants its time.
    pub async fn start() -> World {
        World::start_with(50, 3_600_000).await
    }

    /// With these pauses, in milliseconds, between the rounds of those who check bookings again, and of those who sweep
    /// what has expired.
    pub async fn start_with(recheck_interval: u32, expiry_interval: u32) -> World {
        let settings =
            format!("[booking]\nrecheck_interval_ms = {recheck_interval}\nexpiry_interval_ms = {expiry_interval}\n");
        let mesh = Mesh::of("booking").knowing(&booking::service()).knowing(&vendor_seat::service());
        let mesh = mesh.knowing(&profile_seat::service());
        World(Arc::new(mesh.settings(&settings).start().await))
    }

    /// One more instance of the booking service.
    pub async fn run_booking(&self) -> Running {
        self.start_another(booking::service(), booking::app).await
    }

    /// A JSON value that a query answers.
    pub async fn json(&self, sql: &str) -> serde_json::Value {
        serde_json::from_str(&self.query(sql).await).unwrap()
    }

    /// Waits until a query answers a number.
    pub async fn until(&self, sql: &str, expected: i64) {
        self.until_query(sql, expected).await;
    }
}
