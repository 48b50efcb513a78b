//! The audit log of a database from before entries told who has signed for their actor.

#![allow(clippy::unwrap_used, reason = "a test may stop where it stands")]

use migrations::{SERVICES, ServiceLogin, migrate, role_name, status};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use testkit::Postgres;

const DATABASE: &str = "audit_log_of_before";

/// The schema of a service as a build without that migration has left it, with an entry in it.
const AS_BEFORE: &str = "
    drop index audit_entries_outcome_idx;
    alter table audit_entries drop column signed_by;
    delete from seaql_migrations where version = '0000_audit_signers';
    insert into audit_entries (id, operation, outcome, correlation_id)
        values ('01900000-0000-7000-8000-000000000001', 'product.update', 'done', 'c-1')";

#[tokio::test]
async fn entries_of_before_stay_and_later_ones_tell_who_has_signed() {
    let postgres = Postgres::shared().await.unwrap();
    postgres.drop_database(DATABASE).await.unwrap();
    postgres.create_database(DATABASE).await.unwrap();
    let url = postgres.admin_url(DATABASE);
    let logins = SERVICES.map(|service| ServiceLogin {
        service: service.to_owned(),
        role: role_name("signers", service),
        password: "test-only".to_owned(),
    });
    migrate(&url, &logins).await.unwrap();
    let mut admin = PgConnection::connect(&url).await.unwrap();
    for service in SERVICES {
        run(&mut admin, &format!("set search_path = {service}, ext; {AS_BEFORE}")).await;
    }

    migrate(&url, &logins).await.unwrap();
    assert!(status(&url, &SERVICES).await.unwrap().iter().all(|migration| migration.applied));
    for service in SERVICES {
        let as_service = postgres.url(&role_name("signers", service), "test-only", DATABASE);
        let mut connection = PgConnection::connect(&as_service).await.unwrap();
        let later = "insert into audit_entries (id, operation, outcome, correlation_id, signed_by)
             values ('01900000-0000-7000-8000-000000000002', 'product.update', 'refused', 'c-2', 'edge')";
        run(&mut connection, &format!("set search_path = {service}, ext; {later}")).await;
        let told = "select string_agg(coalesce(signed_by, '-'), ' ' order by id) from audit_entries";
        let told: String = sqlx::query_scalar(told).fetch_one(&mut connection).await.unwrap();
        assert_eq!(told, "- edge", "{service}");
    }
}

async fn run(connection: &mut PgConnection, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(connection).await.unwrap();
}
