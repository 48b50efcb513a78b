//! Read model: what the roles allow that were made, as the auth service's events tell. Each service that answers what takes
//! a permission has a table of this shape in its schema, and is asked by the dispatcher for each caller who has such a
//! role. A role that was not heard of allows nothing.

use crate::error::Error;
use crate::query::{id_list, statement};
use crate::read_model::ReadModel;
use sea_orm::FromJsonQueryResult;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};
use subjects::auth::{RoleSnapshot, RoleState};
use subjects::ids::RoleId;
use subjects::time::Instant;
use subjects::{Fault, RoleName};

/// Names of permissions, as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(transparent)]
pub struct Permissions(pub Vec<String>);

/// The table `roles`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "roles")]
pub struct Model {
    /// The role.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: RoleId,
    /// The version of the event that told it.
    pub version: i64,
    /// When it was heard that it is gone.
    pub removed_at: Option<Instant>,
    /// Its name, as tokens carry it.
    pub name: String,
    /// What it allows.
    #[sea_orm(column_type = "JsonBinary")]
    pub permissions: Permissions,
}

impl ActiveModelBehavior for ActiveModel {}

impl ReadModel for Entity {
    type Snapshot = RoleSnapshot;

    fn row(state: RoleState, removed: bool) -> Result<Option<Model>, Fault> {
        let RoleState { role_id, name, permissions, version, created_at: _, updated_at: _ } = state;
        let removed_at = removed.then(crate::clock::now);
        Ok(Some(Model { id: role_id, version, removed_at, name, permissions: Permissions(permissions) }))
    }
}

const ALLOW: &str = "select exists (select from roles where removed_at is null \
    and name = any (string_to_array($1, ',')) and jsonb_exists(permissions, $2))";

/// Whether one of the roles has a permission: what [`platform::App::allows`] answers in a service that keeps this model.
///
/// # Errors
/// The database's.
pub async fn allow(db: &impl ConnectionTrait, roles: &[RoleName], permission: &str) -> Result<bool, Fault> {
    let asked = statement(ALLOW, vec![id_list(roles).into(), permission.into()]);
    let row = db.query_one_raw(asked).await.map_err(Error::from)?;
    Ok(row.map(|row| row.try_get_by_index(0)).transpose().map_err(Error::from)?.unwrap_or(false))
}
