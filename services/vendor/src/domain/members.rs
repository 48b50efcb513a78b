//! Rules over the members of a vendor.

use subjects::MembershipRole;
use subjects::ids::{ClinicId, MembershipId};
use subjects::vendor::{MembershipStatus, VendorError};

/// What counts of a membership for the rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The membership.
    pub id: MembershipId,
    /// The one clinic it is for.
    pub clinic_id: Option<ClinicId>,
    /// Its role.
    pub role: MembershipRole,
    /// Its status.
    pub status: MembershipStatus,
}

impl Standing {
    fn runs_the_vendor(&self) -> bool {
        self.status == MembershipStatus::Active && self.role == MembershipRole::ClinicAdmin && self.clinic_id.is_none()
    }
}

/// A vendor keeps at least one active administrator of all its clinics: nobody could repair it otherwise. `others`
/// are the vendor's memberships, with or without the one that changes; `before` and `after` are that one, with
/// `after` absent when it ends.
///
/// # Errors
/// [`VendorError::LastAdmin`].
pub fn keep_an_administrator(
    others: &[Standing],
    before: &Standing,
    after: Option<&Standing>,
) -> Result<(), VendorError> {
    let still_runs_it = after.is_some_and(Standing::runs_the_vendor);
    if !before.runs_the_vendor() || still_runs_it {
        return Ok(());
    }
    let somebody_else_does = others.iter().any(|other| other.id != before.id && other.runs_the_vendor());
    if somebody_else_does { Ok(()) } else { Err(VendorError::LastAdmin) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(role: MembershipRole, status: MembershipStatus, clinic_id: Option<ClinicId>) -> Standing {
        Standing { id: MembershipId::new(), clinic_id, role, status }
    }

    #[test]
    fn the_last_administrator_stays() {
        let admin = member(MembershipRole::ClinicAdmin, MembershipStatus::Active, None);
        let lesser = [
            member(MembershipRole::ClinicStaff, MembershipStatus::Active, None),
            member(MembershipRole::ClinicAdmin, MembershipStatus::Invited, None),
            member(MembershipRole::ClinicAdmin, MembershipStatus::Revoked, None),
            member(MembershipRole::ClinicAdmin, MembershipStatus::Active, Some(ClinicId::new())),
            admin,
        ];
        let demoted = Standing { role: MembershipRole::ClinicStaff, ..admin };
        assert_eq!(keep_an_administrator(&lesser, &admin, None), Err(VendorError::LastAdmin));
        assert_eq!(keep_an_administrator(&lesser, &admin, Some(&demoted)), Err(VendorError::LastAdmin));
        assert_eq!(keep_an_administrator(&lesser, &admin, Some(&admin)), Ok(()));
        for other in &lesser[..4] {
            assert_eq!(keep_an_administrator(&lesser, other, None), Ok(()));
        }
        let second = member(MembershipRole::ClinicAdmin, MembershipStatus::Active, None);
        assert_eq!(keep_an_administrator(&[admin, second], &admin, None), Ok(()));
    }
}
