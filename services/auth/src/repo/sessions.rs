//! Sessions.

use crate::entity::session::{self, RevocationReason};
use sea_orm::sea_query::{Expr, ExprTrait, LockType};
use sea_orm::{
    ActiveEnum, ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait,
    IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
};
use store::Error;
use subjects::ids::{SessionId, UserId};
use subjects::time::Instant;

/// The session with this id, ended or not.
pub async fn find(db: &impl ConnectionTrait, id: SessionId) -> Result<Option<session::Model>, Error> {
    Ok(session::Entity::find_by_id(id).one(db).await?)
}

/// Likewise, and nobody else can renew or end it before the transaction ends.
pub async fn lock(db: &impl ConnectionTrait, id: SessionId) -> Result<Option<session::Model>, Error> {
    Ok(session::Entity::find_by_id(id).lock(LockType::NoKeyUpdate).one(db).await?)
}

/// A user's sessions that have not ended, newest first.
pub async fn list(
    db: &impl ConnectionTrait,
    user: UserId,
    before: Option<SessionId>,
    now: Instant,
    limit: u64,
) -> Result<Vec<session::Model>, Error> {
    let mut wanted = is_open(user).add(session::Column::ExpiresAt.gt(now));
    if let Some(before) = before {
        wanted = wanted.add(session::Column::Id.lt(before));
    }
    Ok(session::Entity::find().filter(wanted).order_by_desc(session::Column::Id).limit(limit).all(db).await?)
}

/// Adds a session.
pub async fn insert(db: &impl ConnectionTrait, session: &session::Model) -> Result<(), Error> {
    session::Entity::insert(session.clone().into_active_model().reset_all()).exec_without_returning(db).await?;
    Ok(())
}

/// Notes that a session's tokens were renewed.
pub async fn touch(
    db: &impl ConnectionTrait,
    id: SessionId,
    last_used_at: Instant,
    expires_at: Instant,
) -> Result<(), Error> {
    let touched = session::ActiveModel {
        id: Set(id),
        last_used_at: Set(last_used_at),
        expires_at: Set(expires_at),
        ..Default::default()
    };
    touched.update(db).await?;
    Ok(())
}

/// Which of a user's sessions are ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// All of them.
    All,
    /// All but this one.
    AllBut(SessionId),
    /// Only this one.
    Only(SessionId),
    /// All but the newest, so many of them.
    AllButNewest(u64),
}

/// Ends sessions of a user that have not ended, and answers them as they are now.
pub async fn revoke(
    db: &impl ConnectionTrait,
    user: UserId,
    which: Which,
    reason: RevocationReason,
    now: Instant,
) -> Result<Vec<session::Model>, Error> {
    let wanted = match which {
        Which::All => is_open(user),
        Which::AllBut(kept) => is_open(user).add(session::Column::Id.ne(kept)),
        Which::Only(session) => is_open(user).add(session::Column::Id.eq(session)),
        Which::AllButNewest(kept) => {
            // Ids are in the order of their making.
            let newest = session::Entity::find().filter(is_open(user)).order_by_desc(session::Column::Id);
            match newest.offset(kept).one(db).await? {
                Some(first_too_many) => is_open(user).add(session::Column::Id.lte(first_too_many.id)),
                None => return Ok(Vec::new()),
            }
        }
    };
    let revoked = session::Entity::update_many()
        .col_expr(session::Column::RevokedAt, Expr::value(now))
        .col_expr(session::Column::RevokedReason, Expr::value(reason.to_value()))
        .col_expr(session::Column::Version, Expr::col(session::Column::Version).add(1))
        .filter(wanted)
        .exec_with_returning(db)
        .await?;
    Ok(revoked)
}

/// Removes sessions that were over before `then`, with their tokens, in batches, and answers how many.
pub async fn remove_over_before(db: &impl ConnectionTrait, then: Instant) -> Result<u64, Error> {
    store::delete_in_batches(db, "sessions", "expires_at < $1 or revoked_at < $1", &[then.into()]).await
}

fn is_open(user: UserId) -> Condition {
    Condition::all().add(session::Column::UserId.eq(user)).add(session::Column::RevokedAt.is_null())
}
