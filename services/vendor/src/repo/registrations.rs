//! Registrations.

use crate::entity::registration::{ActiveModel, Column, Entity, Model, RegistrationStep};
use crate::repo::failed;
use crate::request_key::RequestKey;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect, Statement,
};
use store::Tx;
use subjects::Fault;
use subjects::ids::{UserId, VendorId};
use subjects::time::Instant;
use uuid::Uuid;

/// How many unfinished registrations a sweep looks at.
const SWEEP_LIMIT: u64 = 100;
/// How many finished registrations are forgotten at once, so that no statement runs long.
pub const FORGET_LIMIT: u64 = 5_000;

/// The two ends of a registration.
#[derive(Debug, Clone, Copy)]
pub enum Finished {
    /// The vendor and its owner are there.
    Done,
    /// Refused, given up or taken back.
    Failed,
}

/// Reads a registration and keeps others from changing it until the transaction's end.
pub async fn lock(tx: &Tx, id: Uuid) -> Result<Option<Model>, store::Error> {
    Ok(Entity::find_by_id(id).lock_exclusive().one(tx).await?)
}

/// Begins a registration, or finds the one that was begun under the same key, locked.
pub async fn begin(tx: &Tx, request_key: Option<&RequestKey>, now: Instant) -> Result<Model, Fault> {
    let id = Uuid::now_v7();
    let row = ActiveModel {
        id: Set(id),
        user_id: Set(UserId::new()),
        vendor_id: Set(VendorId::new()),
        step: Set(RegistrationStep::Started),
        refusal: Set(None),
        key_hash: Set(request_key.map(|key| key.key_hash.clone())),
        fingerprint: Set(request_key.map(|key| key.fingerprint.clone())),
        created_at: Set(now),
        updated_at: Set(now),
        version: Set(1),
    };
    Entity::insert(row)
        .on_conflict(OnConflict::column(Column::KeyHash).do_nothing().to_owned())
        .exec_without_returning(tx)
        .await
        .map_err(failed)?;
    let select = match request_key {
        Some(key) => Entity::find().filter(Column::KeyHash.eq(key.key_hash.clone())),
        None => Entity::find_by_id(id),
    };
    let begun = select.lock_exclusive().one(tx).await.map_err(failed)?;
    begun.ok_or_else(|| Fault::internal("a registration that was just begun is not there"))
}

/// Takes a registration up again that had run out of time. The vendor gets another id: events of the old one may
/// have been told, up to its removal, and who still works on the old one notices by it. The user keeps theirs: a
/// pending user of a registration that was given up may still hold the address, and nobody ever asked to activate
/// them; for one that was taken back, [`take_back`] has made another.
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

/// Notes that a registration failed after its vendor was there. The user gets another id for the next try: a request
/// to activate the old one may still be on its way, and must not activate whoever is made then.
pub async fn take_back(tx: &Tx, row: Model, now: Instant) -> Result<Model, store::Error> {
    let version = row.version + 1;
    let mut changed = row.into_active_model();
    changed.user_id = Set(UserId::new());
    changed.step = Set(RegistrationStep::Failed);
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

/// Forgets registrations that came to an end before an instant, at most [`FORGET_LIMIT`] of them, and answers how
/// many. The step stands in the text, so that the planner knows that the index of finished ones fits.
pub async fn forget(tx: &Tx, finished: Finished, before: Instant) -> Result<u64, store::Error> {
    let step = match finished {
        Finished::Done => "done",
        Finished::Failed => "failed",
    };
    let sql = format!(
        "delete from registrations where id = any(array(select id from registrations \
         where step = '{step}' and updated_at < $1 limit {FORGET_LIMIT} for update skip locked))"
    );
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, [before.into()]);
    Ok(tx.execute_raw(statement).await?.rows_affected())
}
