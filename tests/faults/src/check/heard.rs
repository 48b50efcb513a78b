//! Waiting until all that was told has gone out and was heard by everybody.

use super::consumers::{self, Consumer};
use super::{Planned, first_id_at};
use crate::world::World;
use chrono::Utc;
use sqlx::{AssertSqlSafe, PgConnection};
use std::time::{Duration, Instant};
use subjects::catalogue::SERVICES;
use uuid::Uuid;

const POLL: Duration = Duration::from_millis(200);
/// For so long nothing is told when all is at rest.
const REST: Duration = Duration::from_secs(1);
/// How many of those are named that were last.
const NAMED: usize = 3;

/// Knows up to where all is heard, so that it need not be looked at again.
#[derive(Debug)]
pub struct Heard {
    /// All events below this id were heard by everybody.
    up_to: Uuid,
}

/// How a wait has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Waited {
    /// All was heard.
    AllHeard {
        /// After which time.
        after: Duration,
        /// Who had heard all last, and after which time each: three of them.
        last: Vec<(String, Duration)>,
    },
    /// So many events, counted once for each handler and once for each outbox, were not.
    GaveUp {
        /// How many.
        left: i64,
    },
}

impl Heard {
    /// Events below this id do not matter.
    pub fn from(since: Uuid) -> Heard {
        Heard { up_to: since }
    }

    /// Waits until all that was told before now has gone out and was heard.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn wait(&mut self, world: &World, planned: &Planned, patience: Duration) -> anyhow::Result<Waited> {
        let started = Instant::now();
        let until = first_id_at(Utc::now());
        let mut waiting = consumers::all();
        let mut last = Vec::new();
        loop {
            let before = waiting.clone();
            let left = match self.left(world, &mut waiting, until, planned).await {
                Ok(0) => {
                    note_those_done(&mut last, before, &waiting, started.elapsed());
                    self.up_to = until;
                    return Ok(Waited::AllHeard { after: started.elapsed(), last });
                }
                Ok(left) => {
                    note_those_done(&mut last, before, &waiting, started.elapsed());
                    left
                }
                // Postgres may be away: that is what is waited for.
                Err(error) if started.elapsed() > patience => return Err(error),
                Err(_) => 1,
            };
            if started.elapsed() > patience {
                return Ok(Waited::GaveUp { left });
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Likewise, and nothing more is told meanwhile: what a service does by itself, such as checking bookings again, may
    /// go on when nobody asks for anything any more.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn wait_for_rest(
        &mut self,
        world: &World,
        planned: &Planned,
        patience: Duration,
    ) -> anyhow::Result<Waited> {
        let started = Instant::now();
        loop {
            match self.wait(world, planned, patience.saturating_sub(started.elapsed())).await? {
                Waited::AllHeard { last, .. } => {
                    tokio::time::sleep(REST).await;
                    let told = self.told_since(world).await?;
                    if told == 0 {
                        return Ok(Waited::AllHeard { after: started.elapsed().saturating_sub(REST), last });
                    }
                    if started.elapsed() > patience {
                        return Ok(Waited::GaveUp { left: told });
                    }
                }
                gave_up => return Ok(gave_up),
            }
        }
    }

    /// How many events have been told since all was heard.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn told_since(&self, world: &World) -> anyhow::Result<i64> {
        let mut database = world.database().await?;
        let mut told = 0;
        for service in SERVICES {
            let query = format!("select count(*) from {service}.outbox where id >= $1");
            let count: i64 = sqlx::query_scalar(AssertSqlSafe(query)).bind(self.up_to).fetch_one(&mut database).await?;
            told += count;
        }
        Ok(told)
    }

    /// How many are left; consumers that have heard all are not asked again.
    async fn left(
        &self,
        world: &World,
        waiting: &mut Vec<Consumer>,
        until: Uuid,
        planned: &Planned,
    ) -> anyhow::Result<i64> {
        let mut database = world.database().await?;
        let mut left = 0;
        for service in SERVICES {
            left += unpublished(&mut database, service, until).await?;
        }
        let mut still = Vec::new();
        for consumer in waiting.iter() {
            match unheard(&mut database, consumer, self.up_to, until, planned).await? {
                0 => {}
                some => {
                    left += some;
                    still.push(consumer.clone());
                }
            }
        }
        *waiting = still;
        Ok(left)
    }
}

/// Who waited before and does not any more is done; the last ones are kept, the latest first.
fn note_those_done(last: &mut Vec<(String, Duration)>, before: Vec<Consumer>, waiting: &[Consumer], after: Duration) {
    for consumer in before {
        if !waiting.iter().any(|other| other.name == consumer.name) {
            last.insert(0, (consumer.name, after));
        }
    }
    last.truncate(NAMED);
}

async fn unpublished(database: &mut PgConnection, service: &str, until: Uuid) -> anyhow::Result<i64> {
    let query = format!("select count(*) from {service}.outbox where published_at is null and id < $1");
    Ok(sqlx::query_scalar(AssertSqlSafe(query)).bind(until).fetch_one(database).await?)
}

async fn unheard(
    database: &mut PgConnection,
    consumer: &Consumer,
    from: Uuid,
    until: Uuid,
    planned: &Planned,
) -> anyhow::Result<i64> {
    let (source, service) = (consumer.source, consumer.service);
    let query = format!(
        "select count(*) from {source}.outbox as event
        where event.id >= $1 and event.id < $2 and event.type = any($3) and event.id <> all($4)
            and not exists (select from {service}.inbox where handler = $5 and event_id = event.id)"
    );
    let left = sqlx::query_scalar(AssertSqlSafe(query))
        .bind(from)
        .bind(until)
        .bind(&consumer.event_types)
        .bind(planned.all())
        .bind(consumer.handler);
    Ok(left.fetch_one(database).await?)
}
