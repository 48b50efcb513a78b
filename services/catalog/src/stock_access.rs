//! Where a caller may deal with stock: where they work, or everywhere. Whoever may not see a stock does not learn that
//! it exists.

use crate::domain::ledger::Actor;
use crate::entity::inventory::{self, Column};
use identity::Caller;
use identity::memberships::{Membership, allows};
use sea_orm::{ColumnTrait as _, Condition, ConnectionTrait};
use subjects::catalog::StockActor;
use subjects::ids::{ClinicId, VendorId};
use subjects::{Fault, MembershipRole};

/// Where a caller may see and move stock.
#[derive(Debug, Clone)]
pub enum Reach {
    /// Wherever there is any: another service, or someone who runs the platform.
    Everywhere,
    /// At the places of these memberships.
    Places(Vec<Membership>),
}

impl Reach {
    /// Of a caller who may be another service.
    ///
    /// # Errors
    /// `unauthenticated` where it is nobody; the database's.
    pub async fn of(db: &impl ConnectionTrait, caller: &Caller) -> Result<Reach, Fault> {
        if caller.trusted_service().is_some() { Ok(Reach::Everywhere) } else { Reach::of_user(db, caller).await }
    }

    /// Of a user, whichever service asks for them.
    ///
    /// # Errors
    /// As of [`Reach::of`].
    pub async fn of_user(db: &impl ConnectionTrait, caller: &Caller) -> Result<Reach, Fault> {
        let user = caller.user()?;
        if caller.is_permitted() {
            return Ok(Reach::Everywhere);
        }
        Ok(Reach::Places(store::memberships::of_user(db, user.id).await?))
    }

    /// Whether it covers a place of a vendor.
    pub fn covers(&self, vendor_id: VendorId, clinic_id: ClinicId) -> bool {
        match self {
            Reach::Everywhere => true,
            Reach::Places(held) => allows(held, vendor_id, Some(clinic_id), MembershipRole::ClinicStaff),
        }
    }

    /// Whether it covers anything of a vendor.
    pub fn touches(&self, vendor_id: VendorId) -> bool {
        match self {
            Reach::Everywhere => true,
            Reach::Places(held) => held.iter().any(|membership| membership.vendor_id == vendor_id),
        }
    }

    /// Whether one of the memberships is for this very place, so that it is one of the vendor's.
    pub fn names(&self, vendor_id: VendorId, clinic_id: ClinicId) -> bool {
        let Reach::Places(held) = self else { return false };
        held.iter().any(|membership| membership.vendor_id == vendor_id && membership.clinic_id == Some(clinic_id))
    }

    /// Whether it covers a stock.
    pub fn covers_stock(&self, row: &inventory::Model) -> bool {
        self.covers(row.vendor_id, row.clinic_id)
    }

    /// The condition on rows of stock that lets through what it covers: [`Reach::covers`] as SQL.
    pub fn condition(&self) -> Condition {
        let Reach::Places(held) = self else { return Condition::all() };
        let mut any = Condition::any();
        for Membership { user_id: _, vendor_id, clinic_id, role } in held {
            // Each role that there is may do what staff may.
            let (MembershipRole::ClinicStaff | MembershipRole::ClinicAdmin) = role;
            let at = Condition::all()
                .add(Column::VendorId.eq(*vendor_id))
                .add_option(clinic_id.map(|clinic_id| Column::ClinicId.eq(clinic_id)));
            any = any.add(at);
        }
        // Nothing, where there is no membership: an empty `any` would let everything through.
        if held.is_empty() { Condition::all().add(sea_orm::sea_query::Expr::value(false)) } else { any }
    }
}

/// As whom a caller moves stock who may be another service.
///
/// # Errors
/// `unauthenticated` where it is nobody.
pub fn actor(caller: &Caller) -> Result<Actor, Fault> {
    match caller.trusted_service() {
        Some(service) => Ok(Actor { kind: StockActor::Service, user_id: None, service: Some(service.to_owned()) }),
        None => actor_of_user(caller),
    }
}

/// As whom a user moves stock, whichever service asks for them.
///
/// # Errors
/// `unauthenticated` where it is nobody.
pub fn actor_of_user(caller: &Caller) -> Result<Actor, Fault> {
    let user = caller.user()?;
    let kind = if caller.is_permitted() { StockActor::PlatformAdmin } else { StockActor::Staff };
    Ok(Actor { kind, user_id: Some(user.id), service: None })
}
