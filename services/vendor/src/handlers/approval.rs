//! The approval of vendors.

use crate::authority::Authority;
use crate::domain::approval::{Outcome, Step, decide};
use crate::repo::vendors;
use crate::{Cx, replies};
use subjects::ids::VendorId;
use subjects::vendor::{ApproveVendor, RejectVendor, SubmitVendor, SuspendVendor, Vendor, VendorError};
use subjects::{Fault, Request};

/// `vendor.submit`: by those who run the vendor.
pub async fn submit(cx: Cx, request: SubmitVendor) -> Result<Vendor, VendorError> {
    take(&cx, &request, request.id, Step::Submit).await
}

/// `vendor.approve`: by the platform.
pub async fn approve(cx: Cx, request: ApproveVendor) -> Result<Vendor, VendorError> {
    take(&cx, &request, request.id, Step::Approve).await
}

/// `vendor.reject`: by the platform.
pub async fn reject(cx: Cx, request: RejectVendor) -> Result<Vendor, VendorError> {
    take(&cx, &request, request.id, Step::Reject(&request.reason)).await
}

/// `vendor.suspend`: by the platform.
pub async fn suspend(cx: Cx, request: SuspendVendor) -> Result<Vendor, VendorError> {
    take(&cx, &request, request.id, Step::Suspend(&request.reason)).await
}

async fn take<R>(cx: &Cx, request: &R, id: VendorId, step: Step<'_>) -> Result<Vendor, VendorError>
where
    R: Request<Reply = Vendor, Error = VendorError>,
{
    cx.app
        .store
        .keyed(cx, request, |tx| async move {
            let authority = Authority::of(&tx, cx.caller()).await?;
            let row = vendors::lock(&tx, id).await?.ok_or(VendorError::VendorNotFound)?;
            match step {
                Step::Submit => authority.check_vendor(&row, VendorError::VendorNotFound)?,
                // The contract lets only those in here who have the permission; the rule is repeated where it matters.
                Step::Approve | Step::Reject(_) | Step::Suspend(_) if !cx.caller().is_permitted() => {
                    return Err(VendorError::Fault(Fault::forbidden()));
                }
                Step::Approve | Step::Reject(_) | Step::Suspend(_) => {}
            }
            store::expect_version_if_given(cx.meta().if_match, row.version)?;
            let row = match decide(row.status, row.status_reason.as_deref(), step)? {
                Outcome::Moves => vendors::set_status(&tx, row, step.target(), step.reason(), store::now()).await?,
                Outcome::IsThere => row,
            };
            Ok(replies::vendor(row, true))
        })
        .await
}
