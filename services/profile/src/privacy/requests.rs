//! `privacy.export`, `privacy.erase`, `privacy.findOne` and `privacy.readExport`.

use super::rows::{self, Model, Steps};
use crate::Cx;
use serde::{Deserialize, Serialize};
use store::{HasStore as _, Tx, person};
use subjects::Fault;
use subjects::ids::{PrivacyRequestId, UserId};
use subjects::privacy::PersonRow;
use subjects::profile::{
    ErasePrivacy, ExportPart, ExportPrivacy, FindPrivacyRequest, PrivacyEraseRequested, PrivacyKind, PrivacyRequest,
    PrivacyStatus, ProfileError, ReadExport,
};

/// Has the caller's data collected.
pub async fn export(cx: Cx, request: ExportPrivacy) -> Result<PrivacyRequest, ProfileError> {
    let user_id = cx.caller().user()?.id;
    let made = cx.app.store().keyed(&cx, &request, |tx| async move { begin(&tx, user_id, PrivacyKind::Export).await });
    made.await
}

/// Has the caller's data erased.
pub async fn erase(cx: Cx, request: ErasePrivacy) -> Result<PrivacyRequest, ProfileError> {
    let user_id = cx.caller().user()?.id;
    let made = cx.app.store().keyed(&cx, &request, |tx| async move {
        if request.user_id != user_id {
            return Err(ProfileError::NotYourself);
        }
        begin(&tx, user_id, PrivacyKind::Erase).await
    });
    made.await
}

/// A new request, or the one of this kind that is not done. A new export takes the place of the one before it.
async fn begin(tx: &Tx, user_id: UserId, kind: PrivacyKind) -> Result<PrivacyRequest, ProfileError> {
    let now = store::now();
    let row = Model {
        id: PrivacyRequestId::new(),
        user_id,
        kind,
        status: PrivacyStatus::Running,
        steps: Steps::first(),
        version: 1,
        created_at: now,
        updated_at: now,
        finished_at: None,
        due_at: Some(now),
        available_until: None,
    };
    if rows::insert(tx, row.clone()).await? {
        match kind {
            PrivacyKind::Erase => tx.emit(&PrivacyEraseRequested(row.state())).await?,
            // One at a time: otherwise all that is kept of a person would be kept as often as they ask what it is.
            PrivacyKind::Export => rows::remove_done_exports(tx, user_id).await?,
        }
        return Ok(row.told());
    }
    let open = rows::find_open(tx, user_id, kind).await?;
    // It was done in this very moment: there is none to tell of, and the next try makes one.
    open.map(|row| row.told()).ok_or_else(|| ProfileError::from(Fault::unavailable(0)))
}

/// One of the caller's requests.
pub async fn find_one(cx: Cx, request: FindPrivacyRequest) -> Result<PrivacyRequest, ProfileError> {
    let user_id = cx.caller().user()?.id;
    let row = rows::find(cx.app.store().read(), request.id).await?;
    row.filter(|row| row.user_id == user_id || cx.caller().is_permitted())
        .map(|row| row.told())
        .ok_or(ProfileError::PrivacyRequestNotFound)
}

/// Where an export goes on.
#[derive(Serialize, Deserialize)]
struct ExportPlace {
    position: i32,
}

/// A part of one of the caller's exports.
pub async fn read_export(cx: Cx, request: ReadExport) -> Result<ExportPart, ProfileError> {
    let user_id = cx.caller().user()?.id;
    let place: Option<ExportPlace> = store::cursor::decode(request.cursor.as_deref())?;
    let db = cx.app.store().read();
    let row = rows::find(db, request.id).await?.filter(|row| row.user_id == user_id);
    let row = row.ok_or(ProfileError::PrivacyRequestNotFound)?;
    if row.kind != PrivacyKind::Export || row.status != PrivacyStatus::Done {
        return Err(ProfileError::ExportNotReady);
    }
    if row.available_until.is_none_or(|until| until <= store::now()) {
        return Err(ProfileError::ExportOver);
    }
    let mut parts = rows::parts_from(db, row.id, place.map_or(0, |place| place.position)).await?.into_iter();
    let Some(part) = parts.next() else {
        return Ok(ExportPart { service: String::new(), rows: Vec::new(), next_cursor: None });
    };
    let key = cx.app.people.for_reading(db, user_id.into()).await?;
    let opened = person::open(key.as_ref(), &row.place(part.position), &part.sealed).ok_or(ProfileError::ExportOver)?;
    let told: Vec<PersonRow> = serde_json::from_str(&opened).map_err(Fault::internal)?;
    let next_cursor = parts.next().map(|next| store::cursor::encode(&ExportPlace { position: next.position }));
    Ok(ExportPart { service: part.service, rows: told, next_cursor })
}
