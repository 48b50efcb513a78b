//! How the database goes about searches, for those who measure and test.

use crate::{Cx, handlers};
use subjects::Fault;
use subjects::catalog::FindProducts;

/// Postgres's plans of the statements behind a search that the public asks for: that of the page, and that of the counts.
///
/// # Errors
/// The database's.
pub async fn of_search(cx: &Cx, request: &FindProducts) -> Result<[String; 2], Fault> {
    handlers::search::plans(cx.app.store.read(), request).await
}
