//! The links of hypertext answers (HAL), found in the contract alone.

use super::answers::{Answer, answers_generator};
use crate::access::Access;
use crate::documents::{Shape, entity, summary};
use crate::operation::{Kind, Operation};
use crate::request::{Method, Rest, When};
use std::collections::BTreeMap;

/// A link that an entity may have.
#[derive(Debug, Clone, PartialEq)]
pub struct LinkRule {
    /// `self`, the verb of the operation, or the name of the entity that it leads to.
    pub rel: &'static str,
    /// How to follow it.
    pub method: Method,
    /// Where it leads, with names in braces.
    pub path: &'static str,
    /// For each name in the path, the entity's field that it stands for.
    pub path_fields: Vec<(&'static str, String)>,
    /// For people: the operation's summary.
    pub title: String,
    /// What must hold of the entity.
    pub when: &'static [When],
    /// Who may follow it.
    pub access: Access,
}

/// Which links entities have, by the names of their schemas.
pub fn links<'a>(operations: impl IntoIterator<Item = &'a Operation>) -> BTreeMap<String, Vec<LinkRule>> {
    let mut generator = answers_generator();
    let mut read = vec![];
    for operation in operations {
        let request = (operation.request_schema)(&mut generator);
        let title = summary(&Shape::of(&request, &generator).description);
        let answer = Answer::of(operation, &mut generator);
        if operation.kind == Kind::Request {
            read.push(Known { operation, answer, title });
        }
    }
    let mut by_schema: BTreeMap<String, Vec<LinkRule>> = BTreeMap::new();
    for known in &read {
        let Some(schema) = &known.answer.entity_schema else { continue };
        if !by_schema.contains_key(schema) {
            let mut rules = own_links(schema, known, &read);
            rules.extend(related_links(known, &read));
            by_schema.insert(schema.clone(), rules);
        }
    }
    by_schema.retain(|_, rules| !rules.is_empty());
    by_schema
}

struct Known<'a> {
    operation: &'a Operation,
    answer: Answer,
    title: String,
}

impl Known<'_> {
    fn verb(&self) -> &'static str {
        self.operation.subject.rsplit('.').next().unwrap_or(self.operation.subject)
    }

    fn rule(&self, rel: &'static str, rest: &Rest, path_fields: Vec<(&'static str, String)>) -> LinkRule {
        LinkRule {
            rel,
            method: rest.method,
            path: rest.path,
            path_fields,
            title: self.title.clone(),
            when: self.operation.when,
            access: self.operation.access,
        }
    }

    fn gets(&self) -> impl Iterator<Item = &'static Rest> + use<> {
        self.operation.rest.iter().filter(|rest| rest.method == Method::Get && rest.versioned)
    }

    /// The names in the path, where the entity has a field for each.
    fn filled(&self, rest: &Rest) -> Option<Vec<(&'static str, String)>> {
        rest.path_fields().map(|name| self.answer.fields.have(name).then(|| (name, name.to_owned()))).collect()
    }
}

/// What the entity can be asked or told itself: the operations at its path and below.
fn own_links(schema: &str, known: &Known<'_>, read: &[Known<'_>]) -> Vec<LinkRule> {
    let Some((item_path, owner)) = item_path(schema, read) else { return vec![] };
    let mut rules: Vec<LinkRule> = vec![];
    for other in read.iter().filter(|other| entity(other.operation) == entity(owner)) {
        for rest in other.operation.rest {
            let is_item = rest.path == item_path;
            let is_below = rest.path.strip_prefix(item_path.as_str()).is_some_and(|below| below.starts_with('/'));
            let Some(path_fields) = known.filled(rest).filter(|_| rest.versioned && (is_item || is_below)) else {
                continue;
            };
            let rel = if is_item && rest.method == Method::Get { "self" } else { other.verb() };
            if rules.iter().all(|rule| rule.rel != rel) {
                rules.push(other.rule(rel, rest, path_fields));
            }
        }
    }
    rules
}

/// The path of one entity, and the operation that says so: the one that reads it, or else the list that has it among
/// its items, where something below the list's path is told about one item.
fn item_path<'a>(schema: &str, read: &[Known<'a>]) -> Option<(String, &'a Operation)> {
    let of_schema = || read.iter().filter(|known| known.answer.entity_schema.as_deref() == Some(schema));
    for known in of_schema().filter(|known| known.verb() == "findOne") {
        if let Some(rest) = known.gets().find(|rest| known.filled(rest).is_some()) {
            return Some((rest.path.to_owned(), known.operation));
        }
    }
    let is_told = |path: &str| read.iter().flat_map(|known| known.operation.rest).any(|rest| rest.path == path);
    for known in of_schema().filter(|known| known.answer.is_list) {
        let item_paths = known.gets().map(|rest| format!("{}/{{id}}", rest.path));
        if let Some(path) = item_paths.into_iter().find(|path| is_told(path)) {
            return Some((path, known.operation));
        }
    }
    None
}

/// The other entities that its fields name: `clinicId` leads to the clinic.
fn related_links(known: &Known<'_>, read: &[Known<'_>]) -> Vec<LinkRule> {
    let mut rules = vec![];
    for field in known.answer.fields.0.keys() {
        let Some(name) = field.strip_suffix("Id") else { continue };
        let finds_it = |other: &&Known<'_>| entity(other.operation) == name && other.verb() == "findOne";
        let Some(finding) = read.iter().find(finds_it) else { continue };
        let by_one_field = finding.gets().find(|rest| rest.path_fields().count() == 1);
        if let Some((rest, path_field)) = by_one_field.and_then(|rest| Some((rest, rest.path_fields().next()?))) {
            rules.push(finding.rule(entity(finding.operation), rest, vec![(path_field, field.clone())]));
        }
    }
    rules
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue;

    fn rels(schema: &str) -> Vec<&'static str> {
        let all = links(catalogue::operations());
        let mut rels: Vec<&str> = all[schema].iter().map(|rule| rule.rel).collect();
        rels.sort_unstable();
        rels
    }

    #[test]
    fn an_entity_leads_to_itself_its_actions_and_its_relatives() {
        let expected =
            ["cancel", "clinic", "complete", "confirm", "history", "noShow", "self", "service", "staff", "update"];
        let found = rels("Booking");
        assert!(expected.iter().all(|rel| found.contains(rel)), "{found:?}");
    }

    #[test]
    fn items_that_nobody_reads_alone_have_actions_all_the_same() {
        assert_eq!(rels("Session"), ["revokeSession"]);
        let members = rels("Membership");
        assert!(members.contains(&"accept") && members.contains(&"revoke") && !members.contains(&"self"));
    }

    #[test]
    fn every_link_can_be_filled_in() {
        for (schema, rules) in links(catalogue::operations()) {
            for rule in rules {
                let names = rule.path.matches('{').count();
                assert_eq!(names, rule.path_fields.len(), "{schema}: {}", rule.path);
            }
        }
    }
}
