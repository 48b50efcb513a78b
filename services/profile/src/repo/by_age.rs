//! Lists in the order in which their rows were made. Ids of version 7 have that order, so the id alone is the place.

use sea_orm::{ColumnTrait, EntityTrait, Order, QueryFilter as _, QueryOrder as _, QuerySelect as _, Select};
use serde::{Deserialize, Serialize};
use subjects::profile::AgeSort;
use subjects::{Fault, Page, Violation};
use uuid::Uuid;

/// The last row of a page, as a cursor keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    sort: AgeSort,
    id: Uuid,
}

/// Which part of a list is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    sort: AgeSort,
    after: Option<Uuid>,
    limit: u16,
}

impl Part {
    /// The part that begins where a cursor says.
    ///
    /// # Errors
    /// A bad request at `/cursor` where it is no cursor, or one of another order.
    pub fn of(sort: AgeSort, cursor: Option<&str>, limit: Option<u16>) -> Result<Part, Fault> {
        let place: Option<Place> = store::cursor::decode(cursor)?;
        if place.is_some_and(|place| place.sort != sort) {
            return Err(Fault::invalid(vec![Violation::new("/cursor", "belongs to a list in another order")]));
        }
        Ok(Part { sort, after: place.map(|place| place.id), limit: store::cursor::limit(limit) })
    }

    /// Takes these rows, and one more, by which it is known whether there is a next part.
    pub fn select<E: EntityTrait>(&self, rows: Select<E>, id: E::Column) -> Select<E> {
        let rows = rows.limit(u64::from(self.limit) + 1);
        match self.sort {
            AgeSort::CreatedAt => {
                let rows = rows.order_by(id, Order::Asc);
                if let Some(after) = self.after { rows.filter(id.gt(after)) } else { rows }
            }
            AgeSort::CreatedAtDescending => {
                let rows = rows.order_by(id, Order::Desc);
                if let Some(after) = self.after { rows.filter(id.lt(after)) } else { rows }
            }
        }
    }

    /// The page of the rows that [`Part::select`] took.
    pub fn page<T>(&self, rows: Vec<T>, id: impl FnOnce(&T) -> Uuid) -> Page<T> {
        store::page(rows, self.limit, |last| Place { sort: self.sort, id: id(last) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_serves_the_order_it_was_made_for_alone() {
        let cursor = store::cursor::encode(&Place { sort: AgeSort::CreatedAt, id: Uuid::nil() });
        assert!(Part::of(AgeSort::CreatedAt, Some(&cursor), None).is_ok());
        for (sort, cursor) in [(AgeSort::CreatedAtDescending, cursor.as_str()), (AgeSort::CreatedAt, "forged")] {
            let refused = Part::of(sort, Some(cursor), None).unwrap_err();
            assert_eq!(refused.violations[0].pointer, "/cursor");
        }
    }
}
