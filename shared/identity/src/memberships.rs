//! What a user may do at a vendor.

use subjects::MembershipRole;
use subjects::ids::{ClinicId, UserId, VendorId};

/// A user's membership at a vendor, for one of its clinics or for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Membership {
    /// The member.
    pub user_id: UserId,
    /// The vendor.
    pub vendor_id: VendorId,
    /// The one clinic it is for; `None` for the vendor itself and all its clinics.
    pub clinic_id: Option<ClinicId>,
    /// What the member may do there.
    pub role: MembershipRole,
}

/// Whether one user's `memberships` allow what needs the role `needed` at this vendor: at the clinic given or,
/// with `None`, for the vendor as a whole, which takes a membership for all clinics.
pub fn allows(
    memberships: &[Membership],
    vendor_id: VendorId,
    clinic_id: Option<ClinicId>,
    needed: MembershipRole,
) -> bool {
    memberships.iter().any(|membership| {
        let covers_place = membership.clinic_id.is_none() || membership.clinic_id == clinic_id;
        membership.vendor_id == vendor_id && covers_place && implies(membership.role, needed)
    })
}

/// Whether whoever holds `held` may do all that `needed` may.
fn implies(held: MembershipRole, needed: MembershipRole) -> bool {
    match held {
        MembershipRole::ClinicAdmin => true,
        MembershipRole::ClinicStaff => needed == MembershipRole::ClinicStaff,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use MembershipRole::{ClinicAdmin, ClinicStaff};

    #[test]
    fn an_admin_may_do_what_staff_may_and_not_the_other_way_round() {
        let vendor_id = VendorId::new();
        let membership = |role| [Membership { user_id: UserId::new(), vendor_id, clinic_id: None, role }];
        assert!(allows(&membership(ClinicAdmin), vendor_id, None, ClinicStaff));
        assert!(allows(&membership(ClinicAdmin), vendor_id, None, ClinicAdmin));
        assert!(allows(&membership(ClinicStaff), vendor_id, None, ClinicStaff));
        assert!(!allows(&membership(ClinicStaff), vendor_id, None, ClinicAdmin));
    }

    #[test]
    fn a_membership_reaches_its_own_place_only() {
        let (vendor_id, clinic, other_clinic) = (VendorId::new(), ClinicId::new(), ClinicId::new());
        let membership = |clinic_id| [Membership { user_id: UserId::new(), vendor_id, clinic_id, role: ClinicAdmin }];
        let for_all = membership(None);
        let for_one = membership(Some(clinic));
        assert!(allows(&for_all, vendor_id, Some(clinic), ClinicAdmin));
        assert!(allows(&for_all, vendor_id, None, ClinicAdmin));
        assert!(allows(&for_one, vendor_id, Some(clinic), ClinicAdmin));
        assert!(!allows(&for_one, vendor_id, Some(other_clinic), ClinicStaff));
        assert!(!allows(&for_one, vendor_id, None, ClinicStaff));
        assert!(!allows(&for_all, VendorId::new(), Some(clinic), ClinicStaff));
        assert!(!allows(&[], vendor_id, None, ClinicStaff));
    }
}
