//! Cursor paging: a cursor is where the last page ended, opaque to the caller.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;
use subjects::{Fault, Page, Violation};

/// No cursor of ours is longer.
const MAX_LENGTH: usize = 512;

/// Writes the key of a page's last item.
pub fn encode(key: &impl Serialize) -> String {
    // Keys are tuples and structs of ids, times and texts: they can always be written.
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(key).unwrap_or_default())
}

/// Reads the key after which the next page begins.
///
/// # Errors
/// `bad_request` where it is not a cursor of this list.
pub fn decode<K: DeserializeOwned>(cursor: Option<&str>) -> Result<Option<K>, Fault> {
    let Some(cursor) = cursor else { return Ok(None) };
    let bytes = if cursor.len() <= MAX_LENGTH { URL_SAFE_NO_PAD.decode(cursor).ok() } else { None };
    match bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()) {
        Some(key) => Ok(Some(key)),
        None => Err(Fault::invalid(vec![Violation::new("/cursor", "is not a cursor of this list")])),
    }
}

/// Makes a page of rows that were asked for with a limit of one more than the page has: the one more only tells that
/// there is a next page.
pub fn page<T, K: Serialize>(mut rows: Vec<T>, limit: u16, key_of_last: impl FnOnce(&T) -> K) -> Page<T> {
    let limit = usize::from(limit);
    let there_is_more = rows.len() > limit;
    rows.truncate(limit);
    let next_cursor = rows.last().filter(|_| there_is_more).map(|last| encode(&key_of_last(last)));
    Page { items: rows, next_cursor }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_join_without_gap_or_repeat() {
        let fetch = |after: Option<i32>| -> Vec<i32> {
            (1..=7).filter(|number| after.is_none_or(|last| *number > last)).take(4).collect()
        };
        let (mut seen, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let after = decode::<i32>(cursor.as_deref()).unwrap();
            let page = page(fetch(after), 3, |last| *last);
            seen.extend(page.items);
            cursor = page.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen, [1, 2, 3, 4, 5, 6, 7]);
    }

    #[test]
    fn what_is_not_a_cursor_is_bad_input() {
        for bad in ["", "!", "bm90IGpzb24", &"A".repeat(10_000), &encode(&"text")] {
            let fault = decode::<i32>(Some(bad)).unwrap_err();
            assert_eq!(fault.violations[0].pointer, "/cursor");
        }
    }
}
