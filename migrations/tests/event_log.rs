//! Outbox and inbox by day: what the migration keeps of rows that were there, and the days as services make and drop
//! them, under a service's own role.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop where it stands")]

use migrations::{SERVICES, ServiceLogin, down, migrate, role_name, status};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use std::time::{Duration, Instant};
use testkit::Postgres;

const PASSWORD: &str = "test-only";
/// The prefix of roles, which belong to the whole server.
const PREFIX: &str = "days";

/// A service's database, as its admin and as the service.
struct World {
    url: String,
    admin: PgConnection,
    service: PgConnection,
}

impl World {
    /// The database has this name; the service is catalog.
    async fn migrated(name: &str) -> World {
        let postgres = Postgres::shared().await.unwrap();
        postgres.drop_database(name).await.unwrap();
        postgres.create_database(name).await.unwrap();
        let url = postgres.admin_url(name);
        migrate(&url, &logins()).await.unwrap();
        let admin = PgConnection::connect(&url).await.unwrap();
        let as_service = postgres.url(&role_name(PREFIX, "catalog"), PASSWORD, name);
        let service = PgConnection::connect(&as_service).await.unwrap();
        let mut world = World { url, admin, service };
        run(&mut world.admin, "set search_path = catalog, ext").await;
        run(&mut world.service, "set search_path = catalog, ext").await;
        run(
            &mut world.admin,
            "create function id_at(moment timestamptz) returns uuid language sql as $$ select (lpad(to_hex((extract(epoch \
             from moment) * 1000)::bigint), 12, '0') || '7' || substr(md5(random()::text), 1, 3) || '8' || \
             substr(md5(random()::text), 1, 15))::uuid $$",
        )
        .await;
        world
    }

    /// Tells an event as if so many days ago, published at that time or not at all.
    async fn tell(&mut self, days_ago: i32, is_published: bool) {
        let place = if is_published { "created_at, 'S', created_at, 1" } else { "null, null, null, null" };
        let sql = format!(
            "insert into outbox (id, type, aggregate_id, version, partition, headers, body, created_at, published_at, \
                 stream, incarnation, sequence)
             select id_at(created_at), 'a.b', gen_random_uuid(), 1, 0, '{{}}', '{{}}', created_at, {place}
             from (select now() - interval '1 day' * {days_ago} as created_at) as told"
        );
        run(&mut self.service, &sql).await;
    }

    /// The partition that outbox rows of so many days ago are in.
    async fn partition(&mut self, table: &str, days_ago: i32) -> String {
        let day = format!("to_char((now() at time zone 'UTC')::date - {days_ago}, 'YYYYMMDD')");
        text(&mut self.admin, &format!("select '{table}_' || {day}")).await
    }

    /// Makes the partition of a day that is over, as if it had been made in time.
    async fn make_past_day(&mut self, table: &str, days_ago: i32) -> String {
        let partition = self.partition(table, days_ago).await;
        let sql = format!(
            "do $$ declare day date := (now() at time zone 'UTC')::date - {days_ago}; begin
                 execute format('create table {partition} partition of {table} for values from (%L) to (%L)',
                     first_id_at(day::timestamp at time zone 'UTC'),
                     first_id_at((day + 1)::timestamp at time zone 'UTC'));
             end $$"
        );
        run(&mut self.admin, &sql).await;
        partition
    }

    async fn exists(&mut self, table: &str) -> bool {
        number(&mut self.admin, &format!("select (to_regclass('{table}') is not null)::int")).await == 1
    }

    async fn drop_days(&mut self) -> i64 {
        number(&mut self.service, "select drop_event_days()").await
    }
}

fn logins() -> Vec<ServiceLogin> {
    let login = |service: &str| ServiceLogin {
        service: service.to_owned(),
        role: role_name(PREFIX, service),
        password: PASSWORD.to_owned(),
    };
    SERVICES.iter().map(|service| login(service)).collect()
}

