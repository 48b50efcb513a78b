//! Lists in the order in which their rows were made. Ids of version 7 have that order, so the id alone is the place.

use sea_orm::{EntityTrait, Order, Select};
use store::keyset::{self, Place};
use subjects::profile::AgeSort;
use subjects::{Fault, Page};
use uuid::Uuid;

/// Which part of a list is asked for.
#[derive(Debug, Clone)]
pub struct Part {
    sort: AgeSort,
    after: Option<Place<AgeSort>>,
    limit: u16,
}

impl Part {
    /// The part that begins where a cursor says.
    ///
    /// # Errors
    /// A bad request at `/cursor` where it is no cursor, or one of another order.
    pub fn of(sort: AgeSort, cursor: Option<&str>, limit: Option<u16>) -> Result<Part, Fault> {
        Ok(Part { sort, after: Place::read(cursor, sort)?, limit: store::cursor::limit(limit) })
    }

    fn place(&self, id: Uuid) -> Place<AgeSort> {
        Place { sort: self.sort, value: serde_json::Value::Null, id }
    }

    /// Takes these rows, and one more, by which it is known whether there is a next part.
    pub fn select<E: EntityTrait>(&self, rows: Select<E>, id: E::Column) -> Select<E> {
        let order = match self.sort {
            AgeSort::CreatedAt => Order::Asc,
            AgeSort::CreatedAtDescending => Order::Desc,
        };
        keyset::page_by_id(rows, id, order, self.after.as_ref(), self.limit)
    }

    /// The page of the rows that [`Part::select`] took.
    pub fn page<T>(&self, rows: Vec<T>, id: impl FnOnce(&T) -> Uuid) -> Page<T> {
        store::page(rows, self.limit, |last| self.place(id(last)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_serves_the_order_it_was_made_for_alone() {
        let cursor = store::cursor::encode(&Part::of(AgeSort::CreatedAt, None, None).unwrap().place(Uuid::nil()));
        assert!(Part::of(AgeSort::CreatedAt, Some(&cursor), None).is_ok());
        for (sort, cursor) in [(AgeSort::CreatedAtDescending, cursor.as_str()), (AgeSort::CreatedAt, "forged")] {
            let refused = Part::of(sort, Some(cursor), None).unwrap_err();
            assert_eq!(refused.violations[0].pointer, "/cursor");
        }
    }
}
