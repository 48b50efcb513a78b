//! Transactions that nobody can lose.

use crate::error::Error;
use sea_orm::{DatabaseConnection, DatabaseTransaction, DbErr, TransactionTrait as _};

/// Begins a transaction, so that its caller may be dropped at any moment, as handlers are at their deadlines.
///
/// sqlx 0.9 does not bear that by itself: a `begin` that is dropped before Postgres has answered leaves the transaction
/// open and gives the connection back to the pool, where whoever has it next writes into a transaction that nobody knows
/// of. So it runs to its end in a task of its own; what comes too late for its caller is rolled back.
///
/// # Errors
/// The database is away, or no connection is free in time.
pub async fn begin(database: &DatabaseConnection) -> Result<DatabaseTransaction, Error> {
    let database = database.clone();
    let beginning = tokio::spawn(async move { database.begin().await });
    match beginning.await {
        Ok(begun) => Ok(begun?),
        Err(ended) => Err(DbErr::Custom(format!("a transaction was not begun: {ended}")).into()),
    }
}
