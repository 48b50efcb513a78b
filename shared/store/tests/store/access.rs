//! What a service's role may do, and what it may not.

use crate::world::{PASSWORD, World, logins};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

async fn refusal(connection: &mut PgConnection, sql: &str) -> Option<String> {
    let outcome = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(connection).await;
    outcome.err().map(|error| error.as_database_error().unwrap().code().unwrap().into_owned())
}

#[tokio::test]
async fn a_role_reaches_its_own_schema_only() {
    let world = World::start().await;
    let url = world.postgres.url("petpro_booking", PASSWORD, &world.database);
    let mut booking = PgConnection::connect(&url).await.unwrap();

    for allowed in
        ["select * from booking.outbox", "delete from booking.inbox", "select * from booking.seaql_migrations"]
    {
        assert_eq!(refusal(&mut booking, allowed).await, None, "{allowed}");
    }
    let insufficient_privilege = Some("42501".to_owned());
    for forbidden in [
        "select * from auth.users",
        "select * from auth.outbox",
        "insert into vendor.notes values (gen_random_uuid(), 'x')",
        "select vendor.lock_idempotency_key('a', 'b', 'c', 1)",
        "delete from booking.seaql_migrations",
        "create table booking.mine (id int)",
        "create table public.mine (id int)",
        "create temporary table mine (id int)",
        "create schema mine",
        "alter table booking.outbox add column mine int",
        "truncate booking.outbox",
        "create role mine",
    ] {
        assert_eq!(refusal(&mut booking, forbidden).await, insufficient_privilege, "{forbidden}");
    }
    // A role that is not a service's does not even get in.
    world.execute("do $$ begin create role store_stranger login password 'x'; exception when duplicate_object then null; end $$").await;
    let stranger = PgConnection::connect(&world.postgres.url("store_stranger", "x", &world.database)).await;
    assert!(stranger.unwrap_err().to_string().contains("permission denied for database"));
    let role = "select count(*) from pg_roles where rolname like 'petpro\\_%' and rolname <> 'petpro_admin' \
                and (rolsuper or rolbypassrls or rolcreatedb or rolcreaterole)";
    assert_eq!(world.number(role).await, 0);
}

/// An entry of so many days ago.
fn entry(days_ago: i32) -> String {
    format!(
        "insert into booking.audit_entries (id, operation, outcome, correlation_id)
         select booking.first_id_at(now() - interval '1 day' * {days_ago}), 'vendor.approve', 'done', 'days-{days_ago}'"
    )
}

#[tokio::test]
async fn entries_of_the_audit_log_are_added_and_read_and_nothing_else() {
    let world = World::start().await;
    // Rights are given anew with each migration, and must be as few then.
    let admin_url = world.postgres.admin_url(&world.database);
    migrations::migrate(&admin_url, &logins()).await.unwrap();
    let mut booking =
        PgConnection::connect(&world.postgres.url("petpro_booking", PASSWORD, &world.database)).await.unwrap();
    for days_ago in [0, 89, 91, 401] {
        assert_eq!(refusal(&mut booking, &entry(days_ago)).await, None);
    }
    let insufficient_privilege = Some("42501".to_owned());
    for forbidden in [
        "update booking.audit_entries set outcome = 'refused'",
        "delete from booking.audit_entries",
        "truncate booking.audit_entries",
        "drop table booking.audit_entries",
        "alter table booking.audit_entries disable trigger all",
        "insert into booking.audit_entries select * from booking.audit_entries on conflict (id) do update set outcome = 'failed'",
        "insert into vendor.audit_entries (id, operation, outcome, correlation_id) values (gen_random_uuid(), 'x', 'done', 'x')",
        "select * from auth.audit_entries",
    ] {
        assert_eq!(refusal(&mut booking, forbidden).await, insufficient_privilege, "{forbidden}");
    }
    let mut kept = async |keep_days: i32| -> Vec<String> {
        let drop = format!("select booking.drop_audit_entries({keep_days})");
        assert_eq!(refusal(&mut booking, &drop).await, None);
        let query = "select correlation_id from booking.audit_entries order by id desc";
        sqlx::query_scalar(query).fetch_all(&mut booking).await.unwrap()
    };
    assert_eq!(kept(400).await, ["days-0", "days-89", "days-91"]);
    // What is young stays, whatever a service asks for.
    assert_eq!(kept(0).await, ["days-0", "days-89"]);
    assert_eq!(kept(-1000).await, ["days-0", "days-89"]);
}

#[tokio::test]
async fn migrations_go_up_twice_and_down_again() {
    let world = World::start().await;
    let postgres = world.postgres;
    let database = "store_migrations";
    postgres.drop_database(database).await.unwrap();
    postgres.create_database(database).await.unwrap();
    let url = postgres.admin_url(database);
    assert!(migrations::status(&url, &migrations::SERVICES).await.unwrap().iter().all(|state| !state.applied));

    let logins = logins();
    let (first, second) = tokio::join!(migrations::migrate(&url, &logins), migrations::migrate(&url, &logins));
    first.unwrap();
    second.unwrap();
    let states = migrations::status(&url, &migrations::SERVICES).await.unwrap();
    assert!(states.iter().all(|state| state.applied));

    for service in migrations::SERVICES {
        let steps = states.iter().filter(|state| state.service == service).count();
        migrations::down(&url, service, u32::try_from(steps).unwrap()).await.unwrap();
        let left = "select count(*) from pg_class join pg_namespace on pg_namespace.oid = relnamespace \
                    where nspname = $1 and relkind = 'r' and relname <> 'seaql_migrations'";
        let mut admin = PgConnection::connect(&url).await.unwrap();
        let tables: i64 = sqlx::query_scalar(left).bind(service).fetch_one(&mut admin).await.unwrap();
        assert_eq!(tables, 0, "{service}");
    }
    migrations::migrate(&url, &logins).await.unwrap();
    postgres.drop_database(database).await.unwrap();
}
