//! `booking.findOne`, `booking.findAll` and `booking.history`.

use crate::repo::bookings::{ListKey, Scope};
use crate::{Cx, access, convert, repo};
use serde::{Deserialize, Serialize};
use store::HasStore as _;
use subjects::booking::{Booking, BookingChange, BookingError, BookingHistory, FindBookings, GetBooking};
use subjects::paging::DEFAULT_LIMIT;
use subjects::{Fault, Page};

/// One booking.
pub async fn find_one(cx: Cx, request: GetBooking) -> Result<Booking, BookingError> {
    let db = cx.app.store().read();
    let row = repo::bookings::find(db, request.id).await?.ok_or(BookingError::BookingNotFound)?;
    access::may_see(db, cx.caller(), &row).await?;
    Ok(convert::booking(row)?)
}

/// The caller's bookings, or those of a clinic where the caller works.
pub async fn find_all(cx: Cx, request: FindBookings) -> Result<Page<Booking>, BookingError> {
    let scope = scope(&cx, &request).await?;
    let after: Option<ListKey> = store::cursor::decode(request.cursor.as_deref())?;
    let limit = request.limit.unwrap_or(DEFAULT_LIMIT);
    let rows = repo::bookings::list(cx.app.store().read(), scope, &request, after, u64::from(limit) + 1).await?;
    let bookings: Vec<Booking> = rows.into_iter().map(convert::booking).collect::<Result<_, Fault>>()?;
    Ok(store::page(bookings, limit, |last| ListKey { starts_at: last.starts_at, id: last.id }))
}

/// Whose bookings the caller sees. A clinic that is not theirs is a filter on their own bookings.
async fn scope(cx: &Cx, request: &FindBookings) -> Result<Scope, BookingError> {
    let user = cx.caller().user()?;
    let own = Scope::Customer(user.id);
    let Some(clinic_id) = request.clinic_id else { return Ok(own) };
    if cx.caller().is_platform_admin() {
        return Ok(Scope::Clinic(clinic_id));
    }
    let db = cx.app.store().read();
    let Some(vendor_id) = repo::memberships::vendor_of(db, clinic_id).await? else { return Ok(own) };
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
    let changes: Vec<BookingChange> = rows.into_iter().map(|row| convert::change(row, viewer.kind)).collect();
    Ok(store::page(changes, limit, |last| HistoryKey { version: last.version }))
}
