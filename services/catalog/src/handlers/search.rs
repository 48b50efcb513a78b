//! `product.findAll`.

use crate::access::Standing;
use crate::domain::{facets, tree, words};
use crate::repo::product_search::{self, ListKey};
use crate::repo::search_scope::Search;
use crate::repo::{categories, search_words};
use crate::{Cx, repo};
use identity::Caller;
use sea_orm::DatabaseConnection;
use subjects::catalog::{CatalogError, FindProducts, ProductPage, ProductSort};
use subjects::ids::CategoryId;
use subjects::{Fault, Violation};

/// Finds products, and counts what there is among them.
pub async fn find_all(cx: Cx, request: FindProducts) -> Result<ProductPage, CatalogError> {
    let db = cx.app.store.read();
    let standing = Standing::of(db, cx.caller()).await?;
    let sort = order(&request);
    if sort == ProductSort::Relevance && request.text.is_none() {
        return Err(
            Fault::invalid(vec![Violation::new("/sort", "relevance is only there where there are words")]).into()
        );
    }
    let after = ListKey::read(request.cursor.as_deref(), sort)?;
    let terms = match request.text.as_deref().map(words::of_search) {
        None => None,
        Some(words) if words.is_empty() => Some(Vec::new()),
        Some(words) => Some(search_words::terms(db, words).await?),
    };
    let counts_are_wanted = request.facets.unwrap_or(true) && after.is_none();
    // Text without a word in it is found nowhere.
    if terms.as_ref().is_some_and(Vec::is_empty) {
        let facets = counts_are_wanted.then(facets::none);
        return Ok(ProductPage { items: Vec::new(), next_cursor: None, facets });
    }
    let tree =
        if request.category_id.is_some() || counts_are_wanted { categories::names(db).await? } else { Vec::new() };
    let search = Search { request: &request, standing: &standing, terms, category_ids: chosen(&request, &tree) };

    let limit = store::cursor::limit(request.limit);
    let transaction = product_search::begin(db).await?;
    let rows = product_search::page(&transaction, &search, sort, after.as_ref(), limit, store::now()).await?;
    let page = store::page(rows, limit, |last| ListKey { sort, value: last.value, id: last.summary.id.0 });
    let page = page.map(|listed| listed.summary);
    let facets = match counts_are_wanted {
        true => {
            let counts = repo::facets::count(&transaction, &search).await?;
            Some(facets::tell(counts, &tree, search.category_ids.as_deref()))
        }
        false => None,
    };
    transaction.commit().await.map_err(store::Error::from)?;
    Ok(ProductPage { items: page.items, next_cursor: page.next_cursor, facets })
}

/// The order of a list, where it was told, and where it was not.
fn order(request: &FindProducts) -> ProductSort {
    let unless_told = if request.text.is_some() { ProductSort::Relevance } else { ProductSort::CreatedAtDescending };
    request.sort.unwrap_or(unless_told)
}

/// The chosen category with those below it; none: any.
fn chosen(request: &FindProducts, tree: &[(tree::Node, String)]) -> Option<Vec<CategoryId>> {
    let nodes: Vec<tree::Node> = tree.iter().map(|(node, _)| *node).collect();
    request.category_id.map(|id| tree::subtree(&nodes, id))
}

/// How Postgres goes about the page and the counts of a search that the public asks for: its plans of the very statements.
///
/// # Errors
/// The database's.
pub async fn plans(db: &DatabaseConnection, request: &FindProducts) -> Result<[String; 2], Fault> {
    let standing = Standing::of(db, &Caller::anonymous()).await?;
    let terms = match &request.text {
        Some(text) => Some(search_words::terms(db, words::of_search(text)).await?),
        None => None,
    };
    let tree = categories::names(db).await?;
    let search = Search { request, standing: &standing, terms, category_ids: chosen(request, &tree) };
    let sort = order(request);
    let transaction = product_search::begin(db).await?;
    let page = product_search::page_statement(&search, sort, None, store::cursor::limit(request.limit), store::now());
    let page = product_search::plan(&transaction, page).await?;
    let counts = product_search::plan(&transaction, repo::facets::count_statement(&search)).await?;
    transaction.commit().await.map_err(store::Error::from)?;
    Ok([page, counts])
}
