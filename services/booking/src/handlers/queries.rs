//! `booking.findOne`, `booking.findAll` and `booking.history`.

use crate::repo::bookings::{ListKey, Scope};
use crate::repo::offers::money;
use crate::{Cx, access, convert, repo, texts};
use serde::{Deserialize, Serialize};
use store::HasStore as _;
use subjects::booking::{Booking, BookingChange, BookingError, BookingHistory, BookingSort, FindBookings, GetBooking};
use subjects::ids::ClinicId;
use subjects::paging::DEFAULT_LIMIT;
use subjects::time::Instant;
use subjects::{Fault, Page, Violation};

/// One booking.
pub async fn find_one(cx: Cx, request: GetBooking) -> Result<Booking, BookingError> {
    let db = cx.app.store().read();
    let row = repo::bookings::find(db, request.id).await?.ok_or(BookingError::BookingNotFound)?;
    access::may_see(db, cx.caller(), &row).await?;
    Ok(texts::booking(&cx.app, db, row).await?)
}

/// The caller's bookings, or those of a clinic where the caller works.
pub async fn find_all(cx: Cx, request: FindBookings) -> Result<Page<Booking>, BookingError> {
    let scope = scope(&cx, request.clinic_id).await?;
    let sort = request.sort.unwrap_or(BookingSort::StartsAt);
    let after: Option<ListKey> = store::cursor::decode(request.cursor.as_deref())?;
    if after.is_some_and(|key| key.sort != sort) {
        let violation = Violation::new("/cursor", "is of a list in another order");
        return Err(Fault::invalid(vec![violation]).into());
    }
    let limit = request.limit.unwrap_or(DEFAULT_LIMIT);
    let db = cx.app.store().read();
    let rows = repo::bookings::list(db, scope, &request, sort, after, u64::from(limit) + 1).await?;
    let bookings = texts::bookings(&cx.app, db, rows).await?;
    Ok(store::page(bookings, limit, |last| ListKey { sort, at: sorted_by(sort, last), id: last.id }))
}

fn sorted_by(sort: BookingSort, booking: &Booking) -> Instant {
    match sort {
        BookingSort::StartsAt | BookingSort::StartsAtDescending => booking.starts_at,
        BookingSort::CreatedAtDescending => booking.created_at,
    }
}

/// Whose bookings the caller sees. A clinic that is not theirs is a filter on their own bookings.
pub async fn scope(cx: &Cx, clinic_id: Option<ClinicId>) -> Result<Scope, BookingError> {
    let user = cx.caller().user()?;
    let own = Scope::Customer(user.id);
    let Some(clinic_id) = clinic_id else { return Ok(own) };
    cx.concerns(clinic_id);
    if cx.caller().is_permitted() {
        return Ok(Scope::Clinic(clinic_id));
    }
    let db = cx.app.store().read();
    let Some(vendor_id) = repo::clinics::vendor_of(db, clinic_id).await? else { return Ok(own) };
    let is_staff = access::is_staff_of(db, user.id, vendor_id, clinic_id).await?;
    Ok(if is_staff { Scope::Clinic(clinic_id) } else { own })
}

/// Where a history goes on.
#[derive(Serialize, Deserialize)]
struct HistoryKey {
    version: i64,
}

/// What happened to a booking.
pub async fn history(cx: Cx, request: BookingHistory) -> Result<Page<BookingChange>, BookingError> {
    let db = cx.app.store().read();
    let row = repo::bookings::find(db, request.id).await?.ok_or(BookingError::BookingNotFound)?;
    let viewer = access::actor(db, cx.caller(), &row).await?;
    let after: Option<HistoryKey> = store::cursor::decode(request.cursor.as_deref())?;
    let limit = request.limit.unwrap_or(DEFAULT_LIMIT);
    let after_version = after.map_or(0, |key| key.version);
    let rows = repo::bookings::history(db, request.id, after_version, u64::from(limit) + 1).await?;
    let currency = money(row.price_amount, &row.price_currency)?.currency;
    let key = cx.app.people.for_reading(db, texts::subject(row.id, row.customer_id)).await?;
    let told = |row| convert::change(row, viewer.kind, currency, key.as_ref());
    let changes: Vec<BookingChange> = rows.into_iter().map(told).collect();
    Ok(store::page(changes, limit, |last| HistoryKey { version: last.version }))
}
