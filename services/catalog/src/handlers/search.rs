//! `product.findAll`.

use crate::access::Standing;
use crate::domain::{facets, tree, words};
use crate::repo::product_search::{self, ListKey};
use crate::repo::search_scope::Search;
use crate::repo::{categories, search_words};
use crate::{Cx, clock, repo};
use subjects::Fault;
use subjects::Violation;
use subjects::catalog::{CatalogError, FindProducts, ProductPage, ProductSort};

/// Finds products, and counts what there is among them.
pub async fn find_all(cx: Cx, request: FindProducts) -> Result<ProductPage, CatalogError> {
    let db = cx.app.store.read();
    let standing = Standing::of(db, cx.caller()).await?;
    let default_sort = if request.text.is_some() { ProductSort::Relevance } else { ProductSort::CreatedAtDescending };
    let sort = request.sort.unwrap_or(default_sort);
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
    let nodes: Vec<tree::Node> = tree.iter().map(|(node, _)| *node).collect();
    let category_ids = request.category_id.map(|id| tree::subtree(&nodes, id));
    let search = Search { request: &request, standing: &standing, terms, category_ids };

    let limit = store::cursor::limit(request.limit);
    let rows = product_search::page(db, &search, sort, after.as_ref(), limit, clock::now()).await?;
    let page = store::page(rows, limit, |last| ListKey { sort, value: last.value, id: last.summary.id.0 });
    let page = page.map(|listed| listed.summary);
    let facets = match counts_are_wanted {
        true => Some(facets::tell(repo::facets::count(db, &search).await?, &tree)),
        false => None,
    };
    Ok(ProductPage { items: page.items, next_cursor: page.next_cursor, facets })
}
