//! `availability.findAll`: free slots, from what vendor's events have told.

use crate::domain::grid;
use crate::domain::offer::Period;
use crate::domain::schedule::{Known, Place, Schedule};
use crate::domain::search::{self, Asked, SlotKey};
use crate::domain::slots::{self, FreeSlot, Sought, Taken};
use crate::{Cx, repo, vendor_calls};
use chrono::NaiveDate;
use std::collections::{BTreeMap, BTreeSet};
use store::HasStore as _;
use subjects::booking::{Availability, AvailableService, BookingError, FindAvailability, Slot};
use subjects::ids::{ClinicId, ServiceId, StaffId, VendorId};
use subjects::time::TimeZone;
use subjects::vendor::ServiceState;

/// How many slots a page has, at the most and unless asked for fewer.
const MAX_SLOTS: u16 = 500;

/// The free slots of a service, a clinic or a staff member on some days.
pub async fn find_all(cx: Cx, request: FindAvailability) -> Result<Availability, BookingError> {
    let after: Option<SlotKey> = store::cursor::decode(request.cursor.as_deref())?;
    let places = places(&cx, &request).await?;
    let last = request.to.unwrap_or(request.from);
    let sought = search::sought(&places, &Asked { first: request.from, last, after, now: store::now() });
    let taken = taken(&cx, &sought).await?;

    let limit = request.limit.unwrap_or(MAX_SLOTS);
    let free = slots::free_slots(&sought, &taken, usize::from(limit) + 1);
    let page = store::page(free, limit, |last| SlotKey { starts_at: last.starts_at, service_id: last.service_id });
    let zones: BTreeMap<ServiceId, TimeZone> =
        services_of(&places).map(|(place, service)| (service.service_id, place.time_zone)).collect();
    let items = page.items.into_iter().filter_map(|slot| shown(&zones, slot)).collect();
    let mut services: Vec<AvailableService> =
        services_of(&places).map(|(place, service)| available(place, service)).collect();
    services.sort_unstable_by_key(|service| service.service_id);
    Ok(Availability { services, items, next_cursor: page.next_cursor })
}

/// Where and with whom what is asked for can be booked. Anybody may ask: what is not, or no longer, shown to the public
/// must look as if it were not there.
async fn places(cx: &Cx, request: &FindAvailability) -> Result<Vec<Place>, BookingError> {
    let FindAvailability { service_id, clinic_id, vendor_id, staff_id, from: first, to, limit: _, cursor: _ } =
        *request;
    let last = to.unwrap_or(first);
    let db = cx.app.store().read();
    if let Some(service_id) = service_id {
        let schedule = repo::schedule::of_service(db, service_id, staff_id).await?;
        let around = grid::dates_around(first, last);
        let offer = match schedule.known(service_id, staff_id, around.0, around.1) {
            Known::Offer(offer) => *offer,
            Known::Removed => return Err(BookingError::ServiceNotFound),
            // Its events have not been heard yet.
            Known::Unknown => vendor_calls::offer_between(cx, service_id, staff_id, around).await?,
        };
        offer.belongs_to(clinic_id, vendor_id)?;
        if !offer.bookable {
            return Err(BookingError::ServiceNotFound);
        }
        return Ok(vec![Place::of_offer(offer)]);
    }
    if let Some(clinic_id) = clinic_id {
        let schedule = repo::schedule::of_clinic(db, clinic_id, staff_id).await?;
        let places = places_of_clinic(&schedule, clinic_id, vendor_id, staff_id, (first, last));
        return places.ok_or(BookingError::ClinicNotFound);
    }
    let staff_id = staff_id.ok_or(BookingError::StaffNotFound)?;
    let schedule = repo::schedule::of_staff_member(db, staff_id).await?;
    let is_known = schedule.staff.iter().any(|member| member.active && is_or_any(vendor_id, member.vendor_id));
    // A vendor that takes no bookings has no staff either, as far as the public knows.
    let is_shown = schedule.clinics.is_empty() || schedule.clinics.iter().any(|clinic| clinic.takes_bookings);
    if !is_known || !is_shown {
        return Err(BookingError::StaffNotFound);
    }
    Ok(schedule.places(Some(staff_id), first, last))
}

fn places_of_clinic(
    schedule: &Schedule,
    clinic_id: ClinicId,
    vendor_id: Option<VendorId>,
    staff_id: Option<StaffId>,
    (first, last): (NaiveDate, NaiveDate),
) -> Option<Vec<Place>> {
    let clinic = schedule.clinics.iter().find(|clinic| clinic.clinic_id == clinic_id)?;
    let is_shown = clinic.takes_bookings && is_or_any(vendor_id, clinic.vendor_id);
    is_shown.then(|| schedule.places(staff_id, first, last))
}

fn is_or_any(wanted: Option<VendorId>, vendor_id: VendorId) -> bool {
    wanted.is_none_or(|wanted| wanted == vendor_id)
}

/// The claims that the first and the last of the slots could meet, with their buffers.
async fn taken(cx: &Cx, sought: &[Sought<'_>]) -> Result<Taken, BookingError> {
    let from = sought.iter().map(|one| Period::of(one.service, one.from).blocked_from).min();
    let to = sought.iter().map(|one| Period::of(one.service, one.to).blocked_to).max();
    let (Some(from), Some(to)) = (from, to) else { return Ok(Taken::default()) };
    let staff_ids: BTreeSet<StaffId> =
        sought.iter().flat_map(|one| one.staff.iter().map(|(staff_id, _)| *staff_id)).collect();
    Ok(Taken::new(repo::taken::taken(cx.app.store().read(), staff_ids.into_iter(), from, to).await?))
}

fn services_of(places: &[Place]) -> impl Iterator<Item = (&Place, &ServiceState)> {
    places.iter().flat_map(|place| place.services.iter().map(move |service| (place, service)))
}

fn available(place: &Place, service: &ServiceState) -> AvailableService {
    AvailableService {
        service_id: service.service_id,
        clinic_id: service.clinic_id,
        name: service.name.clone(),
        time_zone: place.time_zone,
        duration_minutes: service.duration_minutes,
        price: service.price,
    }
}

fn shown(zones: &BTreeMap<ServiceId, TimeZone>, slot: FreeSlot) -> Option<Slot> {
    let FreeSlot { service_id, starts_at, ends_at, staff_ids } = slot;
    let time_zone = zones.get(&service_id)?;
    let local_starts_at = starts_at.with_timezone(&time_zone.0).fixed_offset();
    Some(Slot { service_id, starts_at, ends_at, local_starts_at, staff_ids })
}
