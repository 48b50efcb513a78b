//! What the ledger consumes: every type of event, each by a handler of its own name, and what the load changes also in
//! order.

use super::LedgerApp;
use platform::Service;
use sea_orm::ConnectionTrait as _;
use serde_json::Value;
use std::sync::Arc;
use store::{Told, Tx, statement};
use subjects::auth::{
    NotificationRequested, RoleRemoved, RoleUpdated, SessionRevoked, UserLoggedIn, UserPasswordChanged, UserRegistered,
    UserUpdated,
};
use subjects::booking::{
    BookingCancelled, BookingCompleted, BookingConfirmed, BookingCreated, BookingNeedsAttention, BookingNoShow,
    BookingUpdated,
};
use subjects::catalog::{
    CategoryUpdated, InventoryChanged, InventoryLow, ProductCreated, ProductRemoved, ProductUpdated,
};
use subjects::profile::{
    AddressUpdated, PetCreated, PetRemoved, PetUpdated, PrivacyEraseRequested, PrivacyErased, ProfileUpdated,
};
use subjects::vendor::{
    ClinicUpdated, HoursUpdated, MembershipChanged, MembershipRevoked, ServiceRemoved, ServiceUpdated, StaffAdded,
    StaffRemoved, StaffUpdated, VendorApproved, VendorRegistered, VendorRejected, VendorSuspended, VendorUpdated,
};
use subjects::{ErrorCode, Event, Fault};
use uuid::Uuid;

const WRITE_DOWN: &str = "insert into effects (handler, event_id, event_type, aggregate_id, version) \
     values ($1, $2, $3, $4, $5)";

/// A work consumer for each of the event types, named as it is.
macro_rules! consume_each {
    ($service:expr, $( $handler:literal: $event:ty ),+ $(,)?) => {
        $service$( .consume(store::work($handler, |_: Arc<LedgerApp>, tx: Tx, event: $event| async move {
            write_down(&tx, $handler, &event).await
        })) )+
    };
}

/// An ordered consumer for each of the entities, with the name of the field that holds its aggregate's id.
macro_rules! consume_in_order {
    ($service:expr, $( $handler:literal: $source:literal, $entity:literal, $id:literal ),+ $(,)?) => {
        $service$( .consume(store::ordered(
            $handler,
            $source,
            $entity,
            |_: Arc<LedgerApp>, tx: Tx, told: Told<Value>| async move { write_down_told(&tx, $handler, $id, told).await },
        )) )+
    };
}

/// What the ledger does: it consumes.
pub fn service() -> Service<LedgerApp> {
    consume_in_order!(
        each_type(),
        "bookings_in_order": "booking", "booking", "bookingId",
        "stock_in_order": "catalog", "inventory", "inventoryId",
        "pets_in_order": "profile", "pet", "petId",
    )
}

fn each_type() -> Service<LedgerApp> {
    consume_each!(
        Service::new(),
        "user_registered": UserRegistered,
        "user_logged_in": UserLoggedIn,
        "user_password_changed": UserPasswordChanged,
        "user_updated": UserUpdated,
        "session_revoked": SessionRevoked,
        "role_updated": RoleUpdated,
        "role_removed": RoleRemoved,
        "notification_requested": NotificationRequested,
        "profile_updated": ProfileUpdated,
        "address_updated": AddressUpdated,
        "pet_created": PetCreated,
        "pet_updated": PetUpdated,
        "pet_removed": PetRemoved,
        "privacy_erase_requested": PrivacyEraseRequested,
        "privacy_erased": PrivacyErased,
        "vendor_registered": VendorRegistered,
        "vendor_updated": VendorUpdated,
        "vendor_approved": VendorApproved,
        "vendor_rejected": VendorRejected,
        "vendor_suspended": VendorSuspended,
        "clinic_updated": ClinicUpdated,
        "service_updated": ServiceUpdated,
        "service_removed": ServiceRemoved,
        "staff_added": StaffAdded,
        "staff_updated": StaffUpdated,
        "staff_removed": StaffRemoved,
        "hours_updated": HoursUpdated,
        "membership_changed": MembershipChanged,
        "membership_revoked": MembershipRevoked,
        "booking_created": BookingCreated,
        "booking_updated": BookingUpdated,
        "booking_cancelled": BookingCancelled,
        "booking_confirmed": BookingConfirmed,
        "booking_completed": BookingCompleted,
        "booking_no_show": BookingNoShow,
        "booking_needs_attention": BookingNeedsAttention,
        "product_created": ProductCreated,
        "product_updated": ProductUpdated,
        "product_removed": ProductRemoved,
        "category_updated": CategoryUpdated,
        "inventory_changed": InventoryChanged,
        "inventory_low": InventoryLow,
    )
}

async fn write_down<E: Event>(tx: &Tx, handler: &'static str, event: &E) -> Result<(), Fault> {
    let event_id = tx.cause().ok_or_else(|| Fault::internal("the event has no id"))?;
    append(tx, handler, event_id, E::TYPE, event.aggregate_id(), event.version()).await
}

async fn write_down_told(tx: &Tx, handler: &'static str, id: &str, told: Told<Value>) -> Result<(), Fault> {
    let Told { event_type, event_id, body } = told;
    let aggregate_id = body.get(id).and_then(Value::as_str).and_then(|id| id.parse().ok());
    let version = body.get("version").and_then(Value::as_i64);
    let (Some(aggregate_id), Some(version)) = (aggregate_id, version) else {
        return Err(Fault::new(ErrorCode::BadRequest, "the event does not say what it happened to"));
    };
    append(tx, handler, event_id, &event_type, aggregate_id, version).await
}

async fn append(
    tx: &Tx,
    handler: &'static str,
    event_id: Uuid,
    event_type: &str,
    aggregate_id: Uuid,
    version: i64,
) -> Result<(), Fault> {
    let values = vec![handler.into(), event_id.into(), event_type.into(), aggregate_id.into(), version.into()];
    tx.execute_raw(statement(WRITE_DOWN, values)).await.map_err(store::Error::from)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use subjects::catalogue;

    #[test]
    fn the_ledger_takes_every_event_of_the_platform() {
        let told: BTreeSet<String> =
            catalogue::events().map(|event| format!("ledger_{}", event.event_type.replace('.', "_"))).collect();
        let taken: BTreeSet<String> =
            service().declaration().consumers.iter().map(platform::ConsumerDeclaration::durable_name).collect();
        let missing: Vec<&String> = told.difference(&taken).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
}
