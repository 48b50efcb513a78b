//! A database for every test, cloned from a migrated template.

use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{Connection, PgConnection};
use testkit::Postgres;

async fn count_pets(postgres: &Postgres, database: &str) -> i64 {
    let mut connection = PgConnection::connect(&postgres.admin_url(database)).await.unwrap();
    sqlx::query_scalar("SELECT count(*) FROM pets").fetch_one(&mut connection).await.unwrap()
}

async fn migrate(admin_url: String) -> anyhow::Result<()> {
    let mut connection = PgConnection::connect(&admin_url).await?;
    sqlx::query("CREATE TABLE pets (name text)").execute(&mut connection).await?;
    sqlx::query("INSERT INTO pets VALUES ('Bruno')").execute(&mut connection).await?;
    // Left open on purpose: a connection to the template must not stop the copying.
    std::mem::forget(connection);
    Ok(())
}

#[tokio::test]
async fn clones_are_independent_of_the_template_and_of_each_other() {
    let postgres = Postgres::shared().await.unwrap();
    postgres.template("independent", migrate).await.unwrap();
    let (first, second) =
        tokio::try_join!(postgres.clone_database("independent", &[]), postgres.clone_database("independent", &[]),)
            .unwrap();
    let more = ["INSERT INTO pets VALUES ('Mimi')".to_owned()];
    postgres.execute(&first, &more).await.unwrap();
    let third = postgres.clone_database("independent", &[]).await.unwrap();

    assert_eq!(count_pets(postgres, &first).await, 2);
    assert_eq!(count_pets(postgres, &second).await, 1);
    assert_eq!(count_pets(postgres, &third).await, 1);

    postgres.drop_database(&first).await.unwrap();
    postgres.execute(&first, &more).await.unwrap_err();
}

#[tokio::test]
async fn a_template_is_made_once() {
    let postgres = Postgres::shared().await.unwrap();
    let times = AtomicU32::new(0);
    let count = |_admin_url: String| async {
        times.fetch_add(1, Ordering::SeqCst);
        Ok(())
    };
    let (first, second) = tokio::join!(postgres.template("once", count), postgres.template("once", count));
    first.unwrap();
    second.unwrap();
    assert_eq!(times.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_template_that_failed_can_be_made_again() {
    let postgres = Postgres::shared().await.unwrap();
    let failure = postgres.template("again", |_admin_url| async { anyhow::bail!("no") }).await.unwrap_err();
    assert!(failure.to_string().contains("again"), "{failure}");
    postgres.template("again", migrate).await.unwrap();
    let database = postgres.clone_database("again", &[]).await.unwrap();
    assert_eq!(count_pets(postgres, &database).await, 1);
}

#[tokio::test]
async fn rights_on_a_clone_are_the_callers() {
    let postgres = Postgres::shared().await.unwrap();
    postgres.template("granted", migrate).await.unwrap();
    let role = ["CREATE ROLE groomer LOGIN PASSWORD 'brush'".to_owned()];
    postgres.execute("postgres", &role).await.unwrap();

    let closed = ["REVOKE CONNECT ON DATABASE {database} FROM PUBLIC"].map(String::from);
    let open = ["GRANT CONNECT ON DATABASE {database} TO groomer", "GRANT SELECT ON pets TO groomer"].map(String::from);
    let shut = postgres.clone_database("granted", &closed).await.unwrap();
    let opened = postgres.clone_database("granted", &[closed.as_slice(), open.as_slice()].concat()).await.unwrap();

    PgConnection::connect(&postgres.url("groomer", "brush", &shut)).await.unwrap_err();
    let mut connection = PgConnection::connect(&postgres.url("groomer", "brush", &opened)).await.unwrap();
    let pets: i64 = sqlx::query_scalar("SELECT count(*) FROM pets").fetch_one(&mut connection).await.unwrap();
    assert_eq!(pets, 1);
}

#[tokio::test]
async fn names_that_would_need_quoting_are_refused() {
    let postgres = Postgres::shared().await.unwrap();
    postgres.create_database("pets\"; DROP DATABASE postgres; --").await.unwrap_err();
}

#[tokio::test]
async fn the_password_is_asked_for() {
    let postgres = Postgres::shared().await.unwrap();
    PgConnection::connect(&postgres.url("petpro_admin", "guessed", "postgres")).await.unwrap_err();
}
