//! The saga: takes requests that are due and asks the services, step by step.
//!
//! Every answer is noted before the next question, and a question asked twice does no harm, so a process may die
//! anywhere: when the time for which it had taken the request is over, another one goes on.

use super::participants::Participant;
use super::rows::{self, Model, Step, parts};
use crate::Cx;
use crate::app::ProfileApp;
use chrono::TimeDelta;
use platform::Run;
use std::time::Duration;
use store::{HasStore as _, Tx};
use subjects::Fault;
use subjects::privacy::PersonRow;
use subjects::profile::{PrivacyErased, PrivacyKind, PrivacyStatus};

/// How long one question to a service may take, with noting its answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// For how long an export can be read.
const AVAILABLE: TimeDelta = TimeDelta::days(7);
/// The pause after a first failure; it doubles with each further one.
const FIRST_PAUSE: TimeDelta = TimeDelta::seconds(1);
/// The longest pause.
const LONGEST_PAUSE: TimeDelta = TimeDelta::minutes(5);

/// Works on what is due, every so often, until the service drains. Several replicas share the work.
pub async fn run(run: Run<ProfileApp>) {
    run.every(run.app.config.privacy_interval(), "work on requests for privacy", || work(&run)).await;
}

async fn work(run: &Run<ProfileApp>) -> Result<(), Fault> {
    let lease = i64::try_from(run.app.config.privacy_lease().as_millis()).unwrap_or(i64::MAX);
    while !run.shutdown.is_cancelled() {
        let Some(row) = rows::take_due(run.app.store().read(), lease).await? else { return Ok(()) };
        let id = row.id;
        if let Err(fault) = advance(run, row).await {
            tracing::warn!(privacy.request = %id, error = %fault, "a request for privacy waits to be taken again");
        }
    }
    Ok(())
}

/// Goes as far with a request as it goes now.
async fn advance(run: &Run<ProfileApp>, mut row: Model) -> Result<(), Fault> {
    if row.status == PrivacyStatus::Done {
        return let_go(&cx(run), row).await;
    }
    row.steps.add_newcomers();
    for place in 0..row.steps.0.len() {
        while !run.shutdown.is_cancelled() {
            let Some(participant) = next_question(&row, place) else { break };
            let cx = cx(run);
            let failed = match ask(&cx, &row, place, participant).await {
                Ok(Some(after)) => {
                    row = after;
                    false
                }
                // Somebody else is at it, or the person is gone.
                Ok(None) => return Ok(()),
                Err(fault) => match note_failure(&cx, row, place, &fault).await? {
                    Some(after) => {
                        row = after;
                        true
                    }
                    None => return Ok(()),
                },
            };
            if failed {
                break;
            }
        }
    }
    finish_round(&cx(run), row).await
}

fn cx(run: &Run<ProfileApp>) -> Cx {
    run.cx("privacy.work", TIMEOUT)
}

/// Whom to ask at a place of the steps; nobody where that step is done, or has to wait for others.
fn next_question(row: &Model, place: usize) -> Option<Participant> {
    let step = row.steps.0.get(place).filter(|step| !step.told.done)?;
    let participant = Participant::named(&step.told.service)?;
    let waits_for = |other: &Step| {
        let rank = Participant::named(&other.told.service).map_or(0, Participant::rank);
        !other.told.done && rank < participant.rank()
    };
    let has_to_wait = row.kind == PrivacyKind::Erase && row.steps.0.iter().any(waits_for);
    (!has_to_wait).then_some(participant)
}

/// Asks a service once and notes the answer. None where the request was changed by somebody else meanwhile.
async fn ask(cx: &Cx, row: &Model, place: usize, participant: Participant) -> Result<Option<Model>, Fault> {
    let mut after = row.clone();
    let Some(step) = after.steps.0.get_mut(place) else { return Ok(None) };
    step.told.failed_attempts = 0;
    step.told.last_failure = None;
    let mut told: Vec<PersonRow> = Vec::new();
    match row.kind {
        PrivacyKind::Export => {
            let page = participant.export(cx, row.user_id, step.cursor.take()).await?;
            step.told.done = page.next_cursor.is_none();
            step.cursor = page.next_cursor;
            told = page.rows;
        }
        PrivacyKind::Erase => step.told.done = participant.erase(cx, row.user_id).await?.complete,
    }
    next_version(&mut after);
    after.due_at = Some(after.updated_at + TimeDelta::from_std(cx.app.config.privacy_lease()).unwrap_or(AVAILABLE));
    let (after, told) = (&after, &told);
    let key = if told.is_empty() { None } else { Some(cx.app.people.for_writing(row.user_id.into()).await?) };
    let key = &key;
    let noted = cx.app.store().write(cx, |tx| async move {
        if !rows::save(&tx, after).await? {
            return Ok(false);
        }
        if let Some(key) = key {
            let position = rows::next_position(&tx, after.id).await?;
            let text = serde_json::to_string(told).map_err(Fault::internal)?;
            let sealed = key.seal(&after.place(position), &text)?;
            let service = participant.service().to_owned();
            rows::add_part(&tx, parts::Model { request_id: after.id, position, service, sealed }).await?;
        }
        Ok::<bool, Fault>(true)
    });
    Ok(noted.await?.then(|| after.clone()))
}

