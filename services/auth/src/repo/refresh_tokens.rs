//! Refresh tokens.

use crate::domain::refresh;
use crate::entity::refresh_token;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter,
};
use store::Error;
use subjects::auth::Token;
use subjects::ids::SessionId;
use subjects::time::Instant;
use uuid::Uuid;

/// The row of a token.
pub async fn find(db: &impl ConnectionTrait, token: &Token) -> Result<Option<refresh_token::Model>, Error> {
    let has_hash = refresh_token::Column::TokenHash.eq(refresh::hash(token));
    Ok(refresh_token::Entity::find().filter(has_hash).one(db).await?)
}

/// Adds a token that can be spent.
pub async fn insert(
    db: &impl ConnectionTrait,
    session: SessionId,
    token: &Token,
    now: Instant,
    expires_at: Instant,
) -> Result<(), Error> {
    let row = refresh_token::Model {
        id: Uuid::now_v7(),
        session_id: session,
        token_hash: refresh::hash(token),
        created_at: now,
        expires_at,
        spent_at: None,
        successor_nonce: None,
    };
    refresh_token::Entity::insert(row.into_active_model().reset_all()).exec_without_returning(db).await?;
    Ok(())
}

/// Notes that a token was spent, and with what its successor is derived from it.
pub async fn spend(db: &impl ConnectionTrait, id: Uuid, now: Instant, nonce: &[u8]) -> Result<(), Error> {
    let spent = refresh_token::ActiveModel {
        id: Set(id),
        spent_at: Set(Some(now)),
        successor_nonce: Set(Some(nonce.to_vec())),
        ..Default::default()
    };
    spent.update(db).await?;
    Ok(())
}

/// Removes tokens that expired before `then`, in batches, and answers how many.
pub async fn remove_expired_before(db: &impl ConnectionTrait, then: Instant) -> Result<u64, Error> {
    store::delete_in_batches(db, "refresh_tokens", "expires_at < $1", &[then.into()]).await
}
