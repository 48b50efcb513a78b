//! Categories. What writes one also tells it.

use super::search_words;
use crate::domain::tree::Node;
use crate::domain::words;
use crate::entity::product_categories::{ActiveModel, Column, Entity, Model, Rules};
use chrono::TimeDelta;
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ActiveModelTrait as _, ConnectionTrait, DbErr, EntityTrait as _, IntoActiveModel as _, ModelTrait as _,
    QueryOrder as _,
};
use store::{Tx, id_list, statement};
use subjects::Fault;
use subjects::catalog::{CatalogError, CategoryState, CategoryUpdated, CreateCategory, UpdateCategory};
use subjects::ids::CategoryId;
use subjects::time::Instant;

/// What a category consists of.
#[derive(Debug, Clone)]
pub struct CategoryContent {
    /// The category above it.
    pub parent_id: Option<CategoryId>,
    /// Its name.
    pub name: String,
    /// Its name in English.
    pub english_name: Option<String>,
    /// Its name in addresses.
    pub slug: String,
    /// What it says of attributes.
    pub rules: Rules,
    /// Its place among its siblings.
    pub position: i32,
}

impl From<&CreateCategory> for CategoryContent {
    fn from(request: &CreateCategory) -> CategoryContent {
        let CreateCategory { parent_id, name, english_name, slug, attribute_schema, position } = request.clone();
        CategoryContent { parent_id, name, english_name, slug, rules: Rules(attribute_schema), position }
    }
}

impl From<&UpdateCategory> for CategoryContent {
    fn from(request: &UpdateCategory) -> CategoryContent {
        let UpdateCategory { id: _, parent_id, name, english_name, slug, attribute_schema, position } = request.clone();
        CategoryContent { parent_id, name, english_name, slug, rules: Rules(attribute_schema), position }
    }
}

/// Every category, siblings in their order.
pub async fn all(db: &impl ConnectionTrait) -> Result<Vec<Model>, store::Error> {
    Ok(Entity::find()
        .order_by_asc(Column::Position)
        .order_by_asc(Column::Name)
        .order_by_asc(Column::Id)
        .all(db)
        .await?)
}

/// The places of some categories in the tree.
pub fn nodes(rows: &[Model]) -> Vec<Node> {
    rows.iter().map(|row| Node { id: row.id, parent_id: row.parent_id }).collect()
}

/// Every category's place in the tree and its name, without all else.
pub async fn names(db: &impl ConnectionTrait) -> Result<Vec<(Node, String)>, store::Error> {
    let rows = db.query_all_raw(statement("select id, parent_id, name from product_categories", Vec::new())).await?;
    let mut names = Vec::with_capacity(rows.len());
    for row in rows {
        let node = Node { id: row.try_get("", "id")?, parent_id: row.try_get("", "parent_id")? };
        names.push((node, row.try_get("", "name")?));
    }
    Ok(names)
}

/// Reads a category.
pub async fn find(db: &impl ConnectionTrait, id: CategoryId) -> Result<Option<Model>, store::Error> {
    Ok(Entity::find_by_id(id).one(db).await?)
}

/// Keeps everybody else from changing the tree until the transaction's end: only then does what was seen of it hold.
pub async fn lock_tree(tx: &Tx) -> Result<(), store::Error> {
    let lock = "select pg_advisory_xact_lock(hashtextextended(concat_ws(chr(31), current_schema(), 'categories'), 0))";
    tx.execute_raw(statement(lock, Vec::new())).await?;
    Ok(())
}

/// Adds a category, and tells it.
pub async fn insert(tx: &Tx, id: CategoryId, content: CategoryContent, now: Instant) -> Result<Model, CatalogError> {
    let CategoryContent { parent_id, name, english_name, slug, rules, position } = content;
    let row = ActiveModel {
        id: Set(id),
        parent_id: Set(parent_id),
        name: Set(name),
        english_name: Set(english_name),
        slug: Set(slug),
        attribute_schema: Set(rules),
        position: Set(position),
        created_at: Set(now),
        updated_at: Set(now),
        version: Set(1),
    };
    let row = row.insert(tx).await.map_err(refusal)?;
    learn_names(tx, &row).await?;
    tx.emit(&CategoryUpdated(state(&row, false))).await?;
    Ok(row)
}

/// Replaces what is known of a category, and tells it.
pub async fn replace(tx: &Tx, row: Model, content: CategoryContent, now: Instant) -> Result<Model, CatalogError> {
    let CategoryContent { parent_id, name, english_name, slug, rules, position } = content;
    let version = row.version + 1;
    let mut changed = row.into_active_model();
    changed.parent_id = Set(parent_id);
    changed.name = Set(name);
    changed.english_name = Set(english_name);
    changed.slug = Set(slug);
    changed.attribute_schema = Set(rules);
    changed.position = Set(position);
    changed.updated_at = Set(now);
    changed.version = Set(version);
    let row = changed.update(tx).await.map_err(refusal)?;
    learn_names(tx, &row).await?;
    tx.emit(&CategoryUpdated(state(&row, false))).await?;
    Ok(row)
}

async fn learn_names(tx: &Tx, row: &Model) -> Result<(), store::Error> {
    search_words::learn(tx, words::of_product(&row.name, row.english_name.as_deref(), "")).await
}

/// How long a transaction may be under way that has read the old names, and is longer than any request lives.
const NAMES_LINGER: TimeDelta = TimeDelta::seconds(60);

/// Notes that the words of the products in some categories are to be written anew, those among them that are being
/// written at this moment.
pub async fn mark_words_stale(tx: &Tx, ids: &[CategoryId], now: Instant) -> Result<(), store::Error> {
    let now = now + NAMES_LINGER;
    let mark = "update product_categories set words_stale_since = $2 where id = any(string_to_array($1, ',')::uuid[])";
    tx.execute_raw(statement(mark, vec![id_list(ids).into(), now.into()])).await?;
    Ok(())
}

/// Removes a category, and tells it.
pub async fn remove(tx: &Tx, row: Model) -> Result<(), CatalogError> {
    let tombstone = CategoryState { version: row.version + 1, ..state(&row, true) };
    row.delete(tx).await.map_err(|error| {
        let error = store::Error::from(error);
        match error.constraint() {
            Some("product_categories_parent_fkey" | "products_category_fkey") => CatalogError::CategoryNotEmpty,
            _ => Fault::from(error).into(),
        }
    })?;
    tx.emit(&CategoryUpdated(tombstone)).await?;
    Ok(())
}

fn refusal(error: DbErr) -> CatalogError {
    let error = store::Error::from(error);
    match error.constraint() {
        Some("product_categories_slug_key") => CatalogError::SlugTaken,
        _ => Fault::from(error).into(),
    }
}

fn state(row: &Model, removed: bool) -> CategoryState {
    CategoryState {
        category_id: row.id,
        parent_id: row.parent_id,
        name: row.name.clone(),
        slug: row.slug.clone(),
        removed,
        version: row.version,
    }
}
