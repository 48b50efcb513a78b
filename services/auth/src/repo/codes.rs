//! One-time codes.

use crate::domain::code::MAX_TRIES;
use crate::domain::refresh;
use crate::entity::one_time_code::{Column, Entity, Model};
use sea_orm::{ActiveEnum as _, ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, Statement};
use store::{Error, statement};
use subjects::auth::Token;
use subjects::ids::{CodeId, UserId};
use subjects::time::Instant;

const REPLACE: &str = "
insert into one_time_codes (id, account, purpose, user_id, nonce, tries, created_at, expires_at)
values ($1, $2, $3, $4, $5, 0, $6, $7)
on conflict on constraint one_time_codes_account_key do update set
    id = excluded.id, user_id = excluded.user_id, nonce = excluded.nonce, tries = 0, created_at = excluded.created_at,
    expires_at = excluded.expires_at, told_at = null, spent_at = null, reset_token_hash = null, reset_expires_at = null";

/// Stores a code that nobody has seen, in the place of the former one of its account and purpose.
pub async fn replace(db: &impl ConnectionTrait, new: &Model) -> Result<(), Error> {
    let Model {
        id,
        account,
        purpose,
        user_id,
        nonce,
        tries: _,
        created_at,
        expires_at,
        told_at: _,
        spent_at: _,
        reset_token_hash: _,
        reset_expires_at: _,
    } = new.clone();
    let values = vec![
        id.into(),
        account.into(),
        purpose.to_value().into(),
        user_id.into(),
        nonce.into(),
        created_at.into(),
        expires_at.into(),
    ];
    db.execute_raw(statement(REPLACE, values)).await?;
    Ok(())
}

/// The code with this id, whatever has become of it.
pub async fn find(db: &impl ConnectionTrait, id: CodeId) -> Result<Option<Model>, Error> {
    Ok(Entity::find_by_id(id).one(db).await?)
}

const TRY: &str = "
update one_time_codes set tries = tries + 1
where id = $1 and tries < $2 and spent_at is null and expires_at > $3
returning *";

/// Counts that a code is shown, before anybody looks whether it is the right one. None: it cannot be shown.
pub async fn try_once(db: &impl ConnectionTrait, id: CodeId, now: Instant) -> Result<Option<Model>, Error> {
    one(db, statement(TRY, vec![id.into(), MAX_TRIES.into(), now.into()])).await
}

const SPEND: &str = "
update one_time_codes set spent_at = $2, reset_token_hash = $3, reset_expires_at = $4
where id = $1 and spent_at is null
returning *";

/// Notes that a code was shown, and what was given for it. None: somebody else was first.
pub async fn spend(
    db: &impl ConnectionTrait,
    id: CodeId,
    now: Instant,
    reset: Option<(&Token, Instant)>,
) -> Result<Option<Model>, Error> {
    let (hash, expires_at) = reset.map(|(token, expires_at)| (refresh::hash(token), expires_at)).unzip();
    one(db, statement(SPEND, vec![id.into(), now.into(), hash.into(), expires_at.into()])).await
}

/// The code for which a token for another password was given that still holds.
pub async fn find_by_reset_token(
    db: &impl ConnectionTrait,
    token: &Token,
    now: Instant,
) -> Result<Option<Model>, Error> {
    let has_token = Column::ResetTokenHash.eq(refresh::hash(token));
    Ok(Entity::find().filter(has_token).filter(Column::ResetExpiresAt.gt(now)).one(db).await?)
}

/// Removes a code with the token that was given for it. False: it is not there any more.
pub async fn use_up(db: &impl ConnectionTrait, token: &Token, now: Instant) -> Result<bool, Error> {
    let has_token = Column::ResetTokenHash.eq(refresh::hash(token));
    let used = Entity::delete_many().filter(has_token).filter(Column::ResetExpiresAt.gt(now)).exec(db).await?;
    Ok(used.rows_affected == 1)
}

const TELL: &str = "
update one_time_codes set told_at = $1 where id = any(array(
    select id from one_time_codes where told_at is null order by created_at limit $2 for update skip locked))
returning *";

/// Marks codes of which nobody has been told yet as told, the oldest first, and answers them. Others work on others.
pub async fn take_untold(db: &impl ConnectionTrait, now: Instant, limit: u64) -> Result<Vec<Model>, Error> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    Ok(Entity::find().from_raw_sql(statement(TELL, vec![now.into(), limit.into()])).all(db).await?)
}

/// Removes all codes of a person.
pub async fn erase(db: &impl ConnectionTrait, user: UserId, account: &[u8]) -> Result<(), Error> {
    let of_the_person = Condition::any().add(Column::UserId.eq(user)).add(Column::Account.eq(account));
    Entity::delete_many().filter(of_the_person).exec(db).await?;
    Ok(())
}

/// Removes those that were over before `then`, in batches, and answers how many.
pub async fn remove_over_before(db: &impl ConnectionTrait, then: Instant) -> Result<u64, Error> {
    let is_over = "expires_at < $1 and (reset_expires_at is null or reset_expires_at < $1)";
    store::delete_in_batches(db, "one_time_codes", is_over, &[then.into()]).await
}

async fn one(db: &impl ConnectionTrait, statement: Statement) -> Result<Option<Model>, Error> {
    Ok(Entity::find().from_raw_sql(statement).one(db).await?)
}
