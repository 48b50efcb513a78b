//! Services of clinics.

use crate::authority::Authority;
use crate::entity::service::{ActiveModel, Column, Entity, Model};
use crate::entity::{clinic, vendor};
use crate::repo::{failed, staff, text_search, whole};
use crate::{domain, replies};
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, JoinType,
    ModelTrait, Order, QueryFilter, QuerySelect, RelationTrait,
};
use store::Tx;
use store::keyset::{self, Place};
use subjects::ids::{ClinicId, ServiceId, VendorId};
use subjects::time::Instant;
use subjects::vendor::{
    CreateService, FindServices, ServiceRemoved, ServiceSort, ServiceState, ServiceUpdated, UpdateService, VendorError,
    VendorStatus,
};
use subjects::{Fault, Money};

/// What is known of a service.
#[derive(Debug, Clone)]
pub struct ServiceProfile {
    /// Name.
    pub name: String,
    /// What it consists of.
    pub description: Option<String>,
    /// Length in minutes.
    pub duration_minutes: u16,
    /// Minutes kept free before it.
    pub buffer_before_minutes: u16,
    /// Minutes kept free after it.
    pub buffer_after_minutes: u16,
    /// Price.
    pub price: Money,
    /// Pets a session.
    pub capacity: u16,
    /// Minutes between the beginnings of its slots.
    pub slot_step_minutes: u16,
    /// Minutes before the visit until which customers book it.
    pub minimum_notice_minutes: u32,
    /// Days ahead from which customers book it.
    pub booking_window_days: u16,
    /// Whether it is offered.
    pub active: bool,
}

impl From<&CreateService> for ServiceProfile {
    fn from(request: &CreateService) -> ServiceProfile {
        let CreateService {
            clinic_id: _,
            name,
            description,
            duration_minutes,
            buffer_before_minutes,
            buffer_after_minutes,
            price,
            capacity,
            slot_step_minutes,
            minimum_notice_minutes,
            booking_window_days,
        } = request.clone();
        ServiceProfile {
            name,
            description,
            duration_minutes,
            buffer_before_minutes,
            buffer_after_minutes,
            price,
            capacity,
            slot_step_minutes,
            minimum_notice_minutes,
            booking_window_days,
            active: true,
        }
    }
}

impl From<&UpdateService> for ServiceProfile {
    fn from(request: &UpdateService) -> ServiceProfile {
        let UpdateService {
            id: _,
            name,
            description,
            duration_minutes,
            buffer_before_minutes,
            buffer_after_minutes,
            price,
            capacity,
            slot_step_minutes,
            minimum_notice_minutes,
            booking_window_days,
            active,
        } = request.clone();
        ServiceProfile {
            name,
            description,
            duration_minutes,
            buffer_before_minutes,
            buffer_after_minutes,
            price,
            capacity,
            slot_step_minutes,
            minimum_notice_minutes,
            booking_window_days,
            active,
        }
    }
}

/// Reads a service.
pub async fn find(db: &impl ConnectionTrait, id: ServiceId) -> Result<Option<Model>, store::Error> {
    Ok(Entity::find_by_id(id).one(db).await?)
}

/// Reads a service and keeps others from changing it until the transaction's end.
pub async fn lock(tx: &Tx, id: ServiceId) -> Result<Option<Model>, store::Error> {
    Ok(Entity::find_by_id(id).lock_exclusive().one(tx).await?)
}

/// Where a list in an order goes on after a service.
pub fn place(sort: ServiceSort, row: &Model) -> Place<ServiceSort> {
    let value = match sort {
        ServiceSort::Name | ServiceSort::NameDescending => row.name.as_str().into(),
        ServiceSort::Price | ServiceSort::PriceDescending => row.price_amount.into(),
        ServiceSort::DurationMinutes => row.duration_minutes.into(),
    };
    Place { sort, value, id: row.id.into() }
}

/// The services that fit a question and that the caller sees, in an order, one more than `limit`.
///
/// # Errors
/// A bad request for a cursor that is none of this list.
pub async fn search(
    db: &sea_orm::DatabaseConnection,
    question: &FindServices,
    authority: &Authority,
    sort: ServiceSort,
    after: Option<&Place<ServiceSort>>,
    limit: u16,
) -> Result<Vec<Model>, Fault> {
    let shown_to_public = Condition::all()
        .add(vendor::Column::Status.eq(VendorStatus::Approved))
        .add(clinic::Column::Active.eq(true))
        .add(Column::Active.eq(true));
    let mut select = Entity::find()
        .join(JoinType::InnerJoin, crate::entity::service::Relation::Clinic.def())
        .join(JoinType::InnerJoin, crate::entity::service::Relation::Vendor.def())
        .filter(authority.sees_row(shown_to_public));
    if let Some(clinic_id) = question.clinic_id {
        select = select.filter(Column::ClinicId.eq(clinic_id));
    }
    if let Some(vendor_id) = question.vendor_id {
        select = select.filter(Column::VendorId.eq(vendor_id));
    }
    let (name, price, duration) = (Column::Name, Column::PriceAmount, Column::DurationMinutes);
    select = match sort {
        ServiceSort::Name => keyset::page::<_, String, _>(select, (name, Column::Id), Order::Asc, after, limit)?,
        ServiceSort::NameDescending => {
            keyset::page::<_, String, _>(select, (name, Column::Id), Order::Desc, after, limit)?
        }
        ServiceSort::Price => keyset::page::<_, i64, _>(select, (price, Column::Id), Order::Asc, after, limit)?,
        ServiceSort::PriceDescending => {
            keyset::page::<_, i64, _>(select, (price, Column::Id), Order::Desc, after, limit)?
        }
        ServiceSort::DurationMinutes => {
            keyset::page::<_, i32, _>(select, (duration, Column::Id), Order::Asc, after, limit)?
        }
    };

    let Some(text) = &question.text else { return select.all(db).await.map_err(failed) };
    let words = domain::words::words(text);
    if words.is_empty() {
        return Ok(Vec::new());
    }
    for word in words {
        select = select.filter(text_search::has_word("clinic_services.search_text", word));
    }
    let transaction = text_search::begin(db).await?;
    let rows = select.all(&transaction).await.map_err(failed)?;
    transaction.commit().await.map_err(failed)?;
    Ok(rows)
}

