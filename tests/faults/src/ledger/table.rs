//! Where the ledger writes down effects.

use anyhow::Context as _;
use identity::keys::KeyStore;
use migrations::ServiceLogin;
use secrecy::ExposeSecret as _;
use sqlx::{Connection as _, PgConnection};
use store::PostgresConfig;

/// One row for each time that an event had its effect in a handler. The position counts rows as they are written.
const TABLE: &str = "\
    create table if not exists ledger.effects (
        position bigserial not null,
        handler text not null,
        event_id uuid not null,
        event_type text not null,
        aggregate_id uuid not null,
        version bigint not null,
        written_at timestamptz not null default clock_timestamp()
    );
    create index if not exists effects_event_idx on ledger.effects (event_id);";

/// Makes the ledger's schema, role and table where they are not there yet.
///
/// # Errors
/// The database's.
pub async fn make(admin_url: &str, keys: &KeyStore) -> anyhow::Result<()> {
    let role = migrations::role_name(&PostgresConfig::default().role_prefix, super::NAME);
    let password = keys.postgres_password(super::NAME)?.expose_secret().to_owned();
    let login = ServiceLogin { service: super::NAME.to_owned(), role: role.clone(), password };
    migrations::migrate(admin_url, &[login]).await.context("the ledger's schema")?;
    let mut database = PgConnection::connect(admin_url).await?;
    let rights = format!(
        "grant select, insert on ledger.effects to \"{role}\";
        grant usage, select on all sequences in schema ledger to \"{role}\";"
    );
    sqlx::raw_sql(TABLE).execute(&mut database).await?;
    sqlx::raw_sql(sqlx::AssertSqlSafe(rights)).execute(&mut database).await?;
    Ok(())
}
