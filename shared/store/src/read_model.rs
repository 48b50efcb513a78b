//! Read models: one row per aggregate of another service, kept by its events and built from its owner's snapshot. The
//! highest version stays, whatever the order in which they come.

use crate::error::Error;
use crate::tx::Tx;
use sea_orm::sea_query::{Alias, Expr, ExprTrait, OnConflict};
use sea_orm::{ConnectionTrait, EntityTrait, IntoActiveModel, Iterable};
use subjects::Fault;
use subjects::snapshot::Snapshot;

/// A table that keeps what another service tells of the aggregates of one entity. It has the columns `id`, `version` and
/// `removed_at`, and its name is the model's.
///
/// One [`row`](ReadModel::row) serves the events, the building from the snapshot and the comparison with it.
pub trait ReadModel:
    EntityTrait<Model: IntoActiveModel<<Self as EntityTrait>::ActiveModel> + Sync, ActiveModel: Send>
{
    /// What asks the owner for all of them.
    type Snapshot: Snapshot;

    /// How many rows one transaction stores while the model is built. Where storing a row takes locks that requests wait
    /// for, each row has a transaction of its own.
    const ROWS_PER_TRANSACTION: usize = 100;

    /// The row that keeps a state; none where nothing of it is kept here. What is said to be removed is so whether the
    /// state says it, too, or not.
    ///
    /// # Errors
    /// A state that no row can keep.
    fn row(state: StateOf<Self>, removed: bool) -> Result<Option<Self::Model>, Fault>;

    /// What becomes of a row whose aggregate is gone, as far as it says so elsewhere than in `removed_at`.
    fn gone(row: Self::Model) -> Self::Model {
        row
    }

    /// Stores a row, and does what goes with it.
    ///
    /// # Errors
    /// The database's.
    fn store(tx: &Tx, row: Self::Model, replaces: Replaces) -> impl Future<Output = Result<(), Fault>> + Send {
        async move { Ok(store_row::<Self>(tx, row, replaces).await.map(|_stored| ())?) }
    }
}

/// What the events of a model's source carry.
pub type StateOf<M> = <<M as ReadModel>::Snapshot as Snapshot>::State;

/// Which row of a read model another one may take the place of. Where there is none, it always does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replaces {
    /// One of a lower version.
    Older,
    /// One of a lower version, or of exactly this one, which has been found to be wrong.
    OlderOr(i64),
}

/// Handlers of events, for [`work()`](crate::work()), each of which gives its event's body to a function of a transaction
/// and a body: event types that tell the same may share one.
///
/// `store::read_models! { CatalogApp => vendor_updated: VendorUpdated => store::keep::<vendors::Entity>; }` makes the
/// handler `vendor_updated`.
#[macro_export]
macro_rules! read_models {
    ($app:ty => $( $name:ident: $event:ty => $store:expr; )+) => { $(
        pub async fn $name(_: ::std::sync::Arc<$app>, tx: $crate::Tx, event: $event) -> Result<(), ::subjects::Fault> {
            $store(&tx, event.0).await
        }
    )+ };
}

/// Keeps what an event tells.
///
/// # Errors
/// The database's, and those of [`ReadModel::row`].
pub async fn keep<M: ReadModel>(tx: &Tx, state: StateOf<M>) -> Result<(), Fault> {
    keep_as::<M>(tx, state, false).await
}

/// Likewise, of an event that tells that its aggregate is gone, where its body does not say so.
///
/// # Errors
/// As of [`keep`].
pub async fn keep_removed<M: ReadModel>(tx: &Tx, state: StateOf<M>) -> Result<(), Fault> {
    keep_as::<M>(tx, state, true).await
}

async fn keep_as<M: ReadModel>(tx: &Tx, state: StateOf<M>, removed: bool) -> Result<(), Fault> {
    match M::row(state, removed)? {
        Some(row) => M::store(tx, row, Replaces::Older).await,
        None => Ok(()),
    }
}

/// Stores a row of a read model, unless there is one that it may not replace. Answers whether it did.
///
/// # Errors
/// The database's.
pub async fn store_row<M: ReadModel>(
    db: &impl ConnectionTrait,
    row: M::Model,
    replaces: Replaces,
) -> Result<bool, Error> {
    let version = || Expr::col((M::default(), Alias::new("version")));
    let is_older = version().lt(Expr::col((Alias::new("excluded"), Alias::new("version"))));
    let may_go = match replaces {
        Replaces::Older => is_older,
        Replaces::OlderOr(wrong) => is_older.or(version().eq(wrong)),
    };
    let on_conflict =
        OnConflict::column(Alias::new("id")).update_columns(M::Column::iter()).action_and_where(may_go).to_owned();
    // No row: what is there stays.
    let stored = M::insert(row.into_active_model()).on_conflict(on_conflict).exec_without_returning(db).await?;
    Ok(stored > 0)
}
