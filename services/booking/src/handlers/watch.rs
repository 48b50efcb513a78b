//! `booking.watch`.

use super::queries::scope;
use crate::entity::bookings;
use crate::repo::bookings::Scope;
use crate::repo::offers::money;
use crate::repo::watched::{self, Watched};
use crate::{BookingApp, Cx};
use chrono::{TimeDelta, Utc};
use platform::streams::Watch;
use std::sync::Arc;
use store::HasStore as _;
use subjects::booking::{BookingError, BookingItem, BookingState, WatchBookings};
use subjects::ids::{ClinicId, UserId};
use subjects::{Fault, Money};

/// How long visits that have begun are still watched, unless told.
const LOOKS_BACK: TimeDelta = TimeDelta::days(1);

/// The caller's bookings, or those of a clinic where the caller works. Asked at every lease: whoever no longer works
/// there, or does now, is told anew what they see.
pub async fn watch(cx: Cx, request: WatchBookings) -> Result<Watch<BookingItem>, BookingError> {
    let watched = Watched {
        scope: scope(&cx, request.clinic_id).await?,
        clinic_id: request.clinic_id,
        from: request.from.unwrap_or_else(|| Utc::now() - LOOKS_BACK),
    };
    let whose: (Option<UserId>, Option<ClinicId>) = match watched.scope {
        Scope::Customer(customer_id) => (Some(customer_id), None),
        Scope::Clinic(clinic_id) => (None, Some(clinic_id)),
    };
    // Not since when: unless told, that is another instant at each lease.
    let scope = (whose, request.clinic_id, request.from);
    let app = cx.app.clone();
    let page = move |after, limit| read_page(app.clone(), watched, after, limit);
    Ok(Watch::new(page, move |item| watched.admits(&item.0)).of_scope(&scope))
}

async fn read_page(
    app: Arc<BookingApp>,
    watched: Watched,
    after: Option<uuid::Uuid>,
    limit: u64,
) -> Result<Vec<BookingItem>, Fault> {
    let rows = watched::page(app.store().read(), watched, after, limit).await?;
    rows.into_iter().map(item).collect()
}

impl Watched {
    /// Whether a booking is among what is watched: the same as the rows that [`watched::page`] reads.
    fn admits(&self, booking: &BookingState) -> bool {
        let is_in_scope = match self.scope {
            Scope::Customer(customer_id) => booking.customer_id == Some(customer_id),
            Scope::Clinic(clinic_id) => booking.clinic_id == clinic_id,
        };
        is_in_scope
            && booking.starts_at >= self.from
            && self.clinic_id.is_none_or(|clinic_id| clinic_id == booking.clinic_id)
    }
}

/// A row as the events tell it. Nothing that is a person's own words is read.
fn item(row: bookings::Model) -> Result<BookingItem, Fault> {
    let price = money(row.price_amount, &row.price_currency)?;
    Ok(BookingItem(BookingState {
        booking_id: row.id,
        version: row.version,
        reference: row.reference,
        status: row.status,
        customer_id: row.customer_id,
        vendor_id: row.vendor_id,
        clinic_id: row.clinic_id,
        service_id: row.service_id,
        staff_id: row.staff_id,
        pet_id: row.pet_id,
        starts_at: row.starts_at,
        ends_at: row.ends_at,
        price,
        fee: Some(Money { amount: row.fee_amount, currency: price.currency }),
        provisional: row.needs_check,
        attention: row.attention,
        created_at: row.created_at,
        updated_at: row.updated_at,
    }))
}
