//! Erasing an account.

use crate::entity::{login_attempt, session, user_role};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter};
use store::Error;
use subjects::ids::UserId;

/// What stands for the address of an erased account. It is none, so that nobody can register it before.
pub fn email_of_erased(id: UserId) -> String {
    format!("erased:{id}")
}

/// Removes the attempts to sign in to an account, and those with its address.
pub async fn erase_attempts(db: &impl ConnectionTrait, id: UserId, email_hash: Vec<u8>) -> Result<(), Error> {
    use login_attempt::Column;
    let of_the_person = Condition::any().add(Column::UserId.eq(id)).add(Column::EmailHash.eq(email_hash));
    login_attempt::Entity::delete_many().filter(of_the_person).exec(db).await?;
    Ok(())
}

/// Takes the names of the devices from ended sessions, which stay as long as others do.
pub async fn erase_sessions(db: &impl ConnectionTrait, id: UserId) -> Result<(), Error> {
    use session::Column;
    session::Entity::update_many()
        .col_expr(Column::Device, Expr::cust("null"))
        .filter(Column::UserId.eq(id))
        .filter(Column::Device.is_not_null())
        .exec(db)
        .await?;
    Ok(())
}

/// Takes all roles.
pub async fn take_roles(db: &impl ConnectionTrait, id: UserId) -> Result<(), Error> {
    user_role::Entity::delete_many().filter(user_role::Column::UserId.eq(id)).exec(db).await?;
    Ok(())
}
