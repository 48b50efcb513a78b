//! The owner's side: what it answers to those who keep read models of what is its.

use crate::error::Error;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter as _, QueryOrder as _, QuerySelect as _};
use serde::Serialize;
use std::io;
use subjects::Fault;
use subjects::snapshot::{Snapshot, SnapshotItem, SnapshotPage};
use uuid::Uuid;

/// How large the items of a page may become, in bytes of JSON: a message holds a megabyte.
const MAX_BYTES: usize = 512 * 1024;

/// The rows of a page of a snapshot: one more than `limit`, by which [`snapshot_page`] knows whether there is a next one.
///
/// # Errors
/// The database's.
pub async fn snapshot_rows<E: EntityTrait>(
    db: &impl ConnectionTrait,
    id: E::Column,
    after: Option<Uuid>,
    limit: u16,
) -> Result<Vec<E::Model>, Error> {
    let rows = E::find().order_by_asc(id).limit(u64::from(limit) + 1);
    let rows = match after {
        Some(after) => rows.filter(id.gt(after)),
        None => rows,
    };
    Ok(rows.all(db).await?)
}

/// A page of at most `limit` items out of such rows, or of as many as a message can hold; one at the least.
///
/// # Errors
/// A row that no state can be made of, or that has no JSON form.
pub fn snapshot_page<S: Snapshot, Row>(
    rows: Vec<Row>,
    limit: u16,
    item: impl Fn(Row) -> Result<SnapshotItem<S::State>, Fault>,
) -> Result<SnapshotPage<S::State>, Fault> {
    let mut items: Vec<SnapshotItem<S::State>> = Vec::new();
    let mut bytes = 0;
    for row in rows {
        let last = items.last().map(|last| S::id_of(&last.state));
        if items.len() >= usize::from(limit) {
            return Ok(SnapshotPage { items, next: last });
        }
        let item = item(row)?;
        bytes += size(&item)?;
        if bytes > MAX_BYTES && last.is_some() {
            return Ok(SnapshotPage { items, next: last });
        }
        items.push(item);
    }
    Ok(SnapshotPage { items, next: None })
}

fn size(item: &impl Serialize) -> Result<usize, Fault> {
    let mut counted = Counted(0);
    serde_json::to_writer(&mut counted, item).map_err(Fault::internal)?;
    Ok(counted.0)
}

/// Counts what is written to it.
struct Counted(usize);

impl io::Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use subjects::ids::{PetId, UserId};
    use subjects::profile::{PetSnapshot, PetState, Species};

    /// How many pets a page holds, and where it goes on, of pets that are shared with so many.
    fn page(limit: u16, shared_with: &[usize]) -> (usize, Option<u128>) {
        let pets = shared_with.iter().zip(1..).map(|(people, id)| PetState {
            pet_id: PetId(Uuid::from_u128(id)),
            owner_id: UserId(Uuid::nil()),
            species: Species::Cat,
            shared_with: vec![UserId(Uuid::nil()); *people],
            removed: false,
            version: 1,
        });
        let item = |state| Ok(SnapshotItem { state, removed: false });
        let page = snapshot_page::<PetSnapshot, _>(pets.collect(), limit, item).unwrap();
        (page.items.len(), page.next.map(|next| next.as_u128()))
    }

    #[test]
    fn a_page_ends_at_its_limit() {
        assert_eq!(page(3, &[]), (0, None));
        assert_eq!(page(3, &[1; 3]), (3, None));
        assert_eq!(page(3, &[1; 4]), (3, Some(3)));
    }

    #[test]
    fn a_page_fits_into_a_message() {
        // An id takes 39 bytes.
        let half = MAX_BYTES / 2 / 39;
        assert_eq!(page(100, &[half; 5]), (1, Some(1)));
        assert_eq!(page(100, &[half - 100; 5]), (2, Some(2)));
        assert_eq!(page(100, &[3 * half, 1]), (1, Some(1)));
        assert_eq!(page(100, &[3 * half]), (1, None));
    }
}
