//! Shared pets: a household. Whose pet it is invites by a code, which is shown once; who is given the code accepts.

use super::errors::ProfileError;
use super::values::{AgeSort, ShareRole, ShareStatus};
use crate::access::Access;
use crate::ids::{PetId, PetShareId, UserId};
use crate::paging::{MAX_LIMIT, Page};
use crate::request::{Budget, Effect, Request, Rest};
use crate::time::Instant;
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// With how many a pet is shared at the most, open invitations among them.
pub const MAX_SHARES: u16 = 20;

/// A pet that is shared with a person, or the invitation to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PetShare {
    /// Its id.
    pub id: PetShareId,
    /// The pet.
    pub pet_id: PetId,
    /// What the person may do.
    pub role: ShareRole,
    /// Where it stands.
    pub status: ShareStatus,
    /// The person; absent while nobody has accepted it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// Until when it can be accepted; absent once it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Instant>,
    /// When it was made.
    pub created_at: Instant,
}

/// An invitation with its code, which is told once: only a digest of it is kept.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewPetShare {
    /// Its id.
    pub id: PetShareId,
    /// The pet.
    pub pet_id: PetId,
    /// What the person may do who accepts it.
    pub role: ShareRole,
    /// What the person has to show. A secret: whoever has it can accept.
    pub code: String,
    /// Until when it can be accepted.
    pub expires_at: Instant,
    /// When it was made.
    pub created_at: Instant,
}

/// Without the code, so that it does not get into logs.
impl fmt::Debug for NewPetShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewPetShare").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Invites somebody to share a pet, by a code that its owner hands over. It holds for seven days, for one person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct CreatePetShare {
    /// The pet.
    #[garde(skip)]
    pub pet_id: PetId,
    /// What the person will be allowed to do.
    #[garde(skip)]
    pub role: ShareRole,
}

impl Request for CreatePetShare {
    const SUBJECT: &'static str = "petShare.create";
    const ACCESS: Access = Access::OWNER;
    // Its answer holds a secret, which must not be stored for a repetition.
    const EFFECT: Effect = Effect::Once;
    const REST: &'static [Rest] = &[Rest::post("/pets/{petId}/shares", 201)];
    type Reply = NewPetShare;
    type Error = ProfileError;
}

/// Accepts an invitation by its code. Doing it again changes nothing.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct AcceptPetShare {
    /// The code: 25 letters and digits of Crockford's base32; upper and lower case are one, hyphens and spaces count for
    /// nothing.
    #[garde(length(bytes, min = 25, max = 40), pattern(r"^[0-9A-Za-z -]*$"))]
    pub code: String,
}

/// Without the code, so that it does not get into logs.
impl fmt::Debug for AcceptPetShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AcceptPetShare").finish_non_exhaustive()
    }
}

impl Request for AcceptPetShare {
    const SUBJECT: &'static str = "petShare.accept";
    const ACCESS: Access = Access::SIGNED_IN;
    const EFFECT: Effect = Effect::Idempotent;
    const BUDGET: Budget = Budget::Codes;
    const REST: &'static [Rest] = &[Rest::post("/pets/shares/accept", 200)];
    type Reply = PetShare;
    type Error = ProfileError;
}

/// With whom a pet is shared, open invitations among them, for its owner; everybody else with whom it is shared finds
/// their own share.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct FindPetShares {
    /// The pet.
    #[garde(skip)]
    pub pet_id: PetId,
    /// The order; the earliest made first unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub sort: Option<AgeSort>,
    /// How many at the most; 20 unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 1, max = MAX_LIMIT))]
    pub limit: Option<u16>,
    /// The `nextCursor` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(length(max = 500))]
    pub cursor: Option<String>,
}

impl Request for FindPetShares {
    const SUBJECT: &'static str = "petShare.findAll";
    const ACCESS: Access = Access::OWNER;
    const EFFECT: Effect = Effect::Read;
    const REST: &'static [Rest] = &[Rest::get("/pets/{petId}/shares")];
    type Reply = Page<PetShare>;
    type Error = ProfileError;
}

/// Ends a share, or takes an invitation back. Its owner may, and the person with whom the pet is shared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct RevokePetShare {
    /// The pet.
    #[garde(skip)]
    pub pet_id: PetId,
    /// The share.
    #[garde(skip)]
    pub id: PetShareId,
}

impl Request for RevokePetShare {
    const SUBJECT: &'static str = "petShare.revoke";
    const ACCESS: Access = Access::OWNER;
    const EFFECT: Effect = Effect::Keyed;
    const REST: &'static [Rest] = &[Rest::delete("/pets/{petId}/shares/{id}", 204)];
    type Reply = ();
    type Error = ProfileError;
}
