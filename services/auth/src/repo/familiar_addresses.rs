//! From where accounts are signed in to.

use sea_orm::ConnectionTrait;
use store::{Error, statement};
use subjects::ids::UserId;
use subjects::time::Instant;

/// How many addresses of an account are remembered.
const AT_MOST: i64 = 50;

/// Whether an account was signed in to from an address since `then`.
pub async fn is_familiar(
    db: &impl ConnectionTrait,
    account: &[u8],
    address: &[u8],
    then: Instant,
) -> Result<bool, Error> {
    let sql = "select from familiar_addresses where account = $1 and address = $2 and signed_in_at > $3";
    Ok(db.query_one_raw(statement(sql, vec![account.into(), address.into(), then.into()])).await?.is_some())
}

const REMEMBER: &str = "
with too_many as (
    delete from familiar_addresses where user_id = $3 and address in (
        select address from familiar_addresses where user_id = $3 and address <> $2
        order by signed_in_at desc, address offset $5)
)
insert into familiar_addresses (account, address, user_id, signed_in_at) values ($1, $2, $3, $4)
on conflict on constraint familiar_addresses_pkey do update set
    user_id = excluded.user_id, signed_in_at = excluded.signed_in_at";

/// Remembers that an account was signed in to from an address, and forgets those that are one too many.
pub async fn remember(
    db: &impl ConnectionTrait,
    account: &[u8],
    address: &[u8],
    user: UserId,
    now: Instant,
) -> Result<(), Error> {
    let values = vec![account.into(), address.into(), user.into(), now.into(), (AT_MOST - 1).into()];
    db.execute_raw(statement(REMEMBER, values)).await?;
    Ok(())
}

/// Forgets all addresses of a user.
pub async fn forget(db: &impl ConnectionTrait, user: UserId) -> Result<(), Error> {
    db.execute_raw(statement("delete from familiar_addresses where user_id = $1", vec![user.into()])).await?;
    Ok(())
}

/// Removes those from where nobody signed in since `then`, in batches, and answers how many.
pub async fn remove_before(db: &impl ConnectionTrait, then: Instant) -> Result<u64, Error> {
    store::delete_in_batches(db, "familiar_addresses", "signed_in_at < $1", &[then.into()]).await
}
