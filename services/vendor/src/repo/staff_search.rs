//! The staff who fit a question.

use crate::authority::Authority;
use crate::entity::staff::{Column, Entity, Model};
use crate::entity::{staff_clinic, staff_service, vendor};
use crate::repo::failed;
use crate::repo::staff::{StaffMember, with_links};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, JoinType, Order, QueryFilter, QuerySelect, QueryTrait,
    RelationTrait,
};
use store::keyset::{self, Place};
use subjects::Fault;
use subjects::ids::{ClinicId, ServiceId};
use subjects::time::Instant;
use subjects::vendor::{FindStaff, StaffSort, VendorStatus};

/// Where a list in an order goes on after a staff member.
pub fn place(sort: StaffSort, row: &Model) -> Place<StaffSort> {
    let value = match sort {
        StaffSort::DisplayName | StaffSort::DisplayNameDescending => row.display_name.as_str().into(),
        StaffSort::CreatedAtDescending => serde_json::json!(row.created_at),
    };
    Place { sort, value, id: row.id.into() }
}

/// The staff who fit a question and whom the caller sees, in an order, one more than `limit`.
///
/// # Errors
/// A bad request for a cursor that is none of this list.
pub async fn find(
    db: &impl ConnectionTrait,
    question: &FindStaff,
    authority: &Authority,
    sort: StaffSort,
    after: Option<&Place<StaffSort>>,
    limit: u16,
) -> Result<Vec<StaffMember>, Fault> {
    let shown_to_public =
        Condition::all().add(vendor::Column::Status.eq(VendorStatus::Approved)).add(Column::Active.eq(true));
    let mut select = Entity::find()
        .join(JoinType::InnerJoin, crate::entity::staff::Relation::Vendor.def())
        .filter(authority.sees_row(shown_to_public));
    if let Some(clinic_id) = question.clinic_id {
        select = select.filter(Column::Id.in_subquery(works_at(clinic_id)));
    }
    if let Some(service_id) = question.service_id {
        select = select.filter(Column::Id.in_subquery(performs(service_id)));
    }
    if let Some(vendor_id) = question.vendor_id {
        select = select.filter(Column::VendorId.eq(vendor_id));
    }
    let select = match sort {
        StaffSort::DisplayName => {
            keyset::page::<_, String, _>(select, (Column::DisplayName, Column::Id), Order::Asc, after, limit)?
        }
        StaffSort::DisplayNameDescending => {
            keyset::page::<_, String, _>(select, (Column::DisplayName, Column::Id), Order::Desc, after, limit)?
        }
        StaffSort::CreatedAtDescending => {
            keyset::page::<_, Instant, _>(select, (Column::CreatedAt, Column::Id), Order::Desc, after, limit)?
        }
    };
    let rows = select.all(db).await.map_err(failed)?;
    Ok(with_links(db, rows).await?)
}

fn works_at(clinic_id: ClinicId) -> sea_orm::sea_query::SelectStatement {
    staff_clinic::Entity::find()
        .select_only()
        .column(staff_clinic::Column::StaffId)
        .filter(staff_clinic::Column::ClinicId.eq(clinic_id))
        .into_query()
}

fn performs(service_id: ServiceId) -> sea_orm::sea_query::SelectStatement {
    staff_service::Entity::find()
        .select_only()
        .column(staff_service::Column::StaffId)
        .filter(staff_service::Column::ServiceId.eq(service_id))
        .into_query()
}