async fn run(connection: &mut PgConnection, sql: &str) {
    let done = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(connection).await;
    done.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

async fn number(connection: &mut PgConnection, sql: &str) -> i64 {
    let sql = format!("select ({sql})::bigint");
    sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(connection).await.unwrap()
}

async fn text(connection: &mut PgConnection, sql: &str) -> String {
    sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_one(connection).await.unwrap()
}

async fn sqlstate(connection: &mut PgConnection, sql: &str) -> Option<String> {
    let done = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(connection).await;
    done.err().map(|error| error.as_database_error().unwrap().code().unwrap().into_owned())
}

#[tokio::test]
async fn rows_outlive_the_way_up_and_the_way_down() {
    let mut world = World::migrated("days_up_and_down").await;
    let later_ones = status(&world.url, &["catalog"]).await.unwrap().len() - 1;
    let later_ones = u32::try_from(later_ones).unwrap();
    down(&world.url, "catalog", later_ones).await.unwrap();
    assert_eq!(text(&mut world.admin, "select relkind::text from pg_class where oid = 'outbox'::regclass").await, "r");

    // Of a fortnight, every third one unpublished.
    run(
        &mut world.admin,
        "insert into outbox (id, type, aggregate_id, version, partition, headers, body, created_at, published_at, stream, \
             incarnation, sequence)
         select id_at(at), 'a.b', md5(number::text)::uuid, number, number % 64, '{\"x-correlation-id\": \"c\"}',
             jsonb_build_object('number', number), at, case when number % 3 > 0 then at end, 'S', at, number
         from (select number, now() - interval '1 hour' * number as at from generate_series(0, 335) as number) as told",
    )
    .await;
    run(&mut world.admin, "insert into inbox (handler, event_id, handled_at) select 'h', id, created_at from outbox")
        .await;
    let fingerprint = "select md5(string_agg(row::text, '' order by row::text)) from (
        select outbox::text as row from outbox union all select inbox::text from inbox) as rows";
    let before = text(&mut world.admin, fingerprint).await;

    for _ in 0..2 {
        migrate(&world.url, &logins()).await.unwrap();
        assert_eq!(text(&mut world.admin, fingerprint).await, before);
        let of_today = world.partition("outbox", 0).await;
        assert!(number(&mut world.admin, &format!("select count(*) from {of_today}")).await > 0);
        let elsewhere = "select count(*) from outbox_other_days where created_at > now() - interval '1 day'";
        assert_eq!(number(&mut world.admin, elsewhere).await, 0);
        down(&world.url, "catalog", later_ones).await.unwrap();
        assert_eq!(text(&mut world.admin, fingerprint).await, before);
    }
    migrate(&world.url, &logins()).await.unwrap();
}

#[tokio::test]
async fn a_service_makes_and_drops_days_only_by_the_two_functions() {
    let mut world = World::migrated("days_rights").await;
    let tomorrow = world.partition("outbox", -1).await;
    for forbidden in [
        "alter table outbox detach partition outbox_other_days".to_owned(),
        "create table outbox_mine partition of outbox for values in (1)".to_owned(),
        format!("drop table {tomorrow}"),
        "truncate outbox".to_owned(),
        "drop function make_event_days(integer)".to_owned(),
    ] {
        assert_eq!(sqlstate(&mut world.service, &forbidden).await.as_deref(), Some("42501"), "{forbidden}");
    }
    assert_eq!(number(&mut world.service, "select make_event_days(8)").await, 0);
    assert_eq!(number(&mut world.service, "select make_event_days(10)").await, 4);
    // However far ahead somebody asks, it stays at two months.
    assert!(number(&mut world.service, "select make_event_days(1000000)").await < 200);
    // What was made later is written and read like the rest, through the table.
    world.tell(-9, false).await;
    let of_that_day = world.partition("outbox", -9).await;
    let found = format!("select count(*) from outbox where tableoid = '{of_that_day}'::regclass");
    assert_eq!(number(&mut world.service, &found).await, 1);
    // Nobody else's.
    let elsewhere = "select vendor.make_event_days(1)";
    assert_eq!(sqlstate(&mut world.service, elsewhere).await.as_deref(), Some("42501"));
}

#[tokio::test]
async fn what_was_told_before_its_day_was_made_moves_into_it() {
    let mut world = World::migrated("days_moved").await;
    for days_ahead in [9, 9, 10, 30] {
        world.tell(-days_ahead, days_ahead == 9).await;
        run(
            &mut world.service,
            "insert into inbox (handler, event_id) select 'h', id from outbox on conflict do nothing",
        )
        .await;
        run(&mut world.service, "update outbox set sequence = sequence + 1 where published_at is not null").await;
    }
    assert_eq!(number(&mut world.admin, "select count(*) from outbox_other_days").await, 4);
    assert_eq!(number(&mut world.service, "select make_event_days(10)").await, 4);
    assert_eq!(number(&mut world.admin, "select count(*) from outbox_other_days").await, 1);
    assert_eq!(number(&mut world.admin, "select count(*) from inbox_other_days").await, 1);
    assert_eq!(number(&mut world.service, "select count(*) from outbox").await, 4);
    // A place is given once in a day, by the day's own index.
    let twice = "update outbox set sequence = 7, incarnation = now(), stream = 'S', published_at = now()
                 where id < first_id_at(now() + interval '9 days 1 hour')";
    assert_eq!(sqlstate(&mut world.service, twice).await.as_deref(), Some("23505"));
}

