//! What other services' events tell, kept as read models. Any order of events leads to the same rows: the highest
//! version stays.

use crate::app::CatalogApp;
use crate::entity::vendors;
use store::{ReadModel, ReadModels, keep, keep_removed, memberships, roles};
use subjects::Fault;
use subjects::auth::{RoleRemoved, RoleUpdated};
use subjects::vendor::{
    MembershipChanged, MembershipRevoked, VendorApproved, VendorRegistered, VendorRejected, VendorSnapshot,
    VendorState, VendorSuspended, VendorUpdated,
};

/// Every read model.
pub fn all() -> ReadModels<CatalogApp> {
    ReadModels::none().and::<vendors::Entity>().and::<memberships::Entity>().and::<roles::Entity>()
}

store::read_models! { CatalogApp =>
    vendor_registered: VendorRegistered => keep::<vendors::Entity>;
    vendor_updated: VendorUpdated => keep::<vendors::Entity>;
    vendor_approved: VendorApproved => keep::<vendors::Entity>;
    vendor_rejected: VendorRejected => keep::<vendors::Entity>;
    vendor_suspended: VendorSuspended => keep::<vendors::Entity>;
    role_updated: RoleUpdated => keep::<roles::Entity>;
    role_removed: RoleRemoved => keep_removed::<roles::Entity>;
    membership_changed: MembershipChanged => keep::<memberships::Entity>;
    membership_revoked: MembershipRevoked => keep_removed::<memberships::Entity>;
}

impl ReadModel for vendors::Entity {
    type Snapshot = VendorSnapshot;

    fn row(state: VendorState, is_removed: bool) -> Result<Option<vendors::Model>, Fault> {
        let open_for_business = state.is_open_for_business() && !is_removed;
        let VendorState { vendor_id, kind: _, status: _, removed, version } = state;
        let removed_at = (removed || is_removed).then(store::now);
        Ok(Some(vendors::Model { id: vendor_id, version, removed_at, open_for_business }))
    }

    fn gone(row: vendors::Model) -> vendors::Model {
        vendors::Model { open_for_business: false, ..row }
    }
}
