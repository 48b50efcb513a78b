//! `vendor.register`: a vendor and the account of its owner come to be together, or not at all.
//!
//! The steps, each of which may be repeated: the ids are made and kept (`started`); auth makes a pending user, who
//! cannot sign in; vendor and membership are written in one transaction (`vendor_created`); auth activates the user
//! (`done`). An active user without the vendor can therefore not be. A crash before `vendor_created` leaves a pending
//! user, which auth removes after 15 minutes; a crash after it is repaired by [`crate::sweep`]. The password is only
//! ever in the request: nothing but ids and hashes is kept, and who asks the same again with the same key takes up
//! where it stood.

use crate::entity::registration::{Model, RegistrationStep};
use crate::repo::memberships::NewMembership;
use crate::repo::vendors::VendorProfile;
use crate::repo::{memberships, registrations, vendors};
use crate::request_key::RequestKey;
use crate::{Cx, replies};
use std::time::Duration;
use store::Tx;
use subjects::auth::{ActivateUser, AuthError, CreateUser};
use subjects::vendor::{NewOwner, RegisterVendor, RegisteredVendor, VendorError};
use subjects::{ErrorCode, Fault, ServiceError};

/// How long an activation may take: the registration is locked for so long, and whoever waits for it must still be
/// served within their own time.
const ACTIVATION_TIMEOUT: Duration = Duration::from_secs(2);

/// `vendor.register`.
pub async fn register(cx: Cx, request: RegisterVendor) -> Result<RegisteredVendor, VendorError> {
    let registration = begin(&cx, &request).await?;
    match (registration.step, &registration.refusal) {
        (RegistrationStep::Failed, Some(refusal)) => {
            cx.mark_replayed();
            let fault: Fault = serde_json::from_value(refusal.clone()).map_err(Fault::internal)?;
            return Err(VendorError::from_fault(fault));
        }
        (RegistrationStep::Failed, None) => return Err(VendorError::RegistrationFailed),
        (RegistrationStep::Started, _) => {
            create_user(&cx, &registration, &request.owner).await?;
            create_vendor(&cx, &registration, &request).await?;
            finish(&cx, &registration).await?;
        }
        (RegistrationStep::VendorCreated, _) => finish(&cx, &registration).await?,
        (RegistrationStep::Done, _) => cx.mark_replayed(),
    }
    let row = vendors::find(cx.app.store.read(), registration.vendor_id).await?;
    let row = row.ok_or(VendorError::VendorNotFound)?;
    Ok(RegisteredVendor { user_id: registration.user_id, vendor: replies::vendor(row, true) })
}

/// Makes the ids, or finds those that were made under the same key. A registration that had run out of time begins
/// anew.
async fn begin(cx: &Cx, request: &RegisterVendor) -> Result<Model, VendorError> {
    // Hashed before the transaction, which should not wait for it.
    let request_key = &match cx.meta().idempotency_key.as_deref() {
        Some(key) => Some(RequestKey::of(request, key).await?),
        None => None,
    };
    cx.app
        .store
        .write(cx, |tx| async move {
            let now = store::now();
            let registration = registrations::begin(&tx, request_key.as_ref(), now).await?;
            if registration.fingerprint.as_ref() != request_key.as_ref().map(|key| &key.fingerprint) {
                let message = "this idempotency key was used before with another body";
                let reused = Fault::new(ErrorCode::Unprocessable, message).with_reason("idempotency_key_reused");
                return Err(VendorError::Fault(reused));
            }
            let ran_out_of_time = registration.step == RegistrationStep::Failed && registration.refusal.is_none();
            if ran_out_of_time {
                return Ok(registrations::reopen(&tx, registration, now).await?);
            }
            Ok(registration)
        })
        .await
}

