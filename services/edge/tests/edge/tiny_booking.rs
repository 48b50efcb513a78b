//! A service of booking's name that has nothing but the stream of bookings.

use platform::streams::Watch;
use platform::{Service, Setup};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use subjects::booking::{BookingError, BookingItem, BookingState, BookingUpdated, WatchBookings};
use subjects::ids::{BookingId, UserId};
use subjects::{Event as _, Fault, event};
use uuid::Uuid;

pub type Rows = Arc<Mutex<BTreeMap<Uuid, BookingState>>>;

pub struct TinyBooking {
    pub rows: Rows,
}

impl platform::App for TinyBooking {
    const NAME: &'static str = "booking";
}
platform::calls!(TinyBooking => []);

pub fn service() -> Service<TinyBooking> {
    Service::new().stream(watch).publishes_events()
}

/// The caller's own.
async fn watch(cx: platform::Cx<TinyBooking>, _request: WatchBookings) -> Result<Watch<BookingItem>, BookingError> {
    let user = cx.caller().user()?.id;
    let rows = cx.app.rows.clone();
    let page = move |after: Option<Uuid>, limit: u64| {
        let rows = rows.lock().unwrap();
        let own = rows.range(after.unwrap_or_default()..).filter(|(id, _)| after.is_none_or(|after| **id > after));
        let own = own.filter(|(_, state)| state.customer_id == Some(user));
        let items: Vec<BookingItem> =
            own.take(usize::try_from(limit).unwrap()).map(|(_, state)| BookingItem(state.clone())).collect();
        async move { Ok::<_, Fault>(items) }
    };
    Ok(Watch::new(page, move |item| item.0.customer_id == Some(user)))
}

/// A new row, of which no event has told.
pub fn row(rows: &Rows, customer: UserId) -> BookingState {
    let state: BookingState = serde_json::from_value(json!({
        "bookingId": BookingId::new(), "version": 1, "reference": "R", "status": "pending", "customerId": customer,
        "vendorId": Uuid::now_v7(), "clinicId": Uuid::now_v7(), "serviceId": Uuid::now_v7(),
        "staffId": Uuid::now_v7(), "startsAt": "2030-01-01T00:00:00Z", "endsAt": "2030-01-01T01:00:00Z",
        "price": { "amount": 1, "currency": "IDR" }, "provisional": false,
        "createdAt": "2029-01-01T00:00:00Z", "updatedAt": "2029-01-01T00:00:00Z",
    }))
    .unwrap();
    rows.lock().unwrap().insert(state.booking_id.into(), state.clone());
    state
}

/// A row as it is now, and the event that tells it.
pub async fn tell(booking: &Setup, rows: &Rows, state: &BookingState) {
    rows.lock().unwrap().insert(state.booking_id.into(), state.clone());
    let subject = event::subject(BookingUpdated::TYPE, state.booking_id.into());
    let body = serde_json::to_vec(&BookingUpdated(state.clone())).unwrap();
    booking.jetstream.publish(subject, body.into()).await.unwrap().await.unwrap();
}
