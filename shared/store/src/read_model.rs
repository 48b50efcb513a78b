//! Read models: one row per aggregate of another service, kept by its events. The highest version stays, whatever the
//! order in which they come.

use crate::error::Error;
use sea_orm::sea_query::{Alias, Expr, ExprTrait, OnConflict};
use sea_orm::{ActiveModelTrait, ConnectionTrait, EntityTrait, IntoActiveModel, Iterable};

/// Stores a row of a read model, unless one of the same or a higher version is there already. Answers whether it did.
///
/// # Errors
/// The database's.
pub async fn store_if_newer<E, M>(
    db: &impl ConnectionTrait,
    row: M,
    id: E::Column,
    version: E::Column,
) -> Result<bool, Error>
where
    E: EntityTrait,
    E::ActiveModel: ActiveModelTrait<Entity = E>,
    M: IntoActiveModel<E::ActiveModel>,
{
    let replaces = Expr::col((E::default(), version)).lt(Expr::col((Alias::new("excluded"), version)));
    let on_conflict = OnConflict::column(id).update_columns(E::Column::iter()).action_and_where(replaces).to_owned();
    // No row: what is there is as new or newer.
    let stored = E::insert(row.into_active_model()).on_conflict(on_conflict).exec_without_returning(db).await?;
    Ok(stored > 0)
}
