//! What other services' events tell, kept as read models. Any order of events leads to the same rows: the highest
//! version stays.

use crate::app::CatalogApp;
use crate::repo::vendors;
use std::sync::Arc;
use store::{Tx, memberships};
use subjects::Fault;
use subjects::vendor::{
    MembershipChanged, MembershipRevoked, VendorApproved, VendorRegistered, VendorRejected, VendorSuspended,
    VendorUpdated,
};

/// Declares handlers of event types that share a body and an effect.
macro_rules! handlers {
    ($( $name:ident: $event:ty => $store:expr; )+) => { $(
        pub async fn $name(_: Arc<CatalogApp>, tx: Tx, event: $event) -> Result<(), Fault> {
            $store(&tx, event.0).await
        }
    )+ };
}

handlers! {
    vendor_registered: VendorRegistered => vendors::store;
    vendor_updated: VendorUpdated => vendors::store;
    vendor_approved: VendorApproved => vendors::store;
    vendor_rejected: VendorRejected => vendors::store;
    vendor_suspended: VendorSuspended => vendors::store;
    membership_changed: MembershipChanged => memberships::store;
    membership_revoked: MembershipRevoked => memberships::revoke;
}
