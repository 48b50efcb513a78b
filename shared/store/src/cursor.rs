//! Cursor paging: a cursor is the sort key of the last item seen, as JSON in base64url, so that a page begins where
//! the one before it ended, whatever came or went in between.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;
use subjects::paging::{DEFAULT_LIMIT, MAX_LIMIT};
use subjects::{Fault, Page, Violation};

/// The longest cursor that is looked at, in bytes.
const MAX_LENGTH: usize = 1_024;

/// The cursor for a sort key. Empty where the key has no JSON form, which sort keys have.
pub fn encode(key: &impl Serialize) -> String {
    match serde_json::to_vec(key) {
        Ok(json) => URL_SAFE_NO_PAD.encode(json),
        Err(error) => {
            tracing::error!(error = %error, "a sort key cannot be written as json");
            String::new()
        }
    }
}

/// The sort key of a cursor that [`encode`] made.
///
/// # Errors
/// A `bad_request` at `/cursor` where it is not such a cursor.
pub fn decode<K: DeserializeOwned>(cursor: Option<&str>) -> Result<Option<K>, Fault> {
    let Some(cursor) = cursor else { return Ok(None) };
    let key = (cursor.len() <= MAX_LENGTH)
        .then(|| URL_SAFE_NO_PAD.decode(cursor).ok())
        .flatten()
        .and_then(|json| serde_json::from_slice(&json).ok());
    match key {
        Some(key) => Ok(Some(key)),
        None => Err(Fault::invalid(vec![Violation::new("/cursor", "is not a cursor of this list")])),
    }
}

/// How many items a page has: what the request says, within the bounds of [`subjects::paging`].
pub fn limit(requested: Option<u16>) -> u16 {
    requested.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT)
}

/// A page of `limit` items out of rows that were fetched with one more, by which it is known whether there is a next
/// page. `key` gives an item's sort key.
pub fn page<T, K: Serialize>(mut rows: Vec<T>, limit: u16, key: impl FnOnce(&T) -> K) -> Page<T> {
    let there_is_more = rows.len() > usize::from(limit);
    rows.truncate(usize::from(limit));
    let next_cursor = rows.last().filter(|_| there_is_more).map(|last| encode(&key(last)));
    Page { items: rows, next_cursor }
}

#[cfg(test)]
mod tests {
    use super::*;
    use subjects::ErrorCode;

    #[test]
    fn a_cursor_leads_back_to_its_key() {
        let key = (String::from("Makassar"), 17_i64);
        assert_eq!(decode(Some(&encode(&key))).unwrap(), Some(key));
        assert_eq!(decode::<i64>(None).unwrap(), None);
    }

    #[test]
    fn what_is_no_cursor_is_refused_at_its_place() {
        for broken in ["", "?", "bm90IGpzb24", &"a".repeat(MAX_LENGTH + 1)] {
            let fault = decode::<i64>(Some(broken)).unwrap_err();
            assert_eq!(fault.code, ErrorCode::BadRequest);
            assert_eq!(fault.violations[0].pointer, "/cursor");
        }
    }

    #[test]
    fn only_a_page_with_a_next_one_has_a_cursor() {
        let whole = page(vec![1, 2], 2, |last| *last);
        assert_eq!((whole.items, whole.next_cursor), (vec![1, 2], None));
        let part = page(vec![1, 2, 3], 2, |last| *last);
        assert_eq!(part.items, [1, 2]);
        assert_eq!(decode(part.next_cursor.as_deref()).unwrap(), Some(2));
        assert_eq!(page(Vec::<i32>::new(), 2, |last| *last).next_cursor, None);
    }
}
