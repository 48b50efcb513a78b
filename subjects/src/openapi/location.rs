//! Where a created thing is found.

use crate::documents::entity;
use crate::operation::Operation;
use crate::request::Method;

/// The path at which what `operation` creates can be read: that of its entity's `findOne`, where the id is the only
/// field. The edge's `Location` is made from it.
pub fn location_of<'a>(
    operation: &Operation,
    operations: impl IntoIterator<Item = &'a Operation>,
) -> Option<&'static str> {
    let find_one = format!("{}.findOne", entity(operation));
    let reading = operations.into_iter().find(|other| other.subject == find_one)?;
    let is_by_id = |path: &&str| path.ends_with("/{id}") && path.matches('{').count() == 1;
    reading.rest.iter().filter(|rest| rest.method == Method::Get).map(|rest| rest.path).find(is_by_id)
}
