//! Accounts that are there from the start: the first who runs the platform, and those of the demo.

use crate::account::Account;
use crate::domain::email;
use crate::entity::user;
use crate::passwords::Passwords;
use crate::repo::{roles, users};
use anyhow::bail;
use sea_orm::{ConnectionTrait, TransactionSession, TransactionTrait};
use subjects::Role;
use subjects::auth::{NewPassword, UserStatus};
use subjects::ids::UserId;

/// An account as it should be.
#[derive(Debug, Clone, PartialEq)]
pub struct SeedUser {
    /// Its id where it is new; one with the same address keeps its own. A random one where none is given.
    pub id: Option<UserId>,
    /// The address to sign in with.
    pub email: String,
    /// The password. It is not held against the list of common ones.
    pub password: NewPassword,
    /// First name, or the only one.
    pub first_name: String,
    /// Last name.
    pub last_name: Option<String>,
    /// What the user may do on the whole platform.
    pub roles: Vec<Role>,
}

/// Makes the account, or makes the one with its address as it should be, and answers its id. Doing it again changes
/// nothing. No events tell of it: nobody is to welcome these users, and no session of theirs is ended.
///
/// `db` is a connection with rights on the schema `auth`, and that schema on its search path.
///
/// # Errors
/// The database fails, or another account has the id.
pub async fn ensure_user<C>(db: &C, passwords: &Passwords, wanted: SeedUser) -> anyhow::Result<UserId>
where
    C: ConnectionTrait + TransactionTrait,
{
    let SeedUser { id, email, password, first_name, last_name, roles: mut wanted_roles } = wanted;
    let email = email::normalised(&email);
    wanted_roles.sort_unstable();
    wanted_roles.dedup();
    let now = store::now();

    let Some(existing) = users::find_by_email(db, &email).await? else {
        let row = user::Model {
            id: id.unwrap_or_else(UserId::new),
            password_hash: passwords.hash(password.expose()).await?,
            first_name,
            last_name,
            phone_number: None,
            email_verified_at: None,
            status: UserStatus::Active,
            expires_at: None,
            version: 1,
            created_at: now,
            updated_at: now,
            email,
        };
        let account = Account { row, roles: wanted_roles };
        let tx = db.begin().await?;
        if !users::insert(&tx, &account).await? {
            bail!("another account has the id {} or has taken the address since", account.row.id);
        }
        tx.commit().await?;
        return Ok(account.row.id);
    };

    let password_is_right = passwords.verify(password.expose(), Some(&existing.password_hash)).await?;
    let new_hash = if password_is_right { None } else { Some(passwords.hash(password.expose()).await?) };
    let tx = db.begin().await?;
    let Some(mut account) = users::lock(&tx, existing.id).await? else {
        bail!("the account {} was removed meanwhile", existing.id);
    };
    let before = account.clone();
    account.row.password_hash = new_hash.unwrap_or(account.row.password_hash);
    account.row.first_name = first_name;
    account.row.last_name = last_name;
    account.row.status = UserStatus::Active;
    account.row.expires_at = None;
    account.roles = wanted_roles;
    if account != before {
        account.row.version += 1;
        account.row.updated_at = now;
        roles::replace(&tx, existing.id, &account.roles).await?;
        users::save(&tx, &account.row).await?;
    }
    tx.commit().await?;
    Ok(existing.id)
}