/// Notes that a service did not do what it was asked. None where the request was changed by somebody else meanwhile.
async fn note_failure(cx: &Cx, row: Model, place: usize, fault: &Fault) -> Result<Option<Model>, Fault> {
    let mut after = row;
    let Some(step) = after.steps.0.get_mut(place) else { return Ok(None) };
    step.told.failed_attempts = step.told.failed_attempts.saturating_add(1);
    step.told.last_failure = Some(fault.code.as_str().to_owned());
    let service = step.told.service.as_str();
    tracing::warn!(privacy.request = %after.id, service, error = %fault, "a service did not answer for a person");
    next_version(&mut after);
    save(cx, after).await
}

/// When all are through: the next part of the saga, or its end. Otherwise when to try again.
async fn finish_round(cx: &Cx, row: Model) -> Result<(), Fault> {
    let now = store::now();
    let mut after = row;
    next_version(&mut after);
    let is_through = after.steps.0.iter().all(|step| step.told.done);
    if !is_through {
        let failures = after.steps.0.iter().map(|step| step.told.failed_attempts).max().unwrap_or_default();
        after.due_at = Some(now + pause_after(failures));
        return save(cx, after).await.map(drop);
    }
    match (after.kind, after.status) {
        (PrivacyKind::Export, _) => {
            after.status = PrivacyStatus::Done;
            after.finished_at = Some(now);
            after.available_until = Some(now + AVAILABLE);
            after.due_at = after.available_until;
        }
        // A token that somebody held may have let something in since. Once none can hold, all are asked again.
        (PrivacyKind::Erase, PrivacyStatus::Running) => {
            after.status = PrivacyStatus::Settling;
            after.steps.0.iter_mut().for_each(|step| step.told.done = false);
            let settling = TimeDelta::from_std(cx.app.config.privacy_settling()).unwrap_or(AVAILABLE);
            after.due_at = Some(now + settling);
        }
        (PrivacyKind::Erase, _) => {
            after.status = PrivacyStatus::Done;
            after.finished_at = Some(now);
            after.due_at = None;
        }
    }
    save(cx, after).await.map(drop)
}

/// Removes an export that nobody may read any longer.
async fn let_go(cx: &Cx, row: Model) -> Result<(), Fault> {
    let mut after = row;
    next_version(&mut after);
    after.due_at = None;
    let after = &after;
    let removed = cx.app.store().write(cx, |tx| async move {
        rows::remove_parts(&tx, after.id).await?;
        rows::save(&tx, after).await?;
        Ok::<(), Fault>(())
    });
    removed.await
}

/// Stores a request and tells its end, where it is the end of a person. None where somebody else has changed it.
async fn save(cx: &Cx, after: Model) -> Result<Option<Model>, Fault> {
    let row = &after;
    let saved: bool = cx.app.store().write(cx, |tx| async move { save_and_tell(&tx, row).await }).await?;
    Ok(saved.then_some(after))
}

async fn save_and_tell(tx: &Tx, row: &Model) -> Result<bool, Fault> {
    let is_saved = rows::save(tx, row).await?;
    if is_saved && row.kind == PrivacyKind::Erase && row.status == PrivacyStatus::Done {
        tx.emit(&PrivacyErased(row.state())).await?;
    }
    Ok(is_saved)
}

fn next_version(row: &mut Model) {
    row.version += 1;
    row.updated_at = store::now();
}

fn pause_after(failures: u32) -> TimeDelta {
    let doubled = FIRST_PAUSE * 2_i32.pow(failures.saturating_sub(1).min(16));
    doubled.min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end_growing() {
        let pauses: Vec<i64> = [0, 1, 2, 3, 9, 10, u32::MAX].map(|failures| pause_after(failures).num_seconds()).into();
        assert_eq!(pauses, [1, 1, 2, 4, 256, 300, 300]);
    }
}