async fn create_user(cx: &Cx, registration: &Model, owner: &NewOwner) -> Result<(), VendorError> {
    let NewOwner { email, password, first_name, last_name, phone_number } = owner.clone();
    let id = registration.user_id;
    let refused = match cx.call(&CreateUser { id, email, password, first_name, last_name, phone_number }).await {
        Ok(_) => return Ok(()),
        Err(AuthError::EmailTaken) => VendorError::EmailTaken.into_fault(),
        Err(error) => {
            let fault = error.into_fault();
            if fault.code != ErrorCode::BadRequest {
                // Nobody knows whether the user was made: asking again, or the sweep, will settle it.
                return Err(VendorError::Fault(fault));
            }
            at_owner(fault)
        }
    };
    let refusal = &refused;
    cx.app
        .store
        .write(cx, |tx| async move {
            if let Some(row) = registrations::lock(&tx, registration.id).await?
                && row.step == RegistrationStep::Started
                && row.vendor_id == registration.vendor_id
            {
                registrations::refuse(&tx, row, refusal, store::now()).await?;
            }
            Ok::<(), VendorError>(())
        })
        .await?;
    Err(VendorError::from_fault(refused))
}

async fn create_vendor(cx: &Cx, registration: &Model, request: &RegisterVendor) -> Result<(), VendorError> {
    cx.app
        .store
        .write(cx, |tx| async move {
            let now = store::now();
            let row = registrations::lock(&tx, registration.id).await?.ok_or(VendorError::RegistrationFailed)?;
            let is_still_ours = row.vendor_id == registration.vendor_id;
            match row.step {
                RegistrationStep::Started if is_still_ours => {
                    vendors::insert(&tx, row.vendor_id, VendorProfile::from(request), now).await?;
                    let membership = NewMembership::of_founder(row.user_id, row.vendor_id);
                    memberships::insert(&tx, membership, now).await?;
                    registrations::set_step(&tx, row, RegistrationStep::VendorCreated, now).await?;
                    Ok(())
                }
                // The same request, asked twice at the same time, was faster.
                RegistrationStep::VendorCreated | RegistrationStep::Done if is_still_ours => Ok(()),
                _ => Err(VendorError::RegistrationFailed),
            }
        })
        .await
}

/// Activates the user of a registration whose vendor is there. Where auth has removed the user in the meantime, the
/// vendor is removed too. The registration is locked all the while, so that nobody takes the vendor back between the
/// look at it and the activation.
///
/// # Errors
/// [`VendorError::RegistrationFailed`] after such a removal, or where the registration failed already; faults of the
/// call, after which it may be tried again.
pub async fn finish(cx: &Cx, registration: &Model) -> Result<(), VendorError> {
    let finished = cx
        .app
        .store
        .write(cx, |tx| async move {
            let row = registrations::lock(&tx, registration.id).await?.ok_or(VendorError::RegistrationFailed)?;
            let is_still_ours = row.vendor_id == registration.vendor_id;
            match row.step {
                RegistrationStep::VendorCreated if is_still_ours => {}
                // The same request, asked twice at the same time, or the sweep was faster.
                RegistrationStep::Done if is_still_ours => return Ok(true),
                _ => return Err(VendorError::RegistrationFailed),
            }
            // Should the transaction be tried again, so may the activation.
            match cx.call_within(&ActivateUser { id: row.user_id }, ACTIVATION_TIMEOUT).await {
                Ok(_) => {
                    registrations::set_step(&tx, row, RegistrationStep::Done, store::now()).await?;
                    Ok(true)
                }
                Err(AuthError::UserNotFound) => {
                    take_back(&tx, row).await?;
                    Ok(false)
                }
                Err(error) => Err(VendorError::Fault(error.into_fault())),
            }
        })
        .await?;
    if finished { Ok(()) } else { Err(VendorError::RegistrationFailed) }
}

async fn take_back(tx: &Tx, row: Model) -> Result<(), VendorError> {
    let now = store::now();
    if let Some(vendor) = vendors::lock(tx, row.vendor_id).await? {
        vendors::remove(tx, vendor, now).await?;
    }
    registrations::take_back(tx, row, now).await?;
    Ok(())
}

/// What auth finds wrong with the user is wrong with the owner of our request.
fn at_owner(mut fault: Fault) -> Fault {
    for violation in &mut fault.violations {
        violation.pointer = format!("/owner{}", violation.pointer);
    }
    fault
}

#[cfg(test)]
mod tests {
    use super::*;
    use subjects::Violation;

    #[test]
    fn violations_point_into_our_request() {
        let fault = at_owner(Fault::invalid(vec![Violation::new("/password", "is too common")]));
        assert_eq!(fault.violations[0].pointer, "/owner/password");
    }
}
