//! A person as a whole.

use super::{addresses, pets, profiles, records, shares};
use crate::entity::preferences;
use sea_orm::{ConnectionTrait, EntityTrait};
use store::{Tx, statement};
use subjects::ids::UserId;
use subjects::profile::ProfileError;
use subjects::time::Instant;

const LOCK: &str =
    "select pg_advisory_xact_lock(hashtextextended(concat_ws(chr(31), current_schema(), 'person', $1), 0))";

/// Held by whoever changes how many of something a person has, so that the count is still true when the row is there.
/// Taken before any row of theirs.
pub async fn lock(tx: &Tx, user_id: UserId) -> Result<(), store::Error> {
    tx.execute_raw(statement(LOCK, vec![user_id.to_string().into()])).await?;
    Ok(())
}

/// Removes all that is the person's: profile, preferences, addresses, pets with their records, shares of others' pets.
/// What they wrote in the records of others' pets stays, without its author. Each removal is told. Doing it again changes
/// nothing.
///
/// # Errors
/// The database's.
pub async fn forget(tx: &Tx, user_id: UserId, now: Instant) -> Result<(), ProfileError> {
    lock(tx, user_id).await?;
    pets::lock_household(tx, user_id).await?;
    pets::remove_all(tx, user_id).await?;
    shares::leave_all(tx, user_id, now).await?;
    records::forget_author(tx, user_id).await?;
    addresses::remove_all(tx, user_id).await?;
    preferences::Entity::delete_by_id(user_id).exec(tx).await.map_err(store::Error::from)?;
    if let Some(profile) = profiles::lock(tx, user_id).await? {
        profiles::remove(tx, profile).await?;
    }
    Ok(())
}
