//! Postgres alone: one row read by its primary key, one row written and committed.

use crate::load::Worker;
use anyhow::Context as _;
use sqlx::{Connection as _, PgConnection};
use std::sync::Arc;
use uuid::Uuid;

const TABLE: &str = "create schema bench; create table bench.raw (id uuid primary key, body text not null)";
const SELECT: &str = "select body from bench.raw where id = $1";
const INSERT: &str = "insert into bench.raw (id, body) values ($1, $2)";

/// A table with one row of the size of a clinic in JSON, in the platform's database.
pub struct RawTable {
    url: String,
    id: Uuid,
    body: Arc<str>,
}

/// What a Postgres server says of itself.
pub struct ServerSettings {
    /// `server_version`.
    pub version: String,
    /// `fsync`.
    pub fsync: String,
    /// `synchronous_commit`.
    pub synchronous_commit: String,
}

impl RawTable {
    /// Makes it, as the database's admin.
    ///
    /// # Errors
    /// The database is away.
    pub async fn create(admin_url: &str, body: &str) -> anyhow::Result<RawTable> {
        let table = RawTable { url: admin_url.to_owned(), id: Uuid::now_v7(), body: body.into() };
        let mut connection = table.connect().await?;
        sqlx::raw_sql(TABLE).execute(&mut connection).await?;
        sqlx::query(INSERT).bind(table.id).bind(&*table.body).execute(&mut connection).await?;
        connection.close().await?;
        Ok(table)
    }

    /// The settings that decide on what a commit costs.
    ///
    /// # Errors
    /// The database is away.
    pub async fn server_settings(&self) -> anyhow::Result<ServerSettings> {
        let mut connection = self.connect().await?;
        let query = "select current_setting('server_version'), current_setting('fsync'), \
                     current_setting('synchronous_commit')";
        let (version, fsync, synchronous_commit) = sqlx::query_as(query).fetch_one(&mut connection).await?;
        connection.close().await?;
        Ok(ServerSettings { version, fsync, synchronous_commit })
    }

    /// Those who read the row, each over a connection of their own.
    ///
    /// # Errors
    /// The database is away.
    pub async fn readers(&self, count: usize) -> anyhow::Result<Vec<RowReader>> {
        let mut readers = Vec::new();
        for _ in 0..count {
            readers.push(RowReader { connection: self.connect().await?, id: self.id });
        }
        Ok(readers)
    }

    /// Those who write rows, likewise.
    ///
    /// # Errors
    /// The database is away.
    pub async fn writers(&self, count: usize) -> anyhow::Result<Vec<RowWriter>> {
        let mut writers = Vec::new();
        for _ in 0..count {
            writers.push(RowWriter { connection: self.connect().await?, body: self.body.clone() });
        }
        Ok(writers)
    }

    async fn connect(&self) -> anyhow::Result<PgConnection> {
        PgConnection::connect(&self.url).await.context("cannot connect to Postgres")
    }
}

/// Reads one row by its primary key, with a prepared statement.
pub struct RowReader {
    connection: PgConnection,
    id: Uuid,
}

impl Worker for RowReader {
    async fn ask(&mut self) -> Result<(), String> {
        let row: Result<String, sqlx::Error> =
            sqlx::query_scalar(SELECT).bind(self.id).fetch_one(&mut self.connection).await;
        row.map(|_body| ()).map_err(|error| error.to_string())
    }
}

/// Writes one row; the statement is a transaction of its own, so the answer comes after the commit.
pub struct RowWriter {
    connection: PgConnection,
    body: Arc<str>,
}

impl Worker for RowWriter {
    async fn ask(&mut self) -> Result<(), String> {
        let insert = sqlx::query(INSERT).bind(Uuid::now_v7()).bind(&*self.body);
        insert.execute(&mut self.connection).await.map(|_done| ()).map_err(|error| error.to_string())
    }
}
