//! What the words of a search stand for.

use crate::domain::{spelling, words};
use sea_orm::ConnectionTrait;
use store::{Tx, statement};
use subjects::Fault;

/// A word that has to be found: as it was written, or as one of those that may have been meant.
pub type Term = Vec<String>;

// In one order, so that two transactions with the same new words do not wait in a circle.
const LEARN: &str = "
    insert into search_words (word)
    select distinct searchable(word) from jsonb_array_elements_text($1::jsonb) word order by 1
    on conflict do nothing";

/// Learns words that somebody may mistype.
pub async fn learn(tx: &Tx, words: Vec<String>) -> Result<(), store::Error> {
    tx.execute_raw(statement(LEARN, vec![serde_json::Value::from(words).into()])).await?;
    Ok(())
}

const LOOK_UP: &str = r"
    select wanted.word,
        numnode(plainto_tsquery('english', searchable(wanted.word))) = 0 as says_nothing,
        case when searchable(wanted.word) ~ '\d' or exists (select from search_words where word = searchable(wanted.word))
            then '[]'::jsonb
            else (select coalesce(jsonb_agg(alike.word), '[]') from (
                select known.word from search_words known where known.word % searchable(wanted.word)
                order by similarity(known.word, searchable(wanted.word)) desc limit 10) as alike)
        end as alike
    from jsonb_array_elements_text($1::jsonb) with ordinality as wanted (word, place)
    order by wanted.place";

/// What has to be found for some words. Words such as `for` say nothing, unless there are no others; a word that no product
/// has stands for those most like it, too.
///
/// # Errors
/// The database's.
pub async fn terms(db: &impl ConnectionTrait, words: Vec<String>) -> Result<Vec<Term>, Fault> {
    let rows = db.query_all_raw(statement(LOOK_UP, vec![serde_json::Value::from(words).into()])).await;
    let (mut telling, mut others) = (Vec::new(), Vec::new());
    for row in rows.map_err(store::Error::from)? {
        let read = |error| Fault::from(store::Error::from(error));
        let word: String = row.try_get("", "word").map_err(read)?;
        let says_nothing: bool = row.try_get("", "says_nothing").map_err(read)?;
        let says_nothing = says_nothing || words::says_nothing(&word);
        let alike: serde_json::Value = row.try_get("", "alike").map_err(read)?;
        let alike: Vec<String> = serde_json::from_value(alike).map_err(Fault::internal)?;
        let meant: Vec<String> = spelling::meant(&word.to_lowercase(), &alike).into_iter().map(str::to_owned).collect();
        let mut term = vec![word];
        term.extend(meant);
        if says_nothing { others.push(term) } else { telling.push(term) }
    }
    Ok(if telling.is_empty() { others } else { telling })
}
