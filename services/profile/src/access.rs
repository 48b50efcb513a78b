//! What a caller is to a pet. Whoever is nothing to it does not learn that it exists; those who run the platform are
//! nothing to it, either.

use crate::entity::pets;
use crate::repo::bookings::{self, Workplace};
use crate::repo::shares;
use chrono::TimeDelta;
use identity::Caller;
use sea_orm::ConnectionTrait;
use subjects::ids::UserId;
use subjects::profile::{PetAccess, ShareRole};

/// For how long after a visit the clinic's staff may deal with the pet.
const STAFF_MAY_FOR: TimeDelta = TimeDelta::days(30);

/// What a user is to a pet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is theirs.
    Owner,
    /// It is shared with them.
    Household(ShareRole),
    /// They work at a clinic where it has a booking.
    Staff(Workplace),
}

impl Standing {
    /// What a user is to a pet: the most of it. None: nothing.
    pub async fn of(
        db: &impl ConnectionTrait,
        user_id: UserId,
        pet: &pets::Model,
    ) -> Result<Option<Standing>, store::Error> {
        if pet.owner_id == user_id {
            return Ok(Some(Standing::Owner));
        }
        let role = shares::role_of(db, pet.id, user_id).await?;
        if role == Some(ShareRole::Carer) {
            return Ok(role.map(Standing::Household));
        }
        let workplace = bookings::workplace(db, pet.id, user_id, store::now() - STAFF_MAY_FOR).await?;
        Ok(workplace.map(Standing::Staff).or(role.map(Standing::Household)))
    }

    /// As messages say it.
    pub fn access(self) -> PetAccess {
        match self {
            Standing::Owner => PetAccess::Owner,
            Standing::Household(ShareRole::Carer) => PetAccess::Carer,
            Standing::Household(ShareRole::Viewer) => PetAccess::Viewer,
            Standing::Staff(_) => PetAccess::Staff,
        }
    }
}

/// As what the caller may see a pet: as another service, or as what the user is to it. None: not at all.
pub async fn sight(
    db: &impl ConnectionTrait,
    caller: &Caller,
    pet: &pets::Model,
) -> Result<Option<PetAccess>, store::Error> {
    if caller.trusted_service().is_some() {
        return Ok(Some(PetAccess::Service));
    }
    let Some(user) = &caller.user else { return Ok(None) };
    Ok(Standing::of(db, user.id, pet).await?.map(Standing::access))
}
