//! Text search by trigrams (`pg_trgm`): words are found wherever they stand, with typing errors and without accents.

use sea_orm::sea_query::Expr;
use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction};

/// How alike a word of the search and a part of the text must be, from 0 to 1. At 0.4 one wrong or missing letter, or
/// two swapped ones, in a word of five or more are forgiven.
const WORD_SIMILARITY_THRESHOLD: &str = "0.4";

/// Begins a transaction in which `<%` forgives typing errors. The threshold is a setting rather than a comparison
/// because only the operator can use the index.
pub async fn begin(db: &DatabaseConnection) -> Result<DatabaseTransaction, store::Error> {
    let transaction = store::begin(db).await?;
    let set_threshold = format!("set local pg_trgm.word_similarity_threshold = {WORD_SIMILARITY_THRESHOLD}");
    transaction.execute_unprepared(&set_threshold).await?;
    Ok(transaction)
}

/// The condition that a word stands in a search text, given as `table.search_text`. Within [`begin`] only.
pub fn has_word(search_text_column: &str, word: String) -> Expr {
    Expr::cust_with_values(format!("searchable($1) <% {search_text_column}"), [word])
}
