//! Registrations.

use crate::entity::registration::{ActiveModel, Column, Entity, Model, RegistrationStep};
use crate::repo::failed;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
};
use store::Tx;
use subjects::Fault;
use subjects::ids::{UserId, VendorId};
use subjects::time::Instant;
use uuid::Uuid;

/// How many unfinished registrations a sweep looks at.
const SWEEP_LIMIT: u64 = 100;

/// Reads a registration and keeps others from changing it until the transaction's end.
pub async fn lock(tx: &Tx, id: Uuid) -> Result<Option<Model>, store::Error> {
    Ok(Entity::find_by_id(id).lock_exclusive().one(tx).await?)
}

/// Begins a registration, or finds the one that was begun under the same key, locked.
pub async fn begin(tx: &Tx, idempotency_key: Option<&str>, fingerprint: &[u8], now: Instant) -> Result<Model, Fault> {
    let id = Uuid::now_v7();
    let row = ActiveModel {
        id: Set(id),
        user_id: Set(UserId::new()),
        vendor_id: Set(VendorId::new()),
        step: Set(RegistrationStep::Started),
        refusal: Set(None),
        idempotency_key: Set(idempotency_key.map(str::to_owned)),
        fingerprint: Set(fingerprint.to_vec()),
        created_at: Set(now),
        updated_at: Set(now),
        version: Set(1),
    };
    Entity::insert(row)
        .on_conflict(OnConflict::column(Column::IdempotencyKey).do_nothing().to_owned())
        .exec_without_returning(tx)
        .await
        .map_err(failed)?;
    let select = match idempotency_key {
        Some(key) => Entity::find().filter(Column::IdempotencyKey.eq(key)),
        None => Entity::find_by_id(id),
    };
    let begun = select.lock_exclusive().one(tx).await.map_err(failed)?;
    begun.ok_or_else(|| Fault::internal("a registration that was just begun is not there"))
}

/// Takes a registration up again that had run out of time. The vendor gets another id: events of the old one may
/// have been told, up to its removal.
pub async fn reopen(tx: &Tx, row: Model, now: Instant) -> Result<Model, store::Error> {
    let version = row.version + 1;
    let mut changed = row.into_active_model();
    changed.vendor_id = Set(VendorId::new());
    changed.step = Set(RegistrationStep::Started);
    changed.updated_at = Set(now);
    changed.version = Set(version);
    Ok(changed.update(tx).await?)
}

/// Notes how far a registration has come.
pub async fn set_step(tx: &Tx, row: Model, step: RegistrationStep, now: Instant) -> Result<Model, store::Error> {
    let version = row.version + 1;
    let mut changed = row.into_active_model();
    changed.step = Set(step);
    changed.updated_at = Set(now);
    changed.version = Set(version);
    Ok(changed.update(tx).await?)
}

/// Notes that a registration was refused, and with what.
pub async fn refuse(tx: &Tx, row: Model, refusal: &Fault, now: Instant) -> Result<Model, Fault> {
    let version = row.version + 1;
    let mut changed = row.into_active_model();
    changed.step = Set(RegistrationStep::Failed);
    changed.refusal = Set(Some(serde_json::to_value(refusal).map_err(Fault::internal)?));
    changed.updated_at = Set(now);
    changed.version = Set(version);
    changed.update(tx).await.map_err(failed)
}

/// Registrations that have stood at a step since before an instant.
pub async fn standing_since(
    db: &impl ConnectionTrait,
    step: RegistrationStep,
    before: Instant,
) -> Result<Vec<Model>, store::Error> {
    Ok(Entity::find()
        .filter(Column::Step.eq(step))
        .filter(Column::UpdatedAt.lt(before))
        .order_by_asc(Column::UpdatedAt)
        .limit(SWEEP_LIMIT)
        .all(db)
        .await?)
}

/// Forgets registrations that were finished before an instant.
pub async fn forget_finished(tx: &Tx, before: Instant) -> Result<u64, store::Error> {
    let finished = Entity::delete_many()
        .filter(Column::Step.is_in([RegistrationStep::Done, RegistrationStep::Failed]))
        .filter(Column::UpdatedAt.lt(before))
        .exec(tx)
        .await?;
    Ok(finished.rows_affected)
}
