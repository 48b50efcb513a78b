//! An account as the handlers see it, and the forms in which others do.

use crate::entity::user;
use subjects::Role;
use subjects::auth::{User, UserState};
use subjects::role::BuiltInRole;

/// A user's row with the roles that belong to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    /// The row.
    pub row: user::Model,
    /// What the user may do on the whole platform, in the order of [`Role`].
    pub roles: Vec<Role>,
}

impl Account {
    /// As replies show it.
    pub fn to_user(&self) -> User {
        let row = self.row.clone();
        User {
            id: row.id,
            email: row.email,
            email_verified_at: row.email_verified_at,
            first_name: row.first_name,
            last_name: row.last_name,
            phone_number: row.phone_number,
            status: row.status,
            roles: self.roles.clone(),
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }

    /// As events tell it: nothing personal.
    pub fn to_state(&self) -> UserState {
        UserState {
            user_id: self.row.id,
            version: self.row.version,
            status: self.row.status,
            roles: self.roles.iter().copied().filter_map(BuiltInRole::of).collect(),
            other_roles: self.roles.iter().copied().filter(|role| !role.is_built_in()).collect(),
            created_at: self.row.created_at,
            updated_at: self.row.updated_at,
        }
    }
}
