//! `calendar.create`, `calendar.findAll`, `calendar.remove` and `calendar.feed`.

use crate::domain::ical;
use crate::entity::calendar_feeds;
use crate::repo::bookings::Scope;
use crate::{Cx, access, repo};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Duration;
use sea_orm::ConnectionTrait;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use store::HasStore as _;
use subjects::booking::{
    BookingError, Calendar, CalendarFeed, CreateCalendar, FindCalendars, NewCalendar, ReadCalendar, RemoveCalendar,
};
use subjects::ids::{CalendarId, ClinicId, StaffId, UserId, VendorId};
use subjects::{Fault, Page};

/// How far back a calendar goes, and how long it shows what was cancelled.
const SHOWN_FOR: Duration = Duration::days(30);

/// Makes a calendar and tells its secret, this once.
pub async fn create(cx: Cx, request: CreateCalendar) -> Result<NewCalendar, BookingError> {
    let user_id = cx.caller().user()?.id;
    let CreateCalendar { clinic_id, staff_id } = request;
    let made = cx.app.store().write(&cx, |tx| async move {
        let vendor_id = match clinic_id {
            Some(clinic_id) => Some(vendor_of_own_clinic(&tx, user_id, clinic_id, staff_id).await?),
            None => None,
        };
        let secret: [u8; 32] = rand::random();
        let token = URL_SAFE_NO_PAD.encode(secret);
        let id = CalendarId::new();
        let created_at = store::now();
        let token_hash = hash(&token);
        let row = calendar_feeds::Model { id, user_id, clinic_id, vendor_id, staff_id, token_hash, created_at };
        repo::calendars::make(&tx, row).await?;
        Ok(NewCalendar { id, path: format!("/calendars/{token}.ics"), clinic_id, staff_id, created_at })
    });
    made.await
}

/// The vendor of a clinic at which the user works, and the staff member, too, where one is named.
async fn vendor_of_own_clinic(
    db: &impl ConnectionTrait,
    user_id: UserId,
    clinic_id: ClinicId,
    staff_id: Option<StaffId>,
) -> Result<VendorId, BookingError> {
    let vendor_id = repo::clinics::vendor_of(db, clinic_id).await.map_err(Fault::from)?;
    let vendor_id = vendor_id.ok_or(BookingError::ClinicNotFound)?;
    if !access::is_staff_of(db, user_id, vendor_id, clinic_id).await? {
        return Err(Fault::forbidden().into());
    }
    if let Some(staff_id) = staff_id
        && !repo::calendars::works_at(db, staff_id, vendor_id, clinic_id).await.map_err(Fault::from)?
    {
        return Err(BookingError::StaffNotFound);
    }
    Ok(vendor_id)
}

/// What is stored of a secret. A fast hash is enough for 256 random bits.
fn hash(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

/// Where a list of calendars goes on.
#[derive(Serialize, Deserialize)]
struct ListKey {
    id: CalendarId,
}

/// The caller's calendars, the latest first.
pub async fn find_all(cx: Cx, request: FindCalendars) -> Result<Page<Calendar>, BookingError> {
    let user_id = cx.caller().user()?.id;
    let before: Option<ListKey> = store::cursor::decode(request.cursor.as_deref())?;
    let limit = store::cursor::limit(request.limit);
    let before_id = before.map(|key| key.id);
    let rows = repo::calendars::list(cx.app.store().read(), user_id, before_id, u64::from(limit) + 1).await;
    let rows = rows.map_err(Fault::from)?;
    Ok(store::page(rows, limit, |last| ListKey { id: last.id }).map(calendar))
}

fn calendar(row: calendar_feeds::Model) -> Calendar {
    let calendar_feeds::Model { id, user_id: _, clinic_id, vendor_id: _, staff_id, token_hash: _, created_at } = row;
    Calendar { id, clinic_id, staff_id, created_at }
}

/// Removes one of the caller's calendars.
pub async fn remove(cx: Cx, request: RemoveCalendar) -> Result<(), BookingError> {
    let user_id = cx.caller().user()?.id;
    let removed = cx.app.store().write(&cx, |tx| async move {
        let is_gone = repo::calendars::remove(&tx, request.id, user_id).await.map_err(Fault::from)?;
        if is_gone { Ok(()) } else { Err(BookingError::CalendarNotFound) }
    });
    removed.await
}

/// A calendar's text, for whoever has its secret. Who no longer works at the clinic has no calendar of it.
pub async fn feed(cx: Cx, request: ReadCalendar) -> Result<CalendarFeed, BookingError> {
    let db = cx.app.store().read();
    let row = repo::calendars::by_token(db, hash(&request.token)).await.map_err(Fault::from)?;
    let row = row.ok_or(BookingError::CalendarNotFound)?;
    let scope = match (row.clinic_id, row.vendor_id) {
        (Some(clinic_id), Some(vendor_id)) => {
            if !access::is_staff_of(db, row.user_id, vendor_id, clinic_id).await? {
                return Err(BookingError::CalendarNotFound);
            }
            Scope::Clinic(clinic_id)
        }
        _ => Scope::Customer(row.user_id),
    };
    let visits = repo::calendars::visits(&cx.app.people, db, scope, row.staff_id, store::now() - SHOWN_FOR).await?;
    Ok(CalendarFeed { text: ical::feed(&visits) })
}
