//! What other services' events tell, kept as read models. Any order of events leads to the same rows: the highest
//! version stays.

use crate::app::CatalogApp;
use crate::repo::vendors;
use store::memberships;
use subjects::vendor::{
    MembershipChanged, MembershipRevoked, VendorApproved, VendorRegistered, VendorRejected, VendorSuspended,
    VendorUpdated,
};

store::read_models! { CatalogApp =>
    vendor_registered: VendorRegistered => vendors::store;
    vendor_updated: VendorUpdated => vendors::store;
    vendor_approved: VendorApproved => vendors::store;
    vendor_rejected: VendorRejected => vendors::store;
    vendor_suspended: VendorSuspended => vendors::store;
    membership_changed: MembershipChanged => memberships::store;
    membership_revoked: MembershipRevoked => memberships::revoke;
}
