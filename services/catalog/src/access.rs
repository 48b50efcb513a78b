//! What a caller may see and do with products.

use identity::Caller;
use identity::memberships::{Membership, allows};
use sea_orm::ConnectionTrait;
use subjects::MembershipRole::ClinicAdmin;
use subjects::ids::VendorId;

/// The caller's standing with every vendor.
#[derive(Debug, Clone)]
pub struct Standing {
    permitted: bool,
    trusted_service: bool,
    memberships: Vec<Membership>,
}

impl Standing {
    /// Looks up what the caller may do: anew in each transaction that writes, so that a membership which has ended in the
    /// meantime is worth nothing.
    ///
    /// # Errors
    /// The database's.
    pub async fn of(db: &impl ConnectionTrait, caller: &Caller) -> Result<Standing, store::Error> {
        let memberships = match &caller.user {
            None => Vec::new(),
            Some(user) => store::memberships::of_user(db, user.id).await?,
        };
        Ok(Standing {
            permitted: caller.is_permitted(),
            trusted_service: caller.trusted_service().is_some(),
            memberships,
        })
    }

    /// Whether nothing is hidden from the caller.
    pub fn sees_everything(&self) -> bool {
        self.permitted || self.trusted_service
    }

    /// Whether the caller sees what the public does not at a vendor.
    pub fn sees_hidden(&self, vendor_id: VendorId) -> bool {
        self.sees_everything() || self.memberships.iter().any(|membership| membership.vendor_id == vendor_id)
    }

    /// The vendors of which the caller is a member.
    pub fn vendor_ids(&self) -> Vec<VendorId> {
        let mut vendor_ids: Vec<VendorId> = self.memberships.iter().map(|membership| membership.vendor_id).collect();
        vendor_ids.sort_unstable();
        vendor_ids.dedup();
        vendor_ids
    }

    /// Whether the caller may write what the vendor sells.
    pub fn sells_for(&self, vendor_id: VendorId) -> bool {
        self.permitted || allows(&self.memberships, vendor_id, None, ClinicAdmin)
    }

    /// Whether the caller may do it for everybody: as one who runs the platform, or by a permission.
    pub fn is_permitted(&self) -> bool {
        self.permitted
    }
}
