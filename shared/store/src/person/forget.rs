//! Stored answers that tell of a person.

use crate::error::Error;
use sea_orm::{ConnectionTrait, DbBackend, Statement, Value};
use std::fmt::Display;
use subjects::Fault;
use subjects::ids::UserId;

// The scope of who is signed in is `user:<id>`, alone or with a narrower one behind a colon.
const FORGET: &str = "
delete from idempotency_keys
where scope = $1 or starts_with(scope, $1 || ':')
    or exists (select from unnest(string_to_array($2, ',')) as mention where strpos(reply::text, mention) > 0)";

/// Deletes the answers stored under idempotency keys that were given to a person, or that name them or one of
/// `also_naming`: the person's pets, for example. Such a request, sent again, is then done anew or refused. It reads all
/// stored answers, which are those of a day.
///
/// # Errors
/// The database's.
pub async fn forget_person(
    db: &impl ConnectionTrait,
    user_id: UserId,
    also_naming: impl IntoIterator<Item = impl Display>,
) -> Result<(), Fault> {
    let mut mentions = vec![user_id.to_string()];
    mentions.extend(also_naming.into_iter().map(|id| id.to_string()));
    let values: [Value; 2] = [format!("user:{user_id}").into(), mentions.join(",").into()];
    db.execute_raw(Statement::from_sql_and_values(DbBackend::Postgres, FORGET, values)).await.map_err(Error::from)?;
    Ok(())
}
