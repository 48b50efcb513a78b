//! Users with their roles.

use crate::account::Account;
use crate::entity::{user, user_role};
use crate::repo::roles;
use sea_orm::sea_query::{Expr, ExprTrait, Func, LockType, OnConflict, Query};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait, Insert, IntoActiveModel,
    Order, QueryFilter, QueryOrder, QuerySelect,
};
use serde::{Deserialize, Serialize};
use store::Error;
use subjects::Role;
use subjects::auth::{UserSort, UserStatus};
use subjects::ids::UserId;
use subjects::time::Instant;

/// The account with this id.
pub async fn find(db: &impl ConnectionTrait, id: UserId) -> Result<Option<Account>, Error> {
    with_roles(db, user::Entity::find_by_id(id).one(db).await?).await
}

/// Likewise, and nobody else can change it before the transaction ends.
pub async fn lock(db: &impl ConnectionTrait, id: UserId) -> Result<Option<Account>, Error> {
    with_roles(db, user::Entity::find_by_id(id).lock(LockType::NoKeyUpdate).one(db).await?).await
}

/// Likewise, but others may hold it still too: enough for whoever only relies on what stands there.
pub async fn hold(db: &impl ConnectionTrait, id: UserId) -> Result<Option<Account>, Error> {
    with_roles(db, user::Entity::find_by_id(id).lock(LockType::Share).one(db).await?).await
}

/// The row with this normalised address.
pub async fn find_by_email(db: &impl ConnectionTrait, email: &str) -> Result<Option<user::Model>, Error> {
    Ok(user::Entity::find().filter(has_email(email)).one(db).await?)
}

/// Which users a list holds.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only those with this status.
    pub status: Option<UserStatus>,
    /// Only those with this role.
    pub role: Option<Role>,
    /// Only the one with this normalised address.
    pub email: Option<String>,
}

/// A user's place in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// When the account was made.
    pub created_at: Instant,
    /// Its id, which decides among those made at the same time.
    pub id: UserId,
}

/// Users in an order, from those after a place.
pub async fn list(
    db: &impl ConnectionTrait,
    filter: &Filter,
    sort: UserSort,
    after: Option<Place>,
    limit: u64,
) -> Result<Vec<Account>, Error> {
    let Filter { status, role, email } = filter;
    let mut wanted = Condition::all();
    if let Some(status) = status {
        wanted = wanted.add(user::Column::Status.eq(*status));
    }
    if let Some(role) = role {
        let those_with_role = Query::select()
            .column(user_role::Column::UserId)
            .from(user_role::Entity)
            .and_where(user_role::Column::Role.eq(role.as_str()))
            .to_owned();
        wanted = wanted.add(user::Column::Id.in_subquery(those_with_role));
    }
    if let Some(email) = email {
        wanted = wanted.add(has_email(email));
    }
    if let Some(Place { created_at, id }) = after {
        let row =
            Expr::tuple([user::Column::CreatedAt, user::Column::Id].map(|column| Expr::col((user::Entity, column))));
        let last_row = Expr::tuple([Expr::value(created_at), Expr::value(id)]);
        wanted = wanted.add(match sort {
            UserSort::CreatedAt => row.gt(last_row),
            UserSort::CreatedAtDescending => row.lt(last_row),
        });
    }
    let order = match sort {
        UserSort::CreatedAt => Order::Asc,
        UserSort::CreatedAtDescending => Order::Desc,
    };
    let select = user::Entity::find().filter(wanted).limit(limit);
    let rows =
        select.order_by(user::Column::CreatedAt, order.clone()).order_by(user::Column::Id, order).all(db).await?;
    let ids: Vec<UserId> = rows.iter().map(|row| row.id).collect();
    let mut roles_by_user = roles::of_users(db, &ids).await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let roles = roles_by_user.remove(&row.id).unwrap_or_default();
            Account { row, roles }
        })
        .collect())
}

/// Adds a user with roles, unless there is one with this id or address: then nothing happens and the answer is
/// false. (An error would spoil the transaction, in which the caller may go on to look who is there.)
pub async fn insert(db: &impl ConnectionTrait, account: &Account) -> Result<bool, Error> {
    let inserted = Insert::one(account.row.clone().into_active_model().reset_all())
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(db)
        .await?;
    if inserted == 0 {
        return Ok(false);
    }
    roles::add(db, account.row.id, &account.roles).await?;
    Ok(true)
}

/// Writes what can change of a user's row.
pub async fn save(db: &impl ConnectionTrait, row: &user::Model) -> Result<(), Error> {
    let user::Model {
        id,
        email,
        email_verified_at,
        password_hash,
        first_name,
        last_name,
        phone_number,
        status,
        expires_at,
        version,
        created_at: _,
        updated_at,
    } = row.clone();
    let changed = user::ActiveModel {
        id: Set(id),
        email: Set(email),
        email_verified_at: Set(email_verified_at),
        password_hash: Set(password_hash),
        first_name: Set(first_name),
        last_name: Set(last_name),
        phone_number: Set(phone_number),
        status: Set(status),
        expires_at: Set(expires_at),
        version: Set(version),
        updated_at: Set(updated_at),
        ..Default::default()
    };
    changed.update(db).await?;
    Ok(())
}

/// Removes the expired pending account that holds an address, if there is one: it need not wait for the sweep.
pub async fn remove_expired_with_email(db: &impl ConnectionTrait, email: &str, now: Instant) -> Result<(), Error> {
    user::Entity::delete_many().filter(has_expired(now)).filter(has_email(email)).exec(db).await?;
    Ok(())
}

/// Removes all pending accounts that have expired, in batches, and answers how many.
pub async fn remove_expired(db: &impl ConnectionTrait, now: Instant) -> Result<u64, Error> {
    store::delete_in_batches(db, "users", "status = 'pending' and expires_at <= $1", &[now.into()]).await
}

fn has_email(email: &str) -> Condition {
    Condition::all().add(Expr::expr(Func::lower(Expr::col((user::Entity, user::Column::Email)))).eq(email))
}

fn has_expired(now: Instant) -> Condition {
    Condition::all().add(user::Column::Status.eq(UserStatus::Pending)).add(user::Column::ExpiresAt.lte(now))
}

async fn with_roles(db: &impl ConnectionTrait, row: Option<user::Model>) -> Result<Option<Account>, Error> {
    let Some(row) = row else { return Ok(None) };
    let roles = roles::of_users(db, &[row.id]).await?.remove(&row.id).unwrap_or_default();
    Ok(Some(Account { row, roles }))
}