#[tokio::test]
async fn a_day_goes_when_nothing_of_it_is_needed_any_more() {
    let mut world = World::migrated("days_dropped").await;
    let outbox_day = world.make_past_day("outbox", 10).await;
    let too_young = world.make_past_day("outbox", 7).await;
    let inbox_day = world.make_past_day("inbox", 40).await;
    world.tell(10, true).await;
    world.tell(10, false).await;
    world.tell(7, true).await;
    let put = "insert into inbox (handler, event_id, handled_at)
               select 'h', id_at(now() - interval '40 days'), now() - interval '39 days'";
    run(&mut world.service, put).await;
    let park = "insert into dead_letters (handler, event_id, event_type, stream, incarnation, sequence, subject, headers, \
                body, reason, error, attempts) select 'h', event_id, 'a.b', 'S', now(), 1, 's', '{}', '', 'refused', 'e', 1 \
                from inbox";
    run(&mut world.service, park).await;

    assert_eq!(world.drop_days().await, 0, "one is unpublished, one is a dead letter");
    let publish = "update outbox set published_at = now() - interval '8 days', stream = 'S', incarnation = now(), \
                   sequence = 2 where published_at is null";
    run(&mut world.service, &publish.replace("8 days", "6 days")).await;
    assert_eq!(world.drop_days().await, 0, "one was published six days ago");
    run(&mut world.service, "update outbox set published_at = published_at - interval '2 days'").await;
    assert_eq!(world.drop_days().await, 1);
    assert!(!world.exists(&outbox_day).await && world.exists(&inbox_day).await && world.exists(&too_young).await);

    run(&mut world.service, "delete from dead_letters").await;
    assert_eq!(world.drop_days().await, 1);
    assert_eq!(world.drop_days().await, 0);
    assert!(!world.exists(&inbox_day).await && world.exists(&too_young).await);
    assert_eq!(number(&mut world.service, "select count(*) from outbox").await, 1);
}

/// While somebody reads or writes for long, days are neither made nor dropped, and nobody else waits for long; it is done
/// once they are through.
#[tokio::test]
async fn nobody_waits_long_for_a_change_of_days() {
    let mut world = World::migrated("days_locked").await;
    let old_day = world.make_past_day("outbox", 10).await;
    let mut long_one = PgConnection::connect(&world.url).await.unwrap();
    run(&mut long_one, "begin; select count(*) from catalog.outbox").await;

    let mut writer = PgConnection::connect(&world.url).await.unwrap();
    run(&mut writer, "set search_path = catalog, ext").await;
    let (stop, mut stopped) = tokio::sync::oneshot::channel::<()>();
    let writing = tokio::spawn(async move {
        let (mut longest, mut writes) = (Duration::ZERO, 0);
        while stopped.try_recv().is_err() {
            let began = Instant::now();
            run(
                &mut writer,
                "insert into outbox (id, type, aggregate_id, version, partition, headers, body) \
                 values (id_at(now()), 'a.b', gen_random_uuid(), 1, 0, '{}', '{}')",
            )
            .await;
            longest = longest.max(began.elapsed());
            writes += 1;
        }
        (writes, longest)
    });
    for _ in 0..5 {
        assert_eq!(world.drop_days().await, 0);
        assert_eq!(number(&mut world.service, "select make_event_days(9)").await, 1, "only that of the inbox");
        run(&mut world.admin, "drop table inbox_other_days; create table inbox_other_days partition of inbox default")
            .await;
        let made = world.partition("inbox", -9).await;
        run(&mut world.admin, &format!("drop table {made}")).await;
    }
    assert!(world.exists(&old_day).await);
    run(&mut long_one, "commit").await;
    assert_eq!(world.drop_days().await, 1);
    assert_eq!(number(&mut world.service, "select make_event_days(9)").await, 2);
    stop.send(()).unwrap();
    let (writes, longest) = writing.await.unwrap();
    println!("{writes} writes while days were to change, the longest took {longest:?}");
    assert!(writes > 0);
}
