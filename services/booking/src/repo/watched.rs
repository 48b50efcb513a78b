//! Bookings as watchers see them, page by page.

use super::bookings::Scope;
use crate::entity::bookings;
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use subjects::ids::{BookingId, ClinicId};
use subjects::time::Instant;
use uuid::Uuid;

/// What is watched.
#[derive(Debug, Clone, Copy)]
pub struct Watched {
    /// Whose bookings.
    pub scope: Scope,
    /// Only at this clinic.
    pub clinic_id: Option<ClinicId>,
    /// Only visits that begin then or later.
    pub from: Instant,
}

/// Bookings by id, those after one, at most `limit`.
pub async fn page(
    db: &impl ConnectionTrait,
    watched: Watched,
    after: Option<Uuid>,
    limit: u64,
) -> Result<Vec<bookings::Model>, store::Error> {
    use bookings::Column;
    let scope = match watched.scope {
        Scope::Customer(customer_id) => Column::CustomerId.eq(customer_id),
        Scope::Clinic(clinic_id) => Column::ClinicId.eq(clinic_id),
    };
    let condition = Condition::all()
        .add(scope)
        .add(Column::StartsAt.gte(watched.from))
        .add_option(watched.clinic_id.map(|clinic_id| Column::ClinicId.eq(clinic_id)))
        .add_option(after.map(|after| Column::Id.gt(BookingId(after))));
    let query = bookings::Entity::find().filter(condition).order_by_asc(Column::Id).limit(limit);
    Ok(query.all(db).await?)
}
