//! The questions, asked of the database from outside, when the load has ended and all is quiet: was anything lost,
//! doubled, or left hanging?

mod consumers;
mod effects;
mod heard;
mod letters;
mod models;
mod outbox;
mod planned;
mod violation;
mod writes;

pub use heard::{Heard, Waited};
pub use planned::Planned;
pub use violation::{Found, Violation};

use crate::load::Record;
use crate::world::World;
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// How many violations of a kind are named; all of them are counted.
const NAMED: i64 = 20;

/// What is looked at.
pub struct Scope<'a> {
    /// The platform.
    pub world: &'a World,
    /// What the load has seen.
    pub record: &'a Record,
    /// What was done to it on purpose.
    pub planned: &'a Planned,
    /// The lowest id of an event that counts.
    pub since: Uuid,
}

/// Asks everything.
///
/// # Errors
/// The database does not answer.
pub async fn everything(scope: &Scope<'_>) -> anyhow::Result<Found> {
    let mut found = Found::default();
    let mut database = scope.world.database().await?;
    writes::all_are_there(scope, &mut database, &mut found).await?;
    writes::told_once(scope, &mut database, &mut found).await?;
    outbox::all_published(&mut database, &mut found).await?;
    outbox::none_told_twice(&mut database, &mut found).await?;
    effects::once_in_the_ledger(scope, &mut database, &mut found).await?;
    effects::in_order_in_the_ledger(scope, &mut database, &mut found).await?;
    effects::in_every_inbox(scope, &mut database, &mut found).await?;
    models::as_their_sources(scope, &mut database, &mut found).await?;
    letters::none_but_planned(scope, &mut database, &mut found).await?;
    for hung in scope.record.all_hung() {
        found.add(Violation::of("a request hung", hung));
    }
    for contradiction in scope.record.contradictions() {
        found.add(Violation::of("an answer was not true", contradiction));
    }
    for ended in scope.world.processes.ended().await {
        found.add(Violation::of("a process ended by itself", ended));
    }
    Ok(found)
}

/// The lowest id that can be made at a moment: ids are UUIDs of version 7, which begin with the time.
pub fn first_id_at(moment: DateTime<Utc>) -> Uuid {
    let milliseconds = u128::try_from(moment.timestamp_millis()).unwrap_or(0);
    Uuid::from_u128(milliseconds << 80)
}
