//! A service of the vendor's name that tells what reached it.

use chrono::{DateTime, Utc};
use platform::Service;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use subjects::ids::{UserId, VendorId};
use subjects::vendor::{
    ApproveVendor, Clinic, CreateVendor, FindClinic, FindVendor, FindVendors, RegisterVendor, RegisteredVendor,
    RejectVendor, RemoveVendor, SubmitVendor, SuspendVendor, UpdateVendor, Vendor, VendorError, VendorKind,
    VendorStatus,
};
use subjects::{ErrorCode, Fault, Page};
use tokio::sync::Semaphore;

/// Its state.
#[derive(Default)]
pub struct TinyVendor {
    pub gate: Arc<Gate>,
}

/// Holds a request back until the test lets it go.
pub struct Gate {
    pub entered: Semaphore,
    pub open: Semaphore,
}

impl Default for Gate {
    fn default() -> Gate {
        Gate { entered: Semaphore::new(0), open: Semaphore::new(0) }
    }
}

impl platform::App for TinyVendor {
    const NAME: &'static str = "vendor";
}
platform::calls!(TinyVendor => []);

type Cx = platform::Cx<TinyVendor>;

pub fn service() -> Service<TinyVendor> {
    Service::new()
        .on(find)
        .on(list)
        .on(register)
        .on(create)
        .on(update)
        .on(remove)
        .on(approve)
        .on(reject)
        .on(suspend)
        .on(submit)
        .on(find_clinic)
}

/// A vendor that says in its description what the handler saw.
fn vendor(cx: &Cx, id: VendorId, name: &str) -> Vendor {
    let saw = json!({
        "user": cx.caller().user.as_ref().map(|user| user.id),
        "service": cx.caller().service,
        "clientAddress": cx.meta().client_address,
        "correlationId": cx.meta().correlation_id,
        "traceparent": cx.meta().traceparent,
        "idempotencyKey": cx.meta().idempotency_key,
        "ifMatch": cx.meta().if_match,
    });
    Vendor {
        id,
        name: name.to_owned(),
        kind: VendorKind::Clinic,
        description: Some(saw.to_string()),
        email: None,
        phone: None,
        website: None,
        status: VendorStatus::Approved,
        status_reason: None,
        created_at: DateTime::<Utc>::UNIX_EPOCH,
        updated_at: DateTime::<Utc>::UNIX_EPOCH,
        version: 7,
    }
}

async fn find(cx: Cx, req: FindVendor) -> Result<Vendor, VendorError> {
    Ok(vendor(&cx, req.id, "found"))
}

async fn list(cx: Cx, req: FindVendors) -> Result<Page<Vendor>, VendorError> {
    let name = json!({ "limit": req.limit, "text": req.text, "kind": req.kind, "cursor": req.cursor }).to_string();
    let next_cursor = req.cursor.is_none().then(|| "after this+one".to_owned());
    Ok(Page { items: vec![vendor(&cx, VendorId::new(), &name)], next_cursor })
}

async fn register(cx: Cx, req: RegisterVendor) -> Result<RegisteredVendor, VendorError> {
    Ok(RegisteredVendor { user_id: UserId::new(), vendor: vendor(&cx, VendorId::new(), &req.name) })
}

async fn create(cx: Cx, req: CreateVendor) -> Result<Vendor, VendorError> {
    if req.name == "again" {
        cx.mark_replayed();
    }
    Ok(vendor(&cx, VendorId::new(), &req.name))
}

async fn update(cx: Cx, req: UpdateVendor) -> Result<Vendor, VendorError> {
    if cx.expected_version()? != 7 {
        return Err(Fault::new(ErrorCode::PreconditionFailed, "it has changed").into());
    }
    Ok(vendor(&cx, req.id, &req.name))
}

async fn remove(_cx: Cx, _req: RemoveVendor) -> Result<(), VendorError> {
    Ok(())
}

async fn approve(cx: Cx, req: ApproveVendor) -> Result<Vendor, VendorError> {
    Ok(vendor(&cx, req.id, "approved"))
}

async fn reject(_cx: Cx, _req: RejectVendor) -> Result<Vendor, VendorError> {
    Err(VendorError::WrongState)
}

async fn suspend(_cx: Cx, _req: SuspendVendor) -> Result<Vendor, VendorError> {
    tokio::time::sleep(Duration::from_secs(3600)).await;
    Err(VendorError::WrongState)
}

async fn submit(_cx: Cx, _req: SubmitVendor) -> Result<Vendor, VendorError> {
    panic!("the password is hunter2")
}

async fn find_clinic(cx: Cx, _req: FindClinic) -> Result<Clinic, VendorError> {
    cx.app.gate.entered.add_permits(1);
    let _passed = cx.app.gate.open.acquire().await;
    Err(VendorError::ClinicNotFound)
}
