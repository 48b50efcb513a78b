//! Requests for privacy and the parts of exports, as the database keeps them.

use super::participants::Participant;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveModelTrait, FromJsonQueryResult, IntoActiveModel, QueryOrder, Statement};
use serde::{Deserialize, Serialize};
use store::person::SealedText;
use store::{Error, Tx};
use subjects::ids::{PrivacyRequestId, UserId};
use subjects::profile::{PrivacyKind, PrivacyRequest, PrivacyState, PrivacyStatus, PrivacyStep};
use subjects::time::Instant;

/// One service's step, with where its export goes on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// What is told of it.
    #[serde(flatten)]
    pub told: PrivacyStep,
    /// Where an export goes on; none at its beginning.
    #[serde(default)]
    pub cursor: Option<String>,
}

/// The steps in the order in which they are taken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Steps(pub Vec<Step>);

impl Steps {
    /// All of them, at their beginning.
    pub fn first() -> Steps {
        Steps(Participant::IN_ORDER.map(Step::first).into())
    }

    /// Adds those of services that keep something of persons only since the request was made.
    pub fn add_newcomers(&mut self) {
        for participant in Participant::IN_ORDER {
            if !self.0.iter().any(|step| step.told.service == participant.service()) {
                self.0.push(Step::first(participant));
            }
        }
    }
}

impl Step {
    fn first(participant: Participant) -> Step {
        let service = participant.service().to_owned();
        Step { told: PrivacyStep { service, done: false, failed_attempts: 0, last_failure: None }, cursor: None }
    }
}

/// A request for privacy.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "privacy_requests")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PrivacyRequestId,
    pub user_id: UserId,
    pub kind: PrivacyKind,
    pub status: PrivacyStatus,
    #[sea_orm(column_type = "JsonBinary")]
    pub steps: Steps,
    pub version: i64,
    pub created_at: Instant,
    pub updated_at: Instant,
    pub finished_at: Option<Instant>,
    /// When it is to be worked on; none: never again.
    pub due_at: Option<Instant>,
    pub available_until: Option<Instant>,
}

impl ActiveModelBehavior for ActiveModel {}

/// Parts of exports.
pub mod parts {
    use super::{PrivacyRequestId, SealedText};
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "privacy_parts")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub request_id: PrivacyRequestId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub position: i32,
        pub service: String,
        /// The rows in JSON.
        pub sealed: SealedText,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

impl Model {
    /// As its owner sees it.
    pub fn told(&self) -> PrivacyRequest {
        PrivacyRequest {
            id: self.id,
            user_id: self.user_id,
            kind: self.kind,
            status: self.status,
            steps: self.steps.0.iter().map(|step| step.told.clone()).collect(),
            version: self.version,
            created_at: self.created_at,
            updated_at: self.updated_at,
            finished_at: self.finished_at,
            available_until: self.available_until,
        }
    }

    /// As events tell it.
    pub fn state(&self) -> PrivacyState {
        PrivacyState { request_id: self.id, user_id: self.user_id, version: self.version }
    }

    /// The place for which a part of its export is sealed.
    pub fn place(&self, position: i32) -> String {
        format!("{}/{position}", self.id)
    }
}

/// One request.
pub async fn find(db: &impl ConnectionTrait, id: PrivacyRequestId) -> Result<Option<Model>, Error> {
    Ok(Entity::find_by_id(id).one(db).await?)
}

/// Stores a request, unless the person has one of the kind that is not done. Answers whether it did.
pub async fn insert(db: &impl ConnectionTrait, row: Model) -> Result<bool, Error> {
    let inserted = Entity::insert(row.into_active_model().reset_all())
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(db)
        .await?;
    Ok(inserted > 0)
}

/// A person's request of a kind that is not done.
pub async fn find_open(db: &impl ConnectionTrait, user_id: UserId, kind: PrivacyKind) -> Result<Option<Model>, Error> {
    let open = Entity::find().filter(Column::UserId.eq(user_id)).filter(Column::Kind.eq(kind));
    Ok(open.filter(Column::FinishedAt.is_null()).one(db).await?)
}

