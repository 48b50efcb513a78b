//! Read models equal their sources: each has every aggregate of its owner at the version that was told last.

use super::violation::{Found, Violation};
use super::{NAMED, Scope};
use sqlx::{AssertSqlSafe, PgConnection};
use uuid::Uuid;

/// A row of a read model is not what its source is.
pub const OTHER_THAN_ITS_SOURCE: &str = "a read model is not as its source";

/// A read model and what feeds it.
struct Model {
    table: &'static str,
    source: &'static str,
    /// Types of events, as a pattern.
    told_by: &'static str,
    /// Which of the events matter, by their body.
    only: &'static str,
}

const MODELS: [Model; 11] = [
    model("booking.vendors", "vendor", "vendor.%"),
    model("booking.clinics", "vendor", "clinic.%"),
    model("booking.services", "vendor", "service.%"),
    model("booking.staff", "vendor", "staff.%"),
    model("booking.service_availability", "vendor", "hours.%"),
    model("booking.memberships", "vendor", "membership.%"),
    model("booking.pets", "profile", "pet.%"),
    model("catalog.vendors", "vendor", "vendor.%"),
    model("catalog.memberships", "vendor", "membership.%"),
    model("profile.memberships", "vendor", "membership.%"),
    Model { table: "profile.bookings", source: "booking", told_by: "booking.%", only: "body ->> 'petId' is not null" },
];

const fn model(table: &'static str, source: &'static str, told_by: &'static str) -> Model {
    Model { table, source, told_by, only: "true" }
}

/// All of them.
pub async fn as_their_sources(scope: &Scope<'_>, database: &mut PgConnection, found: &mut Found) -> anyhow::Result<()> {
    for Model { table, source, told_by, only } in MODELS {
        let query = format!(
            "select source.id, source.version, model.version from (
                select aggregate_id as id, max(version) as version from {source}.outbox
                where type like $1 and {only} and id <> all($2) group by aggregate_id
            ) as source left join {table} as model using (id)
            where model.version is distinct from source.version limit $3"
        );
        let wrong: Vec<(Uuid, i64, Option<i64>)> = sqlx::query_as(AssertSqlSafe(query))
            .bind(told_by)
            .bind(scope.planned.all())
            .bind(NAMED)
            .fetch_all(&mut *database)
            .await?;
        for (id, told, kept) in wrong {
            let kept = kept.map_or_else(|| "nothing".to_owned(), |version| format!("version {version}"));
            let detail = format!("{table} has {kept} of {id}, version {told} was told");
            found.add(Violation::of(OTHER_THAN_ITS_SOURCE, detail));
        }
        let rows = format!("select count(*) from {table}");
        found.examined("rows of read models", sqlx::query_scalar(AssertSqlSafe(rows)).fetch_one(&mut *database).await?);
    }
    bookings_stand_where_they_stand(database, found).await
}

/// The one read model that the load changes, row by row.
async fn bookings_stand_where_they_stand(database: &mut PgConnection, found: &mut Found) -> anyhow::Result<()> {
    let wrong: Vec<(Uuid, String, Option<String>)> = sqlx::query_as(
        "select booking.id, booking.status::text, model.status::text from booking.bookings as booking
        left join profile.bookings as model on model.id = booking.id
        where booking.pet_id is not null and model.status::text is distinct from booking.status::text limit $1",
    )
    .bind(NAMED)
    .fetch_all(database)
    .await?;
    for (id, stands, kept) in wrong {
        let detail = format!("booking {id} is {stands}, and {} in profile.bookings", kept.unwrap_or("missing".into()));
        found.add(Violation::of(OTHER_THAN_ITS_SOURCE, detail));
    }
    Ok(())
}
