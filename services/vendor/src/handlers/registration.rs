//! `vendor.register`: a vendor and the account of its owner come to be together, or not at all.
//!
//! The steps, each of which may be repeated: the ids are made and kept (`started`); auth makes a pending user, who
//! cannot sign in; vendor and membership are written in one transaction (`vendor_created`); auth activates the user
//! (`done`). An active user without the vendor can therefore not be. A crash before `vendor_created` leaves a pending
//! user, which auth removes after 15 minutes; a crash after it is repaired by [`crate::sweep`]. The password is only
//! ever in the request: nothing but ids is kept, and who asks again with the same key takes up where it stood.

use crate::entity::registration::{Model, RegistrationStep};
use crate::repo::memberships::NewMembership;
use crate::repo::vendors::VendorProfile;
use crate::repo::{memberships, registrations, vendors};
use crate::{Cx, clock, replies};
use sha2::{Digest, Sha256};
use subjects::auth::{ActivateUser, AuthError, CreateUser, NewPassword};
use subjects::vendor::{NewOwner, RegisterVendor, RegisteredVendor, VendorError};
use subjects::{ErrorCode, Fault, ServiceError};

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
    let fingerprint = &fingerprint(request)?;
    cx.app
        .store
        .write(cx, |tx| async move {
            let key = cx.meta().idempotency_key.as_deref();
            let now = clock::now();
            let registration = registrations::begin(&tx, key, fingerprint, now).await?;
            if registration.fingerprint != *fingerprint {
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
            {
                registrations::refuse(&tx, row, refusal, clock::now()).await?;
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
            let now = clock::now();
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
/// vendor is removed too.
///
/// # Errors
/// [`VendorError::RegistrationFailed`] after such a removal; faults of the call, after which it may be tried again.
pub async fn finish(cx: &Cx, registration: &Model) -> Result<(), VendorError> {
    let is_active = match cx.call(&ActivateUser { id: registration.user_id }).await {
        Ok(_) => true,
        Err(AuthError::UserNotFound) => false,
        Err(error) => return Err(VendorError::Fault(error.into_fault())),
    };
    cx.app
        .store
        .write(cx, |tx| async move {
            let now = clock::now();
            let row = registrations::lock(&tx, registration.id).await?.ok_or(VendorError::RegistrationFailed)?;
            let is_still_ours = row.vendor_id == registration.vendor_id;
            if row.step != RegistrationStep::VendorCreated || !is_still_ours {
                return Ok(());
            }
            if is_active {
                registrations::set_step(&tx, row, RegistrationStep::Done, now).await?;
                return Ok(());
            }
            if let Some(vendor) = vendors::lock(&tx, row.vendor_id).await? {
                vendors::remove(&tx, vendor, now).await?;
            }
            registrations::set_step(&tx, row, RegistrationStep::Failed, now).await?;
            Ok::<(), VendorError>(())
        })
        .await?;
    if is_active { Ok(()) } else { Err(VendorError::RegistrationFailed) }
}

/// What auth finds wrong with the user is wrong with the owner of our request.
fn at_owner(mut fault: Fault) -> Fault {
    for violation in &mut fault.violations {
        violation.pointer = format!("/owner{}", violation.pointer);
    }
    fault
}

/// SHA-256 of the request without its password: a hash of a password that was made in haste must not be kept.
fn fingerprint(request: &RegisterVendor) -> Result<Vec<u8>, Fault> {
    let mut without_password = request.clone();
    without_password.owner.password = NewPassword::new("");
    let json = serde_json::to_vec(&without_password).map_err(Fault::internal)?;
    Ok(Sha256::digest(json).to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use subjects::Violation;
    use subjects::vendor::VendorKind;

    fn request(email: &str, password: &str) -> RegisterVendor {
        RegisterVendor {
            owner: NewOwner {
                email: email.to_owned(),
                password: NewPassword::new(password),
                first_name: "Sari".to_owned(),
                last_name: None,
                phone_number: None,
            },
            name: "Klinik Sari".to_owned(),
            kind: VendorKind::Clinic,
            description: None,
            email: None,
            phone: None,
            website: None,
        }
    }

    #[test]
    fn the_fingerprint_knows_nothing_of_the_password() {
        let one = fingerprint(&request("sari@example.com", "correct horse")).unwrap();
        assert_eq!(one, fingerprint(&request("sari@example.com", "battery staple")).unwrap());
        assert_ne!(one, fingerprint(&request("budi@example.com", "correct horse")).unwrap());
    }

    #[test]
    fn violations_point_into_our_request() {
        let fault = at_owner(Fault::invalid(vec![Violation::new("/password", "is too common")]));
        assert_eq!(fault.violations[0].pointer, "/owner/password");
    }
}
