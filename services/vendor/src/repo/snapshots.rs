//! Rows of pages of snapshots whose aggregates lie in several tables, each page in one query.

use super::hours;
use crate::entity::{clinic, staff};
use crate::replies;
use crate::repo::failed;
use crate::repo::staff::StaffMember;
use sea_orm::{ConnectionTrait, FromQueryResult as _};
use store::statement;
use subjects::Fault;
use subjects::vendor::OpeningHours;
use uuid::Uuid;

const STAFF: &str = "
select staff.*,
    (select coalesce(json_agg(link.clinic_id order by link.clinic_id), '[]')::text from staff_clinics as link
        where link.staff_id = staff.id) as linked_clinics,
    (select coalesce(json_agg(link.service_id order by link.service_id), '[]')::text from staff_services as link
        where link.staff_id = staff.id) as linked_services
from staff where staff.id > $1 order by staff.id limit $2";

/// The staff above an id, one more than `limit`.
///
/// # Errors
/// The database's, or rows that cannot be read.
pub async fn staff(db: &impl ConnectionTrait, after: Option<Uuid>, limit: u16) -> Result<Vec<StaffMember>, Fault> {
    let rows = db.query_all_raw(statement(STAFF, page_values(after, limit))).await.map_err(failed)?;
    let mut members = Vec::with_capacity(rows.len());
    for row in rows {
        let clinic_ids: String = row.try_get("", "linked_clinics").map_err(failed)?;
        let service_ids: String = row.try_get("", "linked_services").map_err(failed)?;
        members.push(StaffMember {
            row: staff::Model::from_query_result(&row, "").map_err(failed)?,
            clinic_ids: serde_json::from_str(&clinic_ids).map_err(Fault::internal)?,
            service_ids: serde_json::from_str(&service_ids).map_err(Fault::internal)?,
        });
    }
    Ok(members)
}

const HOURS: &str = concat!(
    "select clinic.*, (",
    hours::weekly!(),
    ") as weekly, (",
    hours::exceptions!(),
    ") as exceptions from clinics as clinic where clinic.id > $1 order by clinic.id limit $2"
);

/// The clinics above an id with their opening hours, one more than `limit`.
///
/// # Errors
/// The database's, or rows that cannot be read.
pub async fn hours(
    db: &impl ConnectionTrait,
    after: Option<Uuid>,
    limit: u16,
) -> Result<Vec<(clinic::Model, OpeningHours)>, Fault> {
    let rows = db.query_all_raw(statement(HOURS, page_values(after, limit))).await.map_err(failed)?;
    let mut clinics = Vec::with_capacity(rows.len());
    for row in rows {
        let clinic = clinic::Model::from_query_result(&row, "").map_err(failed)?;
        let weekly: Option<String> = row.try_get("", "weekly").map_err(failed)?;
        let exceptions: Option<String> = row.try_get("", "exceptions").map_err(failed)?;
        let time_zone = replies::time_zone(&clinic.time_zone)?;
        let opening_hours = hours::read(time_zone, weekly.as_deref(), exceptions.as_deref())?;
        clinics.push((clinic, opening_hours));
    }
    Ok(clinics)
}

/// No id is below the one of noughts.
fn page_values(after: Option<Uuid>, limit: u16) -> Vec<sea_orm::Value> {
    vec![after.unwrap_or_default().into(), (i64::from(limit) + 1).into()]
}
