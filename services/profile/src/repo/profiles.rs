//! Profiles.

use super::failed;
use crate::convert;
use crate::entity::profiles::{ActiveModel, Entity, Model};
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, ConnectionTrait, EntityTrait, IntoActiveModel, ModelTrait, QuerySelect};
use store::{Tx, statement};
use subjects::Fault;
use subjects::ids::UserId;
use subjects::profile::{ProfileState, ProfileUpdated, UpdateProfile};
use subjects::time::Instant;

const BEGIN: &str = "insert into profiles (user_id, version) values ($1, 1) on conflict (user_id) do nothing";

/// A person's profile, where there is a row of it.
pub async fn find(db: &impl ConnectionTrait, user_id: UserId) -> Result<Option<Model>, store::Error> {
    Ok(Entity::find_by_id(user_id).one(db).await?)
}

/// A person's profile, held against changes by others until the transaction ends.
pub async fn lock(tx: &Tx, user_id: UserId) -> Result<Option<Model>, store::Error> {
    Ok(Entity::find_by_id(user_id).lock_exclusive().one(tx).await?)
}

/// Gives a person the row of an empty profile, where there is none.
pub async fn begin(tx: &Tx, user_id: UserId) -> Result<(), store::Error> {
    tx.execute_raw(statement(BEGIN, vec![user_id.into()])).await?;
    Ok(())
}

/// Changes what is named, and tells it.
pub async fn change(tx: &Tx, row: Model, changes: &UpdateProfile, now: Instant) -> Result<Model, Fault> {
    let UpdateProfile { user_id: _, display_name, bio, avatar_url, birth_date } = changes.clone();
    let version = row.version + 1;
    let mut changed: ActiveModel = row.into_active_model();
    if let Some(display_name) = display_name {
        changed.display_name = Set(display_name);
    }
    if let Some(bio) = bio {
        changed.bio = Set(bio);
    }
    if let Some(avatar_url) = avatar_url {
        changed.avatar_url = Set(avatar_url);
    }
    if let Some(birth_date) = birth_date {
        changed.birth_date = Set(birth_date);
    }
    changed.updated_at = Set(Some(now));
    changed.version = Set(version);
    let row = changed.update(tx).await.map_err(failed)?;
    tx.emit(&ProfileUpdated(convert::profile_state(&row))).await?;
    Ok(row)
}

/// Removes a profile, and tells it.
pub async fn remove(tx: &Tx, row: Model) -> Result<(), Fault> {
    let tombstone = ProfileState { removed: true, version: row.version + 1, ..convert::profile_state(&row) };
    row.delete(tx).await.map_err(failed)?;
    tx.emit(&ProfileUpdated(tombstone)).await
}
