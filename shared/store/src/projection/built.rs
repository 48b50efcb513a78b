//! Which models have been built, and when last.

use crate::error::Error;
use crate::query::statement;
use sea_orm::ConnectionTrait;
use std::collections::BTreeMap;
use subjects::time::Instant;

const NOTE: &str = "
insert into built_read_models (model, built_at) values ($1, clock_timestamp())
on conflict (model) do update set built_at = excluded.built_at";

/// When each model was last built to its end. One that is absent never was.
pub(super) async fn all(db: &impl ConnectionTrait) -> Result<BTreeMap<String, Instant>, Error> {
    let rows = db.query_all_raw(statement("select model, built_at from built_read_models", Vec::new())).await?;
    let mut built = BTreeMap::new();
    for row in rows {
        built.insert(row.try_get_by_index(0)?, row.try_get_by_index(1)?);
    }
    Ok(built)
}

/// Notes that a model has been built to its end.
pub(super) async fn note(db: &impl ConnectionTrait, model: &str) -> Result<(), Error> {
    db.execute_raw(statement(NOTE, vec![model.into()])).await?;
    Ok(())
}
