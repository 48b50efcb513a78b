//! Attempts to sign in.

use crate::domain::email;
use crate::entity::login_attempt::{self, LoginOutcome};
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter};
use store::Error;
use subjects::ids::UserId;
use subjects::time::Instant;
use uuid::Uuid;

/// Records an attempt.
pub async fn insert(
    db: &impl ConnectionTrait,
    normalised_email: &str,
    user_id: Option<UserId>,
    outcome: LoginOutcome,
    attempted_at: Instant,
) -> Result<(), Error> {
    let row = login_attempt::Model {
        id: Uuid::now_v7(),
        email_hash: email::hash(normalised_email),
        user_id,
        outcome,
        attempted_at,
    };
    login_attempt::Entity::insert(row.into_active_model().reset_all()).exec_without_returning(db).await?;
    Ok(())
}

/// Removes attempts from before `then`, and answers how many.
pub async fn remove_before(db: &impl ConnectionTrait, then: Instant) -> Result<u64, Error> {
    let old = login_attempt::Column::AttemptedAt.lt(then);
    Ok(login_attempt::Entity::delete_many().filter(old).exec(db).await?.rows_affected)
}
