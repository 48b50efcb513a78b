//! `availability.findAll`: free slots.

use crate::domain::offer::Offer;
use crate::domain::slots::{self, FreeSlot};
use crate::vendor_calls::{self, Question};
use crate::{Cx, clock, repo};
use chrono::{Days, NaiveDate, NaiveTime};
use serde::{Deserialize, Serialize};
use store::HasStore as _;
use subjects::booking::{Availability, BookingError, FindAvailability, Slot};
use subjects::time::Instant;
use subjects::vendor::opening::opening_instant;

/// How many slots a page has, at the most and unless asked for fewer.
const MAX_SLOTS: u16 = 500;

/// Where a list of slots goes on.
#[derive(Serialize, Deserialize)]
struct SlotKey {
    starts_at: Instant,
}

/// The free slots of a service on some days.
pub async fn find_all(cx: Cx, request: FindAvailability) -> Result<Availability, BookingError> {
    let after: Option<SlotKey> = store::cursor::decode(request.cursor.as_deref())?;
    let last = request.to.unwrap_or(request.from);
    let FindAvailability { service_id, staff_id, clinic_id, vendor_id, from: first, .. } = request;
    let offer = vendor_calls::offer(&cx, Question { service_id, staff_id, first, last }).await?;
    offer.belongs_to(clinic_id, vendor_id)?;
    // Anybody may ask: a service of a vendor who is not, or no longer, shown must look as if it were not there.
    if !offer.bookable {
        return Err(BookingError::ServiceNotFound);
    }

    let from = day_start(&offer, first).max(clock::now());
    let to = day_start(&offer, last.checked_add_days(Days::new(1)).unwrap_or(last));
    let staff_ids = offer.staff.iter().map(|member| member.staff_id);
    // The claims that the first and the last slot could meet, with their buffers.
    let (blocked_from, blocked_to) = (offer.period(from).blocked_from, offer.period(to).blocked_to);
    let claims = if from < to {
        repo::claims::overlapping(cx.app.store().read(), staff_ids, blocked_from, blocked_to).await?
    } else {
        Vec::new()
    };
    let mut free = slots::free_slots(&offer, &claims, from, to);
    if let Some(SlotKey { starts_at }) = after {
        free.retain(|slot| slot.starts_at > starts_at);
    }

    let limit = request.limit.unwrap_or(MAX_SLOTS);
    free.truncate(usize::from(limit) + 1);
    let page = store::page(free, limit, |last| SlotKey { starts_at: last.starts_at });
    let page = page.map(|slot| shown(&offer, slot));
    Ok(Availability {
        service_id,
        clinic_id: offer.service.clinic_id,
        time_zone: offer.time_zone,
        duration_minutes: offer.service.duration_minutes,
        provisional: offer.provisional,
        items: page.items,
        next_cursor: page.next_cursor,
    })
}

/// The instant at which a date begins at the clinic.
fn day_start(offer: &Offer, date: NaiveDate) -> Instant {
    opening_instant(offer.time_zone, date.and_time(NaiveTime::MIN))
}

fn shown(offer: &Offer, slot: FreeSlot) -> Slot {
    let FreeSlot { starts_at, ends_at, staff_ids } = slot;
    let local_starts_at = starts_at.with_timezone(&offer.time_zone.0).fixed_offset();
    Slot { starts_at, ends_at, local_starts_at, staff_ids }
}
