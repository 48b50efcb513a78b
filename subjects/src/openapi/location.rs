//! Where a created thing is found.

use crate::documents::entity;
use crate::operation::Operation;
use crate::request::{Method, Rest};

/// The path at which what `operation` creates can be read: that of a `findOne` right below the path at which it is
/// created, or else that of its entity's, where the id is the only field. The edge's `Location` is made from it.
pub fn location_of<'a>(
    operation: &Operation,
    operations: impl IntoIterator<Item = &'a Operation>,
) -> Option<&'static str> {
    let find_one = format!("{}.findOne", entity(operation));
    let mut of_entity = None;
    for reading in operations.into_iter().filter(|other| other.subject.ends_with(".findOne")) {
        let gets = reading.rest.iter().filter(|rest| rest.method == Method::Get).map(|rest| rest.path);
        for path in gets.filter(|path| path.ends_with("/{id}") && path.matches('{').count() == 1) {
            let is_below = |creating: &Rest| path.strip_suffix("/{id}") == Some(creating.path);
            if operation.rest.iter().any(is_below) {
                return Some(path);
            }
            if reading.subject == find_one {
                of_entity = of_entity.or(Some(path));
            }
        }
    }
    of_entity
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue;

    #[test]
    fn what_is_created_is_found_below_or_by_its_entity() {
        let location = |subject| location_of(catalogue::find(subject).unwrap(), catalogue::operations());
        assert_eq!(location("vendor.create"), Some("/vendors/{id}"));
        assert_eq!(location("staff.create"), Some("/staff/{id}"));
        assert_eq!(location("inventory.create"), Some("/inventory/{id}"));
        assert_eq!(location("inventory.reserve"), Some("/inventory/reservations/{id}"));
    }
}
