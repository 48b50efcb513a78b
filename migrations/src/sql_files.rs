//! The SQL files, embedded at build time (`build.rs` lists them).

use sea_orm_migration::prelude::{DbErr, MigrationName, MigrationTrait, SchemaManager, async_trait};
use sea_orm_migration::sea_orm::ConnectionTrait;

/// A migration as a pair of SQL files.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SqlFile {
    pub name: &'static str,
    pub up: &'static str,
    pub down: &'static str,
}

/// What every schema has; always the first migration.
const COMMON: SqlFile = SqlFile {
    name: "0000_common",
    up: include_str!("../sql/common.up.sql"),
    down: include_str!("../sql/common.down.sql"),
};

/// What every schema has since events are kept by day; always the second one.
const EVENT_LOG: SqlFile = SqlFile {
    name: "0000_event_log",
    up: include_str!("../sql/event_log.up.sql"),
    down: include_str!("../sql/event_log.down.sql"),
};

/// What every schema has for the audit log; always the third one.
const AUDIT_LOG: SqlFile = SqlFile {
    name: "0000_audit_log",
    up: include_str!("../sql/audit_log.up.sql"),
    down: include_str!("../sql/audit_log.down.sql"),
};

/// What the audit log tells of signers; always the fourth one.
const AUDIT_SIGNERS: SqlFile = SqlFile {
    name: "0000_audit_signers",
    up: include_str!("../sql/audit_signers.up.sql"),
    down: include_str!("../sql/audit_signers.down.sql"),
};

const BY_SERVICE: &[(&str, &[SqlFile])] = include!(concat!(env!("OUT_DIR"), "/sql_files.rs"));

/// The migrations of a service's schema in their order.
pub(crate) fn of_service(service: &str) -> Vec<SqlFile> {
    let own_files = BY_SERVICE.iter().filter(|(name, _)| *name == service).flat_map(|(_, files)| files.iter());
    [&COMMON, &EVENT_LOG, &AUDIT_LOG, &AUDIT_SIGNERS].into_iter().chain(own_files).copied().collect()
}

impl MigrationName for SqlFile {
    fn name(&self) -> &str {
        self.name
    }
}

#[allow(elided_lifetimes_in_paths, reason = "async_trait makes other lifetimes of `'_` than the trait has")]
#[async_trait::async_trait]
impl MigrationTrait for SqlFile {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared(self.up).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared(self.down).await?;
        Ok(())
    }
}
