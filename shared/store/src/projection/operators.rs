//! What operators, and tests, ask of read models.

use super::built;
use super::models::Model;
use super::page::{Found, Purpose};
use crate::cursor;
use crate::store::HasStore;
use platform::Cx;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use subjects::ops::{OpsError, ReadModelStatus, RebuildOutcome};
use subjects::{Fault, Violation};
use tokio::time::Instant;
use uuid::Uuid;

/// How many aggregates one question to an owner is for.
pub(super) const PAGE: u16 = 500;
/// How long one request builds, if its caller waits that long: never more than half of what there is.
const BUILDING_TIME: Duration = Duration::from_secs(2);

/// Where building goes on.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Place {
    model: String,
    after: Uuid,
}

/// Where a model differs from its source. While neither changes, and nothing is on its way between them, all of it is
/// nought.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Comparison {
    /// How many of the owner's aggregates were looked at.
    pub examined: u64,
    /// How many of them have no row.
    pub missing: u64,
    /// How many of them have a row that keeps something else, an older version for example.
    pub stale: u64,
    /// How many rows are of nothing that the owner has.
    pub surplus: u64,
}

impl Comparison {
    /// Whether the model keeps what its source has, and nothing else.
    pub fn is_equal(&self) -> bool {
        (self.missing, self.stale, self.surplus) == (0, 0, 0)
    }
}

/// Compares a model with its source and changes nothing. It takes a question to the owner for each 500 aggregates.
///
/// # Errors
/// [`OpsError::ReadModelNotFound`]; an owner that does not answer; the database's.
pub async fn compare<A: HasStore>(cx: &Cx<A>, model: &str) -> Result<Comparison, OpsError> {
    let models = A::read_models();
    let model = models.find(model).ok_or(OpsError::ReadModelNotFound)?;
    let mut comparison = Comparison::default();
    let mut after = None;
    loop {
        let Found { examined, missing, stale, surplus, next } =
            (model.go_through)(cx.clone(), after, PAGE, Purpose::Compare).await?;
        comparison.examined += examined;
        comparison.missing += missing;
        comparison.stale += stale;
        comparison.surplus += surplus;
        if next.is_none() {
            return Ok(comparison);
        }
        after = next;
    }
}

/// Every model of the service.
///
/// # Errors
/// The database's.
pub async fn list<A: HasStore>(app: &A) -> Result<Vec<ReadModelStatus>, OpsError> {
    let store = app.store();
    let built = built::all(store.read()).await?;
    let mut statuses = Vec::new();
    for Model { name, owner, count, .. } in A::read_models().iter() {
        statuses.push(ReadModelStatus {
            model: (*name).to_owned(),
            owner: (*owner).to_owned(),
            built_at: built.get(*name).copied(),
            rows: count(store.clone()).await?,
        });
    }
    Ok(statuses)
}

/// Builds as much of a model as some seconds allow, from a cursor on.
///
/// # Errors
/// [`OpsError::ReadModelNotFound`]; a bad request at `/cursor`; an owner that does not answer; the database's.
pub async fn rebuild_page<A: HasStore>(
    cx: &Cx<A>,
    model: &str,
    cursor: Option<&str>,
) -> Result<RebuildOutcome, OpsError> {
    let models = A::read_models();
    let model = models.find(model).ok_or(OpsError::ReadModelNotFound)?;
    let mut after = place_in(model.name, cursor)?;
    let stop = Instant::now() + BUILDING_TIME.min(cx.remaining() / 2);
    let mut outcome = RebuildOutcome::default();
    loop {
        let found = build_page(cx, model, after).await?;
        outcome.examined += found.examined;
        outcome.changed += found.missing + found.stale;
        outcome.removed += found.surplus;
        match found.next {
            None => return Ok(outcome),
            Some(next) if Instant::now() >= stop => {
                outcome.next_cursor = Some(cursor::encode(&Place { model: model.name.to_owned(), after: next }));
                return Ok(outcome);
            }
            next => after = next,
        }
    }
}

/// Builds one page of a model, and notes that it is built where it was the last one.
pub(super) async fn build_page<A: HasStore>(cx: &Cx<A>, model: &Model<A>, after: Option<Uuid>) -> Result<Found, Fault> {
    let found = (model.go_through)(cx.clone(), after, PAGE, Purpose::Build).await?;
    if found.next.is_none() {
        let name = model.name;
        cx.app.store().write(cx, |tx| async move { Ok::<_, Fault>(built::note(&tx, name).await?) }).await?;
    }
    Ok(found)
}

fn place_in(model: &str, cursor: Option<&str>) -> Result<Option<Uuid>, Fault> {
    match cursor::decode::<Place>(cursor)? {
        Some(place) if place.model != model => {
            Err(Fault::invalid(vec![Violation::new("/cursor", "belongs to another read model")]))
        }
        place => Ok(place.map(|place| place.after)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_serves_the_model_it_was_made_for_alone() {
        let after = Uuid::now_v7();
        let cursor = cursor::encode(&Place { model: "pets".to_owned(), after });
        assert_eq!(place_in("pets", Some(&cursor)), Ok(Some(after)));
        assert_eq!(place_in("pets", None), Ok(None));
        for refused in [place_in("vendors", Some(&cursor)), place_in("pets", Some("W10"))] {
            assert_eq!(refused.unwrap_err().violations[0].pointer, "/cursor");
        }
    }
}
