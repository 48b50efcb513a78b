//! Rows of pages of snapshots.

use super::failed;
use crate::entity::pets;
use sea_orm::{ConnectionTrait, FromQueryResult as _};
use store::statement;
use subjects::Fault;
use subjects::ids::UserId;
use uuid::Uuid;

const PETS: &str = "
select pets.*,
    (select coalesce(json_agg(share.user_id order by share.user_id), '[]')::text from pet_shares as share
        where share.pet_id = pets.id and share.user_id is not null) as shared_with
from pets where pets.id > $1 order by pets.id limit $2";

/// The pets above an id with those with whom each is shared, one more than `limit`, in one query.
///
/// # Errors
/// The database's, or rows that cannot be read.
pub async fn pets(
    db: &impl ConnectionTrait,
    after: Option<Uuid>,
    limit: u16,
) -> Result<Vec<(pets::Model, Vec<UserId>)>, Fault> {
    // No id is below the one of noughts.
    let values = vec![after.unwrap_or_default().into(), (i64::from(limit) + 1).into()];
    let rows = db.query_all_raw(statement(PETS, values)).await.map_err(failed)?;
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        let pet = pets::Model::from_query_result(&row, "").map_err(failed)?;
        let shared_with: String = row.try_get("", "shared_with").map_err(failed)?;
        found.push((pet, serde_json::from_str(&shared_with).map_err(Fault::internal)?));
    }
    Ok(found)
}
