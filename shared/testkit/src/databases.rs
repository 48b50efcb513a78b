//! Databases cloned from a template: migrate once, copy for every test.

use std::sync::Arc;

use anyhow::{Context, Result};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use uuid::Uuid;

use crate::postgres::{Postgres, quoted};

impl Postgres {
    /// Makes a template, once in the life of this server: an empty database that `migrate` fills, given its address for
    /// the superuser. Nobody can connect to it afterwards, which keeps it the way it is.
    pub async fn template<Migrate, Migration>(&self, name: &str, migrate: Migrate) -> Result<()>
    where
        Migrate: FnOnce(String) -> Migration,
        Migration: Future<Output = Result<()>>,
    {
        let made = {
            let mut templates = self.templates.lock().await;
            Arc::clone(templates.entry(name.to_owned()).or_default())
        };
        made.get_or_try_init(|| self.make_template(name, migrate)).await?;
        Ok(())
    }

    async fn make_template<Migrate, Migration>(&self, name: &str, migrate: Migrate) -> Result<()>
    where
        Migrate: FnOnce(String) -> Migration,
        Migration: Future<Output = Result<()>>,
    {
        let database = quoted(name)?;
        // A failed attempt may have left a half-made one.
        self.drop_database(name).await?;
        self.execute("postgres", &[format!("CREATE DATABASE {database}")]).await?;
        migrate(self.admin_url(name)).await.with_context(|| format!("cannot migrate the template `{name}`"))?;
        let close = [
            format!("ALTER DATABASE {database} ALLOW_CONNECTIONS false"),
            format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"),
        ];
        self.execute("postgres", &close).await
    }

    /// Copies a template into a new database and returns its name. Rights on a database are not copied with it: the
    /// statements in `grants` run afterwards as superuser in the new database, with `{database}` standing for its
    /// quoted name, for example `GRANT CONNECT ON DATABASE {database} TO booking`.
    pub async fn clone_database(&self, template: &str, grants: &[String]) -> Result<String> {
        let name = format!("{template}_{}", Uuid::new_v4().simple());
        let name: String = name.chars().take(63).collect();
        let (database, source) = (quoted(&name)?, quoted(template)?);
        {
            let _one_at_a_time = self.cloning.lock().await;
            let copy = format!("CREATE DATABASE {database} TEMPLATE {source}");
            self.execute("postgres", &[copy])
                .await
                .with_context(|| format!("cannot copy the template `{template}`"))?;
        }
        if !grants.is_empty() {
            let grants: Vec<String> = grants.iter().map(|grant| grant.replace("{database}", &database)).collect();
            self.execute(&name, &grants).await.with_context(|| format!("cannot grant rights on `{name}`"))?;
        }
        Ok(name)
    }

    /// Makes an empty database.
    pub async fn create_database(&self, name: &str) -> Result<()> {
        self.execute("postgres", &[format!("CREATE DATABASE {}", quoted(name)?)]).await
    }

    /// Drops a database together with its connections, if it exists.
    pub async fn drop_database(&self, name: &str) -> Result<()> {
        self.execute("postgres", &[format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", quoted(name)?)]).await
    }

    /// Makes an empty database where there is none of this name yet.
    pub async fn ensure_database(&self, name: &str) -> Result<()> {
        let mut connection = PgConnection::connect(&self.admin_url("postgres")).await?;
        let there: bool = sqlx::query_scalar("select exists (select from pg_database where datname = $1)")
            .bind(name)
            .fetch_one(&mut connection)
            .await?;
        connection.close().await?;
        if there { Ok(()) } else { self.create_database(name).await }
    }

    /// Runs statements as superuser, each on its own: CREATE DATABASE allows no transaction around it.
    pub async fn execute(&self, database: &str, statements: &[String]) -> Result<()> {
        let mut connection = PgConnection::connect(&self.admin_url(database))
            .await
            .with_context(|| format!("cannot connect to the database `{database}`"))?;
        for statement in statements {
            // Built from checked names and the caller's own statements.
            let executed = sqlx::raw_sql(AssertSqlSafe(statement.clone())).execute(&mut connection).await;
            executed.with_context(|| format!("this statement failed: {statement}"))?;
        }
        connection.close().await?;
        Ok(())
    }
}
