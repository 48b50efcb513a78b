//! Rows of any read model, by the columns that all of them have.

use crate::error::Error;
use crate::read_model::ReadModel;
use sea_orm::sea_query::{Alias, Expr, ExprTrait as _, ValueType};
use sea_orm::{
    ConnectionTrait, IdenStatic as _, Iterable as _, ModelTrait as _, Order, PaginatorTrait as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _,
};
use subjects::Fault;
use subjects::time::Instant;
use uuid::Uuid;

const ID: &str = "id";
const VERSION: &str = "version";
const REMOVED_AT: &str = "removed_at";

/// A row of a read model, with what all of them have.
#[derive(Debug, Clone)]
pub(super) struct Row<M: ReadModel> {
    pub id: Uuid,
    pub version: i64,
    pub removed: bool,
    pub model: M::Model,
}

impl<M: ReadModel> Row<M> {
    /// # Errors
    /// A table without one of the columns.
    pub(super) fn of(model: M::Model) -> Result<Row<M>, Fault> {
        let id = column::<M, Uuid>(&model, ID)?;
        let version = column::<M, i64>(&model, VERSION)?;
        let removed = column::<M, Option<Instant>>(&model, REMOVED_AT)?.is_some();
        Ok(Row { id, version, removed, model })
    }

    /// The tombstone of a row whose aggregate is gone.
    ///
    /// # Errors
    /// A table without one of the columns.
    pub(super) fn gone(self) -> Result<M::Model, Fault> {
        let mut tombstone = M::gone(self.model);
        let removed_at = find_column::<M>(REMOVED_AT)?;
        tombstone.try_set(removed_at, Some(crate::clock::now()).into()).map_err(Fault::internal)?;
        Ok(tombstone)
    }

    /// Whether both keep the same. When something was heard to be gone does not matter.
    pub(super) fn keeps_what(&self, other: &Row<M>) -> bool {
        let matters = |column: &M::Column| column.as_str() != REMOVED_AT;
        self.removed == other.removed
            && M::Column::iter().filter(matters).all(|column| self.model.get(column) == other.model.get(column))
    }
}

/// The model's name, which is its table's.
pub(super) fn name<M: ReadModel>() -> &'static str {
    M::default().table_name()
}

/// The first `limit` rows above an id, tombstones among them, by their ids.
pub(super) async fn after<M: ReadModel>(
    db: &impl ConnectionTrait,
    after: Option<Uuid>,
    limit: u16,
) -> Result<Vec<Row<M>>, Fault> {
    let id = Expr::col((M::default(), Alias::new(ID)));
    let rows = M::find().order_by(id.clone(), Order::Asc).limit(u64::from(limit));
    let rows = match after {
        Some(after) => rows.filter(id.gt(after)),
        None => rows,
    };
    let rows = rows.all(db).await.map_err(Error::from)?;
    rows.into_iter().map(Row::of).collect()
}

/// How many rows there are, without tombstones.
pub(super) async fn count<M: ReadModel>(db: &impl ConnectionTrait) -> Result<i64, Fault> {
    let removed_at = Expr::col((M::default(), Alias::new(REMOVED_AT)));
    let counted = M::find().filter(removed_at.is_null()).count(db).await.map_err(Error::from)?;
    counted.try_into().map_err(Fault::internal)
}

fn column<M: ReadModel, T: ValueType>(model: &M::Model, name: &'static str) -> Result<T, Fault> {
    <T as ValueType>::try_from(model.get(find_column::<M>(name)?)).map_err(Fault::internal)
}

fn find_column<M: ReadModel>(name: &'static str) -> Result<M::Column, Fault> {
    let found = M::Column::iter().find(|column| column.as_str() == name);
    found.ok_or_else(|| Fault::internal(format!("the read model {} has no column {name}", self::name::<M>())))
}