// By the clock of the database, which all replicas share.
const TAKE: &str = "
update privacy_requests set due_at = clock_timestamp() + $1 * interval '1 millisecond'
where id = (
    select id from privacy_requests where due_at <= clock_timestamp() order by due_at, id limit 1
    for update skip locked)
returning *";

/// Takes a request that is due: it is due again for others only after so many milliseconds.
pub async fn take_due(db: &impl ConnectionTrait, lease_ms: i64) -> Result<Option<Model>, Error> {
    let take = Statement::from_sql_and_values(sea_orm::DbBackend::Postgres, TAKE, [lease_ms.into()]);
    Ok(Entity::find().from_raw_sql(take).one(db).await?)
}

/// Stores a request that has been changed, as its next version. False where somebody else has changed it since, or it
/// is gone.
pub async fn save(tx: &Tx, row: &Model) -> Result<bool, Error> {
    let Model { id, version, .. } = *row;
    let saved = Entity::update_many()
        .set(ActiveModel { id: sea_orm::ActiveValue::NotSet, ..row.clone().into_active_model().reset_all() })
        .filter(Column::Id.eq(id))
        .filter(Column::Version.eq(version - 1))
        .exec(tx)
        .await?;
    Ok(saved.rows_affected == 1)
}

/// Adds a part to an export.
pub async fn add_part(tx: &Tx, part: parts::Model) -> Result<(), Error> {
    parts::Entity::insert(part.into_active_model().reset_all()).exec_without_returning(tx).await?;
    Ok(())
}

/// The position after the last part of an export.
pub async fn next_position(db: &impl ConnectionTrait, id: PrivacyRequestId) -> Result<i32, Error> {
    let last = parts::Entity::find()
        .filter(parts::Column::RequestId.eq(id))
        .order_by_desc(parts::Column::Position)
        .one(db)
        .await?;
    Ok(last.map_or(0, |part| part.position + 1))
}

/// The first parts of an export from a position on, two at the most.
pub async fn parts_from(
    db: &impl ConnectionTrait,
    id: PrivacyRequestId,
    position: i32,
) -> Result<Vec<parts::Model>, Error> {
    use sea_orm::QuerySelect as _;
    let from = parts::Entity::find()
        .filter(parts::Column::RequestId.eq(id))
        .filter(parts::Column::Position.gte(position))
        .order_by_asc(parts::Column::Position)
        .limit(2);
    Ok(from.all(db).await?)
}

/// Removes the parts of an export.
pub async fn remove_parts(tx: &Tx, id: PrivacyRequestId) -> Result<(), Error> {
    parts::Entity::delete_many().filter(parts::Column::RequestId.eq(id)).exec(tx).await?;
    Ok(())
}

/// Removes a person's exports that are done.
pub async fn remove_done_exports(tx: &Tx, user_id: UserId) -> Result<(), Error> {
    let exports = Entity::delete_many().filter(Column::UserId.eq(user_id)).filter(Column::Kind.eq(PrivacyKind::Export));
    exports.filter(Column::FinishedAt.is_not_null()).exec(tx).await?;
    Ok(())
}

/// Removes all of a person's exports, those that are being collected among them.
pub async fn remove_exports(tx: &Tx, user_id: UserId) -> Result<(), Error> {
    let exports = Entity::delete_many().filter(Column::UserId.eq(user_id)).filter(Column::Kind.eq(PrivacyKind::Export));
    exports.exec(tx).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_that_came_later_is_asked_as_well() {
        let mut steps = Steps::first();
        steps.0.iter_mut().for_each(|step| step.told.done = true);
        let whole = steps.clone();
        steps.add_newcomers();
        assert_eq!(steps, whole);
        steps.0.retain(|step| step.told.service != "catalog");
        // One of another release, which this one does not know, waits for that.
        let unknown =
            Step { told: PrivacyStep { service: "clinic".to_owned(), ..whole.0[0].told.clone() }, cursor: None };
        steps.0.push(unknown);
        steps.add_newcomers();
        let told: Vec<(&str, bool)> = steps.0.iter().map(|step| (step.told.service.as_str(), step.told.done)).collect();
        let expected = [
            ("auth", true),
            ("vendor", true),
            ("booking", true),
            ("profile", true),
            ("clinic", true),
            ("catalog", false),
        ];
        assert_eq!(told, expected);
    }
}
