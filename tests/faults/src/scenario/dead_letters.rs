//! A handler that refuses everything for a while, and what it refused replayed with one command when it is mended.

use super::Stage;
use crate::report::seconds;
use anyhow::ensure;
use std::time::{Duration, Instant};

/// How long it may take until enough is parked.
const PATIENCE: Duration = Duration::from_secs(300);

/// Postgres refuses each row as one that is beyond what can be kept (SQLSTATE 22003), which is nobody's fault but the
/// event's, and is parked at once.
const TROUBLE: &str = "\
    create function profile.planned_trouble() returns trigger language plpgsql as $$
    begin raise exception 'planned trouble' using errcode = '22003'; end $$;
    create trigger planned_trouble before insert or update on profile.bookings
        for each row execute function profile.planned_trouble();";

const MENDED: &str = "\
    drop trigger planned_trouble on profile.bookings;
    drop function profile.planned_trouble();";

/// Lets so many events become dead letters, mends what was wrong, and replays them.
///
/// # Errors
/// Too few become dead letters, or some are left.
pub async fn park_and_replay(stage: &Stage, count: i64) -> anyhow::Result<()> {
    let world = &stage.world;
    let began = Instant::now();
    world.sql(TROUBLE).await?;
    let parked = loop {
        let parked = letters(stage).await?;
        if parked >= count {
            break parked;
        }
        ensure!(began.elapsed() < PATIENCE, "{parked} of {count} events are dead letters after {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    };
    world.sql(MENDED).await?;
    stage.report.say(format_args!("{parked} dead letters after {}", seconds(began.elapsed())));
    stage.until_heard("events while a handler refuses them", began).await?;

    let replaying = Instant::now();
    let said = world.petpro(&["dlq", "replay", "--service", "profile"]).await?;
    let last = said.lines().last().unwrap_or_default();
    stage.report.say(format_args!("petpro dlq replay: {} after {}", last.trim(), seconds(replaying.elapsed())));
    let left = letters(stage).await?;
    ensure!(left == 0, "{left} dead letters are left after a replay:\n{said}");
    Ok(())
}

/// The dead letters that were not poisoned.
async fn letters(stage: &Stage) -> anyhow::Result<i64> {
    let query = "select count(*) from profile.dead_letters where event_id <> all($1)";
    let mut database = stage.world.database().await?;
    Ok(sqlx::query_scalar(query).bind(stage.planned.all()).fetch_one(&mut database).await?)
}
