//! `booking.snapshot`. Bookings are never removed.

use crate::entity::bookings::{Column, Entity};
use crate::{Cx, convert};
use store::projection::{snapshot_page, snapshot_rows};
use subjects::NoError;
use subjects::booking::{BookingSnapshot, BookingState};
use subjects::snapshot::{SnapshotItem, SnapshotPage};

/// A page of bookings.
pub async fn bookings(cx: Cx, request: BookingSnapshot) -> Result<SnapshotPage<BookingState>, NoError> {
    let BookingSnapshot { after, limit } = request;
    let rows = snapshot_rows::<Entity>(cx.app.store.read(), Column::Id, after, limit).await?;
    let page = snapshot_page::<BookingSnapshot, _>(rows, limit, |row| {
        let booking = convert::booking_without_texts(row)?;
        Ok(SnapshotItem { state: BookingState::from(&booking), removed: false })
    });
    Ok(page?)
}
