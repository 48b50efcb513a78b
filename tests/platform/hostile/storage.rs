//! What the platform has stored, to see whether something has changed it.

use crate::world::World;
use sqlx::AssertSqlSafe;
use std::collections::BTreeMap;

/// Tables that a refused request may write: that somebody tried, what was answered under a key, what consumers have
/// heard, and the key under which texts of somebody would have been kept.
const MAY_CHANGE: [&str; 6] =
    ["login_attempts", "attempt_brakes", "audit_entries", "idempotency_keys", "inbox", "person_keys"];

/// For every table of every service how many rows it has, and a sum over what is in them.
#[derive(Debug, PartialEq)]
pub struct Storage(BTreeMap<String, (i64, String)>);

impl Storage {
    /// Looks, when all consumers have heard of everything and no booking is left to be compared with its schedule.
    pub async fn look(world: &World) -> Storage {
        world.until_heard().await;
        let marked =
            "select count(*) from booking.bookings where schedule_changed and status in ('pending', 'confirmed')";
        world.until("every booking is compared with its schedule", async || world.count(marked).await == 0).await;
        let unfinished = "select count(*) from profile.privacy_requests where status <> 'done'";
        world.until("nothing is left to be told or erased", async || world.count(unfinished).await == 0).await;
        let mut database = world.database().await;
        let tables: Vec<(String, String)> = sqlx::query_as(
            "select schemaname::text, tablename::text from pg_tables \
             where schemaname not in ('pg_catalog', 'information_schema', 'public')",
        )
        .fetch_all(&mut database)
        .await
        .unwrap();
        let mut seen = BTreeMap::new();
        for (schema, table) in tables.into_iter().filter(|(_, table)| !MAY_CHANGE.contains(&table.as_str())) {
            // The relay notes in the outbox what it has published.
            let row = if table.starts_with("outbox") { "stored.id::text" } else { "stored::text" };
            let query = format!(
                "select count(*), coalesce(sum(hashtextextended({row}, 0)), 0)::text from {schema}.{table} as stored"
            );
            let found = sqlx::query_as(AssertSqlSafe(query)).fetch_one(&mut database).await.unwrap();
            seen.insert(format!("{schema}.{table}"), found);
        }
        assert!(seen.len() > 20 && seen.contains_key("booking.bookings"), "{seen:?}");
        Storage(seen)
    }

    /// Nothing has changed since.
    pub async fn check_unchanged(&self, world: &World, what: &str) {
        let now = Storage::look(world).await;
        let changed: Vec<_> = now.0.iter().filter(|(table, rows)| self.0.get(*table) != Some(*rows)).collect();
        assert!(changed.is_empty(), "{what} has changed {changed:?}, before: {self:?}");
    }
}
