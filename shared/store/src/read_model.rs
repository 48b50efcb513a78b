//! Read models: one row per aggregate of another service, kept by its events. The highest version stays, whatever the
//! order in which they come.

use crate::error::Error;
use sea_orm::sea_query::{Alias, Expr, ExprTrait, OnConflict};
use sea_orm::{ActiveModelTrait, ConnectionTrait, EntityTrait, IntoActiveModel, Iterable};

/// Handlers of events, for [`work()`](crate::work()), each of which gives its event's body to a function of a transaction
/// and a body: event types that tell the same may share one.
///
/// `store::read_models! { CatalogApp => vendor_updated: VendorUpdated => vendors::store; }` makes the handler
/// `vendor_updated`.
#[macro_export]
macro_rules! read_models {
    ($app:ty => $( $name:ident: $event:ty => $store:expr; )+) => { $(
        pub async fn $name(_: ::std::sync::Arc<$app>, tx: $crate::Tx, event: $event) -> Result<(), ::subjects::Fault> {
            $store(&tx, event.0).await
        }
    )+ };
}

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
