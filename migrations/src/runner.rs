//! Applies, takes back and lists migrations. One runner works at a time in a database; others wait for it.

use crate::access::{ServiceLogin, grants_on_database, grants_on_schema, identifier, role_statements};
use crate::sql_files;
use anyhow::Context;
use sea_orm_migration::prelude::MigrationTrait;
use sea_orm_migration::sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement};
use sea_orm_migration::{MigrationStatus, MigratorTraitSelf};

/// `petpro` in ASCII: the advisory lock that runners take turns with.
const RUNNER_LOCK: i64 = 0x7065_7470_726f;

/// How often a role is tried.
const ROLE_ATTEMPTS: u32 = 10;

const EXTENSIONS: [&str; 4] = ["btree_gist", "pg_trgm", "unaccent", "citext"];

/// A migration of a service and whether the database has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MigrationState {
    /// The service whose schema it changes.
    pub service: String,
    /// The file's name without `.up.sql`.
    pub name: String,
    /// Whether it is applied.
    pub applied: bool,
}

struct SchemaMigrator {
    service: String,
}

impl MigratorTraitSelf for SchemaMigrator {
    fn migrations(&self) -> Vec<Box<dyn MigrationTrait>> {
        let files = sql_files::of_service(&self.service);
        files.into_iter().map(|file| Box::new(file) as Box<dyn MigrationTrait>).collect()
    }
}

/// Brings the database to the state that this build needs: extensions, roles, schemas, tables, rights.
/// `admin_url` names the database and a role that may create roles and schemas in it. Safe to repeat, and to run
/// from several places at once.
pub async fn migrate(admin_url: &str, logins: &[ServiceLogin]) -> anyhow::Result<()> {
    let admin = connect(admin_url, None).await?;
    lock(&admin).await?;
    prepare_database(&admin, logins).await.context("cannot prepare the database")?;
    for login in logins {
        let schema = connect(admin_url, Some(&login.service)).await?;
        let migrator = SchemaMigrator { service: login.service.clone() };
        let applied = migrator.up(&schema, None).await;
        applied.with_context(|| format!("cannot migrate the schema of {}", login.service))?;
        run(&schema, &grants_on_schema(login)).await?;
        schema.close().await?;
    }
    // Closing the session gives the lock back.
    admin.close().await?;
    Ok(())
}

/// Takes back the last `steps` migrations of one service.
pub async fn down(admin_url: &str, service: &str, steps: u32) -> anyhow::Result<()> {
    let admin = connect(admin_url, None).await?;
    lock(&admin).await?;
    let schema = connect(admin_url, Some(service)).await?;
    let migrator = SchemaMigrator { service: service.to_owned() };
    migrator.down(&schema, Some(steps)).await.with_context(|| format!("cannot migrate {service} down"))?;
    schema.close().await?;
    admin.close().await?;
    Ok(())
}

/// Every migration of the named services in order, and whether it is applied. Changes nothing.
pub async fn status(admin_url: &str, services: &[&str]) -> anyhow::Result<Vec<MigrationState>> {
    let mut states = Vec::new();
    for &service in services {
        let schema = connect(admin_url, Some(service)).await?;
        let migrator = SchemaMigrator { service: service.to_owned() };
        for migration in migrator.get_migration_with_status_read_only(&schema).await? {
            states.push(MigrationState {
                service: service.to_owned(),
                name: migration.name().to_owned(),
                applied: migration.status() == MigrationStatus::Applied,
            });
        }
        schema.close().await?;
    }
    Ok(states)
}

/// One connection, so that session locks and settings hold. Nothing is logged: statements carry passwords.
async fn connect(admin_url: &str, schema: Option<&str>) -> anyhow::Result<DatabaseConnection> {
    let mut options = ConnectOptions::new(admin_url);
    let search_path = match schema {
        Some(schema) => format!("{schema},ext"),
        None => "public".to_owned(),
    };
    options
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .sqlx_logging(false)
        .record_stmt_in_spans(false)
        .map_sqlx_postgres_opts(move |postgres| {
            postgres.application_name("petpro-migrate").options([("search_path", search_path.as_str())])
        });
    Database::connect(options).await.context("cannot connect to Postgres as its admin")
}

async fn lock(admin: &DatabaseConnection) -> anyhow::Result<()> {
    admin.execute_unprepared(&format!("select pg_advisory_lock({RUNNER_LOCK})")).await?;
    Ok(())
}

async fn prepare_database(admin: &DatabaseConnection, logins: &[ServiceLogin]) -> anyhow::Result<()> {
    run(admin, &["create schema if not exists ext".to_owned(), "revoke all on schema public from public".to_owned()])
        .await?;
    for extension in EXTENSIONS {
        run(admin, &[format!("create extension if not exists {extension} with schema ext")]).await?;
    }
    for login in logins {
        make_role(admin, login).await?;
        run(admin, &[format!("create schema if not exists {}", identifier(&login.service))]).await?;
    }
    let database = current_database(admin).await?;
    run(admin, &grants_on_database(&database, logins.iter().map(|login| login.role.as_str()))).await
}

/// Roles belong to the whole server, and the lock to one database: another runner may be at the same role. Then Postgres
/// lets it finish, and refuses this one with an internal error.
async fn make_role(admin: &DatabaseConnection, login: &ServiceLogin) -> anyhow::Result<()> {
    let mut attempt = 1;
    loop {
        match run(admin, &role_statements(login)).await {
            Err(error) if attempt < ROLE_ATTEMPTS && error.to_string().contains("tuple concurrently updated") => {
                attempt += 1;
            }
            made => return made,
        }
    }
}

async fn current_database(admin: &DatabaseConnection) -> anyhow::Result<String> {
    let statement = Statement::from_string(DbBackend::Postgres, "select current_database()::text as name");
    let row = admin.query_one_raw(statement).await?.context("Postgres does not say which database this is")?;
    Ok(row.try_get("", "name")?)
}

async fn run(connection: &DatabaseConnection, statements: &[String]) -> anyhow::Result<()> {
    for statement in statements {
        connection.execute_unprepared(statement).await?;
    }
    Ok(())
}
