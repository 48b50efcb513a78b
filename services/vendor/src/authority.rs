//! What the caller may see and do at a vendor. The service's own table of memberships is the truth here.

use crate::entity::vendor;
use identity::Caller;
use identity::memberships::{Membership, allows};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, DbBackend, Statement};
use subjects::Fault;
use subjects::MembershipRole::ClinicAdmin;
use subjects::ids::{ClinicId, UserId, VendorId};
use subjects::vendor::{VendorError, VendorStatus};

/// The caller's standing everywhere.
#[derive(Debug, Clone)]
pub struct Authority {
    permitted: bool,
    trusted_service: bool,
    memberships: Vec<Membership>,
}

impl Authority {
    /// Looks up what the caller may do. Asked anew in each transaction that writes, so that a membership which was
    /// revoked in the meantime is worth nothing.
    pub async fn of(db: &impl ConnectionTrait, caller: &Caller) -> Result<Authority, store::Error> {
        let memberships = match &caller.user {
            None => Vec::new(),
            Some(user) => memberships_of(db, user.id).await?,
        };
        Ok(Authority {
            permitted: caller.is_permitted(),
            trusted_service: caller.trusted_service().is_some(),
            memberships,
        })
    }

    /// Whether the caller sees what the public does not at a vendor.
    pub fn sees_hidden(&self, vendor_id: VendorId) -> bool {
        self.sees_everything() || self.memberships.iter().any(|membership| membership.vendor_id == vendor_id)
    }

    /// Whether the caller sees the vendor at all.
    pub fn sees(&self, vendor: &vendor::Model) -> bool {
        vendor.status == VendorStatus::Approved || self.sees_hidden(vendor.id)
    }

    /// Whether the caller may write what concerns the vendor as a whole.
    pub fn runs_vendor(&self, vendor_id: VendorId) -> bool {
        self.permitted || allows(&self.memberships, vendor_id, None, ClinicAdmin)
    }

    /// Whether the caller may write what belongs to one clinic of the vendor.
    pub fn runs_clinic(&self, vendor_id: VendorId, clinic_id: ClinicId) -> bool {
        self.permitted || allows(&self.memberships, vendor_id, Some(clinic_id), ClinicAdmin)
    }

    /// The clinics of a vendor that the caller runs one by one.
    pub fn clinics_run_at(&self, vendor_id: VendorId) -> Vec<ClinicId> {
        self.memberships
            .iter()
            .filter(|membership| membership.vendor_id == vendor_id && membership.role == ClinicAdmin)
            .filter_map(|membership| membership.clinic_id)
            .collect()
    }

    /// Refuses who may not write what concerns the vendor as a whole: as if there were no such thing where the
    /// caller cannot see the vendor, else as forbidden.
    pub fn check_vendor(&self, vendor: &vendor::Model, not_found: VendorError) -> Result<(), VendorError> {
        if self.runs_vendor(vendor.id) { Ok(()) } else { Err(self.refusal(vendor, not_found)) }
    }

    /// Likewise for what belongs to one clinic of the vendor.
    pub fn check_clinic(
        &self,
        vendor: &vendor::Model,
        clinic_id: ClinicId,
        not_found: VendorError,
    ) -> Result<(), VendorError> {
        if self.runs_clinic(vendor.id, clinic_id) { Ok(()) } else { Err(self.refusal(vendor, not_found)) }
    }

    /// The condition on [`vendor`] rows that lets only those through which the caller sees.
    pub fn sees_vendor_row(&self) -> Condition {
        self.sees_row(vendor::Column::Status.eq(VendorStatus::Approved).into())
    }

    /// The condition that lets rows joined to their vendor through where `shown_to_public` holds, or the caller
    /// sees what the public does not.
    pub fn sees_row(&self, shown_to_public: Condition) -> Condition {
        if self.sees_everything() {
            return Condition::all();
        }
        let mut condition = Condition::any().add(shown_to_public);
        let vendor_ids = self.member_vendor_ids();
        if !vendor_ids.is_empty() {
            condition = condition.add(vendor::Column::Id.is_in(vendor_ids));
        }
        condition
    }

    /// The vendors where the caller is a member.
    pub fn member_vendor_ids(&self) -> Vec<VendorId> {
        let mut vendor_ids: Vec<VendorId> = self.memberships.iter().map(|membership| membership.vendor_id).collect();
        vendor_ids.sort_unstable();
        vendor_ids.dedup();
        vendor_ids
    }

    /// Whether nothing is hidden from the caller.
    pub fn sees_everything(&self) -> bool {
        self.permitted || self.trusted_service
    }

    /// How a caller is refused who may not do something at a vendor.
    pub fn refusal(&self, vendor: &vendor::Model, not_found: VendorError) -> VendorError {
        if self.sees(vendor) { VendorError::Fault(Fault::forbidden()) } else { not_found }
    }
}

// Always the same text, read by the places of the columns: every request of a signed-in caller asks this.
const MEMBERSHIPS_OF_USER: &str =
    "select user_id, vendor_id, clinic_id, role from memberships where user_id = $1 and status = 'active'";

async fn memberships_of(db: &impl ConnectionTrait, user_id: UserId) -> Result<Vec<Membership>, store::Error> {
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, MEMBERSHIPS_OF_USER, [user_id.into()]);
    let rows = db.query_all_raw(statement).await?;
    let mut memberships = Vec::with_capacity(rows.len());
    for row in rows {
        memberships.push(Membership {
            user_id: row.try_get_by_index(0)?,
            vendor_id: row.try_get_by_index(1)?,
            clinic_id: row.try_get_by_index(2)?,
            role: row.try_get_by_index(3)?,
        });
    }
    Ok(memberships)
}
