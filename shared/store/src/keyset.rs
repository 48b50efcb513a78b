//! Keyset paging: a list goes on after the last row of the page before, in the order in which it was asked for.

use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{ColumnTrait, EntityTrait, Order, QueryFilter as _, QueryOrder as _, QuerySelect as _, Select, Value};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use subjects::{Fault, Violation};
use uuid::Uuid;

/// The last row of a page, as a cursor keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Place<Sort> {
    /// The order of the list.
    pub sort: Sort,
    /// The row's value of what the list is ordered by; null where that is the id alone.
    pub value: serde_json::Value,
    /// The row's id, which decides among equal values.
    pub id: Uuid,
}

impl<Sort: PartialEq + DeserializeOwned> Place<Sort> {
    /// The place that a cursor of a list in this order keeps.
    ///
    /// # Errors
    /// A bad request at `/cursor` where it is no cursor, or one of another order.
    pub fn read(cursor: Option<&str>, sort: Sort) -> Result<Option<Place<Sort>>, Fault> {
        let place: Option<Place<Sort>> = crate::cursor::decode(cursor)?;
        if place.as_ref().is_some_and(|place| place.sort != sort) {
            return Err(bad_cursor("belongs to a list in another order"));
        }
        Ok(place)
    }

    /// The value, of the type that the order has.
    ///
    /// # Errors
    /// A bad request at `/cursor` where it is of another type, which no cursor of ours is.
    pub fn value<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        let is_storable = self.value.as_str().is_none_or(|text| !text.contains('\0'));
        let value = is_storable.then(|| serde_json::from_value(self.value.clone()).ok()).flatten();
        value.ok_or_else(|| bad_cursor("is not a cursor of this list"))
    }
}

/// Orders rows by a column and, among equals, by id; begins after a place; and takes one more than `limit`, by which it
/// is known whether there is a next page. Rows are compared as wholes, so that an index on both columns serves.
///
/// # Errors
/// Those of [`Place::value`].
pub fn page<E, T, Sort>(
    rows: Select<E>,
    (column, id): (E::Column, E::Column),
    order: Order,
    after: Option<&Place<Sort>>,
    limit: u16,
) -> Result<Select<E>, Fault>
where
    E: EntityTrait,
    T: DeserializeOwned + Into<Value>,
    Sort: PartialEq + DeserializeOwned,
{
    let mut rows = rows.order_by(column, order.clone()).order_by(id, order.clone()).limit(u64::from(limit) + 1);
    if let Some(place) = after {
        let value: T = place.value()?;
        let row = Expr::tuple([Expr::col(column.as_column_ref()), Expr::col(id.as_column_ref())]);
        let last_row = Expr::tuple([Expr::value(value), Expr::value(place.id)]);
        rows = rows.filter(if order == Order::Desc { row.lt(last_row) } else { row.gt(last_row) });
    }
    Ok(rows)
}

/// [`page`] of a list whose order is that of the ids alone: those of version 7 are in the order in which rows were made.
pub fn page_by_id<E: EntityTrait, Sort>(
    rows: Select<E>,
    id: E::Column,
    order: Order,
    after: Option<&Place<Sort>>,
    limit: u16,
) -> Select<E> {
    let rows = rows.order_by(id, order.clone()).limit(u64::from(limit) + 1);
    match after {
        Some(place) if order == Order::Desc => rows.filter(id.lt(place.id)),
        Some(place) => rows.filter(id.gt(place.id)),
        None => rows,
    }
}

/// The fault of a cursor that cannot be used.
fn bad_cursor(message: &str) -> Fault {
    Fault::invalid(vec![Violation::new("/cursor", message)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use subjects::vendor::ServiceSort;

    fn cursor(sort: ServiceSort, value: impl Into<serde_json::Value>) -> String {
        crate::cursor::encode(&Place { sort, value: value.into(), id: Uuid::nil() })
    }

    fn pointer<T: std::fmt::Debug>(refused: Result<T, Fault>) -> String {
        refused.unwrap_err().violations.remove(0).pointer
    }

    #[test]
    fn a_cursor_serves_the_order_it_was_made_for_alone() {
        let by_price = cursor(ServiceSort::Price, 125_000);
        let place = Place::read(Some(&by_price), ServiceSort::Price).unwrap().unwrap();
        assert_eq!(place.value::<i64>(), Ok(125_000));
        assert_eq!(pointer(Place::read(Some(&by_price), ServiceSort::PriceDescending)), "/cursor");
        assert_eq!(Place::read(None, ServiceSort::Price), Ok(None));
    }

    #[test]
    fn a_forged_value_is_refused_before_the_database_sees_it() {
        for value in [serde_json::Value::from("nul\0"), 7.into(), serde_json::Value::Null] {
            let place = Place::read(Some(&cursor(ServiceSort::Name, value)), ServiceSort::Name).unwrap().unwrap();
            assert_eq!(pointer(place.value::<String>()), "/cursor");
        }
    }
}