/// Adds a service to a clinic, and tells it.
pub async fn insert(
    tx: &Tx,
    id: ServiceId,
    clinic: (ClinicId, VendorId),
    profile: ServiceProfile,
    now: Instant,
) -> Result<Model, VendorError> {
    let (clinic_id, vendor_id) = clinic;
    let ServiceProfile {
        name,
        description,
        duration_minutes,
        buffer_before_minutes,
        buffer_after_minutes,
        price,
        capacity,
        slot_step_minutes,
        minimum_notice_minutes,
        booking_window_days,
        active,
    } = profile;
    let row = ActiveModel {
        id: Set(id),
        clinic_id: Set(clinic_id),
        vendor_id: Set(vendor_id),
        name: Set(name),
        description: Set(description),
        duration_minutes: Set(duration_minutes.into()),
        buffer_before_minutes: Set(buffer_before_minutes.into()),
        buffer_after_minutes: Set(buffer_after_minutes.into()),
        price_amount: Set(price.amount),
        price_currency: Set(price.currency.as_str().to_owned()),
        capacity: Set(capacity.into()),
        slot_step_minutes: Set(slot_step_minutes.into()),
        minimum_notice_minutes: Set(whole(minimum_notice_minutes)),
        booking_window_days: Set(booking_window_days.into()),
        active: Set(active),
        created_at: Set(now),
        updated_at: Set(now),
        version: Set(1),
    };
    let row = row.insert(tx).await.map_err(refusal)?;
    tx.emit(&ServiceUpdated(replies::service_state(&row)?)).await?;
    Ok(row)
}

/// Replaces what is known of a service, and tells it.
pub async fn replace(tx: &Tx, row: Model, profile: ServiceProfile, now: Instant) -> Result<Model, VendorError> {
    let ServiceProfile {
        name,
        description,
        duration_minutes,
        buffer_before_minutes,
        buffer_after_minutes,
        price,
        capacity,
        slot_step_minutes,
        minimum_notice_minutes,
        booking_window_days,
        active,
    } = profile;
    let version = row.version + 1;
    let mut changed = row.into_active_model();
    changed.name = Set(name);
    changed.description = Set(description);
    changed.duration_minutes = Set(duration_minutes.into());
    changed.buffer_before_minutes = Set(buffer_before_minutes.into());
    changed.buffer_after_minutes = Set(buffer_after_minutes.into());
    changed.price_amount = Set(price.amount);
    changed.price_currency = Set(price.currency.as_str().to_owned());
    changed.capacity = Set(capacity.into());
    changed.slot_step_minutes = Set(slot_step_minutes.into());
    changed.minimum_notice_minutes = Set(whole(minimum_notice_minutes));
    changed.booking_window_days = Set(booking_window_days.into());
    changed.active = Set(active);
    changed.updated_at = Set(now);
    changed.version = Set(version);
    let row = changed.update(tx).await.map_err(refusal)?;
    tx.emit(&ServiceUpdated(replies::service_state(&row)?)).await?;
    Ok(row)
}

/// Removes a service, and tells it, of its staff too.
pub async fn remove(tx: &Tx, row: Model, now: Instant) -> Result<(), Fault> {
    let staff_ids = staff::ids_performing(tx, row.id).await?;
    delete(tx, row).await?;
    staff::tell_changed(tx, staff_ids, now).await
}

/// Removes a service and tells that alone: the caller tells of the staff who performed it.
pub async fn delete(tx: &Tx, row: Model) -> Result<(), Fault> {
    let tombstone = ServiceState { active: false, version: row.version + 1, ..replies::service_state(&row)? };
    row.delete(tx).await.map_err(failed)?;
    tx.emit(&ServiceRemoved(tombstone)).await?;
    Ok(())
}

fn refusal(error: DbErr) -> VendorError {
    let error = store::Error::from(error);
    match error.constraint() {
        Some("clinic_services_name_key") => VendorError::ServiceNameTaken,
        // It was removed since it was looked up.
        Some("clinic_services_clinic_fkey") => VendorError::ClinicNotFound,
        _ => VendorError::from(error),
    }
}
