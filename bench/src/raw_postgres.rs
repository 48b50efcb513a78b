//! Postgres alone: a table with one row of the size of a clinic in JSON, in the platform's database.

use anyhow::Context as _;
use sqlx::{Connection as _, PgConnection};
use uuid::Uuid;

const TABLE: &str = "create schema bench; create table bench.raw (id uuid primary key, body text not null)";
const FIRST_ROW: &str = "insert into bench.raw (id, body) values ($1, $2)";
/// Reads one row by its primary key; a statement of pgbench.
pub const SELECT: &str = "select body from bench.raw where id = :id";
/// Writes one row and commits; a statement of pgbench.
pub const INSERT: &str = "insert into bench.raw (id, body) values (gen_random_uuid(), :body)";

/// What a Postgres server says of itself.
pub struct ServerSettings {
    /// `server_version`.
    pub version: String,
    /// `fsync`.
    pub fsync: String,
    /// `synchronous_commit`.
    pub synchronous_commit: String,
}

/// Makes the table with a first row as the database's admin, and answers the row's id.
///
/// # Errors
/// The database is away.
pub async fn create_table(admin_url: &str, body: &str) -> anyhow::Result<Uuid> {
    let id = Uuid::now_v7();
    let mut connection = connect(admin_url).await?;
    sqlx::raw_sql(TABLE).execute(&mut connection).await?;
    sqlx::query(FIRST_ROW).bind(id).bind(body).execute(&mut connection).await?;
    connection.close().await?;
    Ok(id)
}

/// The settings that decide on what a commit costs.
///
/// # Errors
/// The database is away.
pub async fn server_settings(admin_url: &str) -> anyhow::Result<ServerSettings> {
    let mut connection = connect(admin_url).await?;
    let query = "select current_setting('server_version'), current_setting('fsync'), \
                 current_setting('synchronous_commit')";
    let (version, fsync, synchronous_commit) = sqlx::query_as(query).fetch_one(&mut connection).await?;
    connection.close().await?;
    Ok(ServerSettings { version, fsync, synchronous_commit })
}

async fn connect(admin_url: &str) -> anyhow::Result<PgConnection> {
    PgConnection::connect(admin_url).await.context("cannot connect to Postgres")
}
