//! One page: a part of a model beside the same part of its source, and what is to be done about it.

use super::rows::{self, Row};
use crate::read_model::{ReadModel, Replaces};
use crate::store::HasStore;
use crate::tx::Tx;
use platform::{Calls, Cx};
use std::collections::BTreeMap;
use subjects::snapshot::{Snapshot as _, SnapshotPage};
use subjects::{Fault, NoError};
use uuid::Uuid;

/// What a page is gone through for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To make the model equal to its source.
    Build,
    /// To count where it differs.
    Compare,
}

/// What was found on a page; where it was to be built, what was made good.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// How many of the owner's aggregates were looked at.
    pub examined: u64,
    /// How many of them have no row.
    pub missing: u64,
    /// How many of them have a row that keeps something else.
    pub stale: u64,
    /// How many rows are of nothing that the owner has.
    pub surplus: u64,
    /// The id after which it goes on.
    pub next: Option<Uuid>,
}

/// Goes through the page of at most `limit` aggregates, and as many rows, above an id.
pub(super) async fn go_through<A, M>(
    cx: &Cx<A>,
    after: Option<Uuid>,
    limit: u16,
    purpose: Purpose,
) -> Result<Found, Fault>
where
    A: HasStore + Calls<M::Snapshot>,
    M: ReadModel,
{
    // In this order: see the module's documentation.
    let rows = rows::after::<M>(cx.app.store().read(), after, limit).await?;
    let page = cx.call(&M::Snapshot::page(after, limit)).await.map_err(|NoError(fault)| fault)?;
    let (found, changes) = compared(rows, page, limit)?;
    if purpose == Purpose::Build {
        store(cx, &changes).await?;
    }
    Ok(found)
}

/// A row that takes another one's place.
struct Change<M: ReadModel> {
    id: Uuid,
    model: M::Model,
    replaces: Replaces,
}

fn compared<M: ReadModel>(
    rows: Vec<Row<M>>,
    page: SnapshotPage<crate::read_model::StateOf<M>>,
    limit: u16,
) -> Result<(Found, Vec<Change<M>>), Fault> {
    // There may be more rows, or more of the owner's, behind the last ones: the page ends where both are known.
    let last_row = rows.last().filter(|_| rows.len() >= usize::from(limit)).map(|row| row.id);
    let next = [last_row, page.next].into_iter().flatten().min();
    let is_on_page = |id: Uuid| next.is_none_or(|next| id <= next);

    let mut found = Found { next, ..Found::default() };
    let mut changes = Vec::new();
    let mut rows: BTreeMap<Uuid, Row<M>> =
        rows.into_iter().filter(|row| is_on_page(row.id)).map(|row| (row.id, row)).collect();
    for item in page.items {
        let id = M::Snapshot::id_of(&item.state);
        if !is_on_page(id) {
            break;
        }
        found.examined += 1;
        let Some(model) = M::row(item.state, item.removed)? else { continue };
        let wanted = Row::<M>::of(model)?;
        match rows.remove(&id) {
            None => {
                found.missing += 1;
                changes.push(Change { id, model: wanted.model, replaces: Replaces::Older });
            }
            Some(row) if row.keeps_what(&wanted) => {}
            Some(row) => {
                found.stale += 1;
                changes.push(Change { id, model: wanted.model, replaces: Replaces::OlderOr(row.version) });
            }
        }
    }
    for row in rows.into_values().filter(|row| !row.removed) {
        found.surplus += 1;
        let replaces = Replaces::OlderOr(row.version);
        changes.push(Change { id: row.id, model: row.gone()?, replaces });
    }
    // The order in which consumers hold the rows of several events.
    changes.sort_unstable_by_key(|change| change.id);
    Ok((found, changes))
}

async fn store<A: HasStore, M: ReadModel>(cx: &Cx<A>, changes: &[Change<M>]) -> Result<(), Fault> {
    for together in changes.chunks(M::ROWS_PER_TRANSACTION.max(1)) {
        cx.app.store().write(cx, |tx| store_together::<M>(tx, together)).await?;
    }
    Ok(())
}

async fn store_together<M: ReadModel>(tx: Tx, changes: &[Change<M>]) -> Result<(), Fault> {
    for Change { id: _, model, replaces } in changes {
        M::store(&tx, model.clone(), *replaces).await?;
    }
    Ok(())
}
