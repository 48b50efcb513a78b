//! `category.findAll`, `category.findOne`, `category.create`, `category.update` and `category.remove`.

use crate::Cx;
use crate::domain::tree::{self, Node};
use crate::entity::product_categories::Model;
use crate::repo::categories::{self, CategoryContent};
use std::collections::BTreeMap;
use subjects::catalog::{
    CatalogError, Category, CategoryTree, CreateCategory, FindCategories, FindCategory, MAX_CATEGORIES,
    MAX_CATEGORY_DEPTH, RemoveCategory, UpdateCategory,
};
use subjects::ids::CategoryId;

/// `category.findAll`.
pub async fn find_all(cx: Cx, _: FindCategories) -> Result<CategoryTree, CatalogError> {
    let rows = categories::all(cx.app.store.read()).await?;
    let ordered = tree::in_order(&categories::nodes(&rows));
    let mut by_id: BTreeMap<CategoryId, Model> = rows.into_iter().map(|row| (row.id, row)).collect();
    Ok(CategoryTree { items: ordered.iter().filter_map(|id| by_id.remove(id)).map(category).collect() })
}

/// `category.findOne`.
pub async fn find_one(cx: Cx, request: FindCategory) -> Result<Category, CatalogError> {
    let row = categories::find(cx.app.store.read(), request.id).await?;
    Ok(category(row.ok_or(CatalogError::CategoryNotFound)?))
}

/// `category.create`.
pub async fn create(cx: Cx, request: CreateCategory) -> Result<Category, CatalogError> {
    let (cx, request) = (&cx, &request);
    cx.app
        .store
        .keyed(cx, request, |tx| async move {
            categories::lock_tree(&tx).await?;
            let nodes = categories::nodes(&categories::all(&tx).await?);
            if nodes.len() >= usize::from(MAX_CATEGORIES) {
                return Err(CatalogError::TooManyCategories);
            }
            check_depth(&nodes, request.parent_id, 1)?;
            let content = CategoryContent::from(request);
            Ok(category(categories::insert(&tx, CategoryId::new(), content, store::now()).await?))
        })
        .await
}

/// `category.update`.
pub async fn update(cx: Cx, request: UpdateCategory) -> Result<Category, CatalogError> {
    let expected_version = cx.expected_version()?;
    let (cx, request) = (&cx, &request);
    cx.app
        .store
        .keyed(cx, request, |tx| async move {
            categories::lock_tree(&tx).await?;
            let rows = categories::all(&tx).await?;
            let nodes = categories::nodes(&rows);
            let row = rows.into_iter().find(|row| row.id == request.id).ok_or(CatalogError::CategoryNotFound)?;
            store::expect_version(expected_version, row.version)?;
            let below = tree::subtree(&nodes, row.id);
            if request.parent_id.is_some_and(|parent_id| below.contains(&parent_id)) {
                return Err(CatalogError::CategoryCycle);
            }
            check_depth(&nodes, request.parent_id, tree::height(&nodes, row.id))?;
            let content = CategoryContent::from(request);
            let names = |name: &str, english: &Option<String>, parent: Option<CategoryId>| {
                (name.to_owned(), english.clone(), parent)
            };
            let names_were = names(&row.name, &row.english_name, row.parent_id);
            let names_change = names_were != names(&content.name, &content.english_name, content.parent_id);
            let now = store::now();
            let row = categories::replace(&tx, row, content, now).await?;
            if names_change {
                categories::mark_words_stale(&tx, &below, now).await?;
            }
            Ok(category(row))
        })
        .await
}

/// `category.remove`.
pub async fn remove(cx: Cx, request: RemoveCategory) -> Result<(), CatalogError> {
    let (cx, request) = (&cx, &request);
    cx.app
        .store
        .keyed(cx, request, |tx| async move {
            categories::lock_tree(&tx).await?;
            let row = categories::find(&tx, request.id).await?.ok_or(CatalogError::CategoryNotFound)?;
            store::expect_version_if_given(cx.meta().if_match, row.version)?;
            categories::remove(&tx, row).await
        })
        .await
}

/// Refuses a place below an unknown category, or too deep for what has so many levels.
fn check_depth(nodes: &[Node], parent_id: Option<CategoryId>, levels: usize) -> Result<(), CatalogError> {
    let Some(parent_id) = parent_id else { return Ok(()) };
    if !nodes.iter().any(|node| node.id == parent_id) {
        return Err(CatalogError::UnknownCategory);
    }
    let depth = tree::ancestry(nodes, parent_id).len() + levels;
    if depth > usize::from(MAX_CATEGORY_DEPTH) { Err(CatalogError::CategoryTooDeep) } else { Ok(()) }
}

fn category(row: Model) -> Category {
    Category {
        id: row.id,
        parent_id: row.parent_id,
        name: row.name,
        english_name: row.english_name,
        slug: row.slug,
        attribute_schema: row.attribute_schema.0,
        position: row.position,
        version: row.version,
    }
}
