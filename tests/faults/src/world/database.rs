//! The database as its admin sees it.

use super::World;
use anyhow::Context as _;
use sqlx::{Connection as _, PgConnection};
use std::time::{Duration, Instant};

impl World {
    /// A connection as the admin, also while Postgres is on its way back.
    ///
    /// # Errors
    /// It is not back within a minute.
    pub async fn database(&self) -> anyhow::Result<PgConnection> {
        let give_up = Instant::now() + Duration::from_secs(60);
        loop {
            match PgConnection::connect(self.stack.admin_url()).await {
                Ok(connection) => return Ok(connection),
                Err(error) if Instant::now() > give_up => return Err(error).context("the database does not come back"),
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    }

    /// Lets Postgres leave it to the system when its files reach the disk. A process that is killed loses nothing by it,
    /// and a slow disk does not slow down what is not about it.
    ///
    /// # Errors
    /// The database's.
    pub(super) async fn spare_the_disk(&self) -> anyhow::Result<()> {
        let mut database = self.database().await?;
        for statement in ["alter system set fsync = off", "select pg_reload_conf()"] {
            sqlx::raw_sql(statement).execute(&mut database).await?;
        }
        Ok(())
    }

    /// Runs statements as the admin.
    ///
    /// # Errors
    /// The database's.
    pub async fn sql(&self, statements: &'static str) -> anyhow::Result<()> {
        sqlx::raw_sql(statements).execute(&mut self.database().await?).await?;
        Ok(())
    }

    /// The first number that a query answers.
    ///
    /// # Errors
    /// The database's.
    pub async fn count(&self, query: &'static str) -> anyhow::Result<i64> {
        Ok(sqlx::query_scalar(query).fetch_one(&mut self.database().await?).await?)
    }
}
