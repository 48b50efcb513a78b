//! What other services' events tell, kept as read models: what roles allow.

use crate::VendorApp;
use store::{ReadModels, keep, keep_removed, roles};
use subjects::auth::{RoleRemoved, RoleUpdated};

/// Every read model.
pub fn all() -> ReadModels<VendorApp> {
    ReadModels::none().and::<roles::Entity>()
}

store::read_models! { VendorApp =>
    role_updated: RoleUpdated => keep::<roles::Entity>;
    role_removed: RoleRemoved => keep_removed::<roles::Entity>;
}
