//! The records of pets. Whoever adds to them holds the pet.

use super::by_age::Part;
use super::failed;
use crate::entity::pet_records::{ActiveModel, Column, Details, Entity, Model};
use sea_orm::sea_query::{Expr, Query};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter,
};
use std::collections::BTreeMap;
use store::{ResultExt as _, Tx, statement};
use subjects::Page;
use subjects::ids::{PetId, PetRecordId, UserId};
use subjects::profile::{FindPetRecords, MAX_RECORDS, ProfileError, Weighing};

/// Part of a pet's records.
pub async fn list(
    db: &impl ConnectionTrait,
    filters: &FindPetRecords,
    part: &Part,
) -> Result<Page<Model>, store::Error> {
    // Taken apart in full, so that a new filter has to be applied.
    let FindPetRecords { pet_id, kind, with_replaced, sort: _, limit: _, cursor: _ } = filters;
    let mut condition =
        Condition::all().add(Column::PetId.eq(*pet_id)).add_option(kind.map(|kind| Column::Kind.eq(kind)));
    if *with_replaced != Some(true) {
        let replaced_ids = Query::select()
            .column(Column::Replaces)
            .from(Entity)
            .and_where(Column::PetId.eq(*pet_id))
            .and_where(Column::Replaces.is_not_null())
            .to_owned();
        condition = condition.add(Column::Id.not_in_subquery(replaced_ids));
    }
    let rows = part.select(Entity::find().filter(condition), Column::Id).all(db).await?;
    Ok(part.page(rows, |row| row.id.into()))
}

/// Which entry corrects each of these, where one does.
pub async fn corrections_of(
    db: &impl ConnectionTrait,
    ids: Vec<PetRecordId>,
) -> Result<BTreeMap<PetRecordId, PetRecordId>, store::Error> {
    let later = Entity::find().filter(Column::Replaces.is_in(ids)).all(db).await?;
    Ok(later.into_iter().filter_map(|row| Some((row.replaces?, row.id))).collect())
}

/// One entry of a pet's records.
pub async fn find(db: &impl ConnectionTrait, pet_id: PetId, id: PetRecordId) -> Result<Option<Model>, store::Error> {
    Ok(Entity::find_by_id(id).filter(Column::PetId.eq(pet_id)).one(db).await?)
}

// What was corrected since does not count. Of two on one day the later written one does.
const LATEST_WEIGHING: &str = "
select entry.id, entry.details from pet_records as entry
where entry.pet_id = $1 and entry.kind = 'weight'
    and not exists (select from pet_records as correction where correction.replaces = entry.id)
order by (entry.details -> 'weight' ->> 'measuredOn')::date desc, entry.id desc limit 1";

/// What a pet weighed when it was weighed last, as far as its records tell, and which entry says so.
pub async fn latest_weighing(tx: &Tx, pet_id: PetId) -> Result<Option<(PetRecordId, Weighing)>, store::Error> {
    let Some(row) = tx.query_one_raw(statement(LATEST_WEIGHING, vec![pet_id.into()])).await? else { return Ok(None) };
    let details: Details = row.try_get_by_index(1)?;
    let Details::Weight(weighing) = details else { return Ok(None) };
    Ok(Some((row.try_get_by_index(0)?, weighing)))
}

/// Adds an entry.
///
/// # Errors
/// [`ProfileError::TooManyRecords`], [`ProfileError::RecordReplaced`].
pub async fn insert(tx: &Tx, row: Model) -> Result<Model, ProfileError> {
    let others = Entity::find().filter(Column::PetId.eq(row.pet_id)).count(tx).await.map_err(failed)?;
    if others >= u64::from(MAX_RECORDS) {
        return Err(ProfileError::TooManyRecords);
    }
    let row: ActiveModel = row.into_active_model();
    row.reset_all().insert(tx).await.on_constraint("pet_records_replaces_key", ProfileError::RecordReplaced)
}

/// Forgets who wrote what a person wrote in the records of others' pets.
pub async fn forget_author(tx: &Tx, author_id: UserId) -> Result<(), store::Error> {
    let nobody = Expr::value(Option::<uuid::Uuid>::None);
    Entity::update_many().col_expr(Column::AuthorId, nobody).filter(Column::AuthorId.eq(author_id)).exec(tx).await?;
    Ok(())
}
