//! Asking the vendor service what can be booked, and doing without its answer.

use crate::Cx;
use crate::domain::grid::dates_around;
use crate::domain::offer::Offer;
use crate::domain::schedule::Known;
use crate::repo;
use chrono::{Days, NaiveDate};
use std::time::Duration;
use store::HasStore as _;
use subjects::booking::BookingError;
use subjects::ids::{ServiceId, StaffId};
use subjects::time::Instant;
use subjects::vendor::{ClinicAvailability, MAX_AVAILABILITY_DAYS, VendorAvailability, VendorError};
use subjects::{ErrorCode, Fallback, Fault, ServiceError as _};

/// After how many milliseconds a caller may try again when neither vendor nor the read models know the service.
const RETRY_AFTER_MS: u64 = 2_000;

/// A service and the dates on which it is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Question {
    /// The service.
    pub service_id: ServiceId,
    /// Only this staff member.
    pub staff_id: Option<StaffId>,
    /// The first date, in the clinic's zone.
    pub first: NaiveDate,
    /// The last date.
    pub last: NaiveDate,
}

impl Question {
    /// Asks for a visit at an instant. Which date that is at the clinic is not known yet, but no zone is a day from
    /// UTC; and the grid takes some dates around it.
    pub fn at(service_id: ServiceId, staff_id: Option<StaffId>, starts_at: Instant) -> Question {
        let date = starts_at.date_naive();
        let day_before = date.checked_sub_days(Days::new(1)).unwrap_or(date);
        let day_after = date.checked_add_days(Days::new(1)).unwrap_or(date);
        let (first, last) = dates_around(day_before, day_after);
        Question { service_id, staff_id, first, last }
    }
}

/// What can be booked: as the vendor service says or, when that does not answer, as the read models say.
///
/// # Errors
/// [`BookingError::ServiceNotFound`]; `unavailable` where neither knows the service.
pub async fn offer(cx: &Cx, question: Question) -> Result<Offer, BookingError> {
    // Half of the time that is left stays for what comes after.
    let limit = cx.app.config.vendor_timeout().min(cx.remaining() / 2);
    match from_vendor(cx, question, limit).await {
        Err(BookingError::Fault(fault)) if is_away(&fault) => {
            tracing::debug!(service.id = %question.service_id, reason = %fault.reason, "vendor does not answer, using the read models");
            let offer = from_read_models(cx, question).await?;
            cx.fall_back(Fallback::ScheduleCopy);
            Ok(offer)
        }
        answered => answered,
    }
}

/// What the vendor service says of a service between two dates, which may be more than it answers at a time.
///
/// # Errors
/// Like [`offer`].
pub async fn offer_between(
    cx: &Cx,
    service_id: ServiceId,
    staff_id: Option<StaffId>,
    (first, last): (NaiveDate, NaiveDate),
) -> Result<Offer, BookingError> {
    let days_after_the_first = Days::new(MAX_AVAILABILITY_DAYS.unsigned_abs().saturating_sub(1));
    let mut whole: Option<Offer> = None;
    let mut from = first;
    loop {
        let to = from.checked_add_days(days_after_the_first).unwrap_or(last).min(last);
        let part = offer(cx, Question { service_id, staff_id, first: from, last: to }).await?;
        let offer = match whole {
            Some(offer) => offer.joined_with(part),
            None => part,
        };
        match to.succ_opt() {
            Some(next) if to < last => from = next,
            _ => return Ok(offer),
        }
        whole = Some(offer);
    }
}

/// What the vendor service itself says.
///
/// # Errors
/// Like [`offer`], and whatever keeps vendor from answering.
pub async fn from_vendor(cx: &Cx, question: Question, limit: Duration) -> Result<Offer, BookingError> {
    let Question { service_id, staff_id, first, last } = question;
    let message = VendorAvailability {
        clinic_id: None,
        service_id: Some(service_id),
        vendor_id: None,
        staff_id,
        from: first,
        to: Some(last),
    };
    match cx.call_within(&message, limit).await {
        Ok(answer) => offer_from_answer(answer),
        Err(VendorError::ServiceNotFound) => Err(BookingError::ServiceNotFound),
        Err(VendorError::StaffNotFound) => Err(BookingError::StaffUnsuitable),
        Err(VendorError::ClinicNotFound | VendorError::VendorNotFound) => Err(BookingError::VendorUnavailable),
        Err(error) => Err(error.into_fault().into()),
    }
}

/// Whether a fault says that the other side could not be asked, rather than that it refused.
pub fn is_away(fault: &Fault) -> bool {
    matches!(fault.code, ErrorCode::Unavailable | ErrorCode::DeadlineExceeded)
}

fn offer_from_answer(answer: ClinicAvailability) -> Result<Offer, BookingError> {
    let ClinicAvailability {
        clinic_id: _,
        vendor_id: _,
        time_zone,
        policy,
        schedule_version,
        bookable,
        service,
        staff,
    } = answer;
    let service = service.ok_or(BookingError::ServiceNotFound)?;
    Ok(Offer { service, time_zone, policy, schedule_version, bookable, staff, provisional: false })
}

async fn from_read_models(cx: &Cx, question: Question) -> Result<Offer, BookingError> {
    let Question { service_id, staff_id, first, last } = question;
    match repo::offers::find(cx.app.store().read(), service_id, staff_id, first, last).await? {
        Known::Offer(offer) => Ok(*offer),
        Known::Removed => Err(BookingError::ServiceNotFound),
        Known::Unknown => Err(Fault::unavailable(RETRY_AFTER_MS).into()),
    }
}
