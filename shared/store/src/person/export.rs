//! What a service keeps of a person, read a page at a time.

use crate::cursor;
use crate::error::Error;
use platform::{App, Cx};
use sea_orm::{ConnectionTrait, DbBackend, Statement, Value};
use serde::{Deserialize, Serialize};
use subjects::ids::UserId;
use subjects::privacy::{PersonPage, PersonRow};
use subjects::{Fault, Violation};

/// The service that exports and erases persons, the only one that may ask the others to.
const KEEPER: &str = "profile";
/// How many rows a page has at the most.
const MOST_ROWS: usize = 500;
/// A page ends with the row that takes it beyond so many bytes of JSON, well below what a message may have.
const MOST_BYTES: usize = 256 * 1024;

/// One kind of row that a service keeps of persons.
#[derive(Debug, Clone, Copy)]
pub struct Section {
    /// Its name in the export.
    pub kind: &'static str,
    /// A query of the rows of the user `$1` after the key `$2`, at most `$3`, in the order of their keys: `key`, a text,
    /// and `data`, an object in JSON. The key before the first is empty.
    pub rows: &'static str,
}

/// Where an export goes on.
#[derive(Serialize, Deserialize)]
struct Place {
    kind: String,
    after: String,
}

/// A page of what stands in the sections of a person, from a cursor on.
///
/// # Errors
/// A bad request for a cursor that is none of these; the database's failures.
pub async fn export(
    db: &impl ConnectionTrait,
    sections: &[Section],
    user_id: UserId,
    cursor: Option<&str>,
) -> Result<PersonPage, Fault> {
    let mut place: Option<Place> = cursor::decode(cursor)?;
    // A replica of another release may know other sections: what it cannot find is not at its end.
    let is_known = |place: &Place| sections.iter().any(|section| section.kind == place.kind);
    if !place.as_ref().is_none_or(is_known) {
        return Err(Fault::invalid(vec![Violation::new("/cursor", "is not a cursor of these sections")]));
    }
    let mut rows: Vec<PersonRow> = Vec::new();
    let mut bytes = 0;
    let begun = place.as_ref().map(|place| place.kind.clone());
    for section in sections.iter().skip_while(|section| begun.as_ref().is_some_and(|kind| kind != section.kind)) {
        let mut after = place.take().map(|place| place.after).unwrap_or_default();
        let wanted = MOST_ROWS - rows.len();
        let values: [Value; 3] =
            [user_id.into(), after.as_str().into(), i64::try_from(wanted).unwrap_or(i64::MAX).into()];
        let query = Statement::from_sql_and_values(DbBackend::Postgres, section.rows, values);
        let found = db.query_all_raw(query).await.map_err(Error::from)?;
        let fills_the_page = found.len() >= wanted;
        for row in found {
            let data: serde_json::Value = row.try_get("", "data").map_err(Error::from)?;
            after = row.try_get("", "key").map_err(Error::from)?;
            bytes += data.to_string().len();
            rows.push(PersonRow { kind: section.kind.to_owned(), data });
            if bytes > MOST_BYTES {
                return Ok(PersonPage { rows, next_cursor: Some(next(section, after)) });
            }
        }
        if fills_the_page {
            return Ok(PersonPage { rows, next_cursor: Some(next(section, after)) });
        }
    }
    Ok(PersonPage { rows, next_cursor: None })
}

fn next(section: &Section, after: String) -> String {
    cursor::encode(&Place { kind: section.kind.to_owned(), after })
}

/// Lets in the service that keeps requests for privacy, and nobody else.
///
/// # Errors
/// Forbidden.
pub fn only_for_privacy<A: App>(cx: &Cx<A>) -> Result<(), Fault> {
    if cx.caller().trusted_service() == Some(KEEPER) { Ok(()) } else { Err(Fault::forbidden()) }
}
