//! Attempts to sign in.

use crate::domain::email;
use crate::entity::login_attempt::{self, LoginOutcome};
use sea_orm::{ActiveModelTrait, ConnectionTrait, EntityTrait, IntoActiveModel};
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

/// Removes attempts from before `then`, in batches, and answers how many.
pub async fn remove_before(db: &impl ConnectionTrait, then: Instant) -> Result<u64, Error> {
    store::delete_in_batches(db, "login_attempts", "attempted_at < $1", &[then.into()]).await
}
