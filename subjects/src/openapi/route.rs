//! The routes of the contract, grouped by what the document lists once: path and method.

use super::answers::Answer;
use super::location::location_of;
use crate::documents::{Shape, is_empty_reply};
use crate::operation::{Kind, Operation};
use crate::request::{Method, Rest};
use schemars::{Schema, SchemaGenerator};
use std::collections::BTreeMap;

/// One route of one operation, with the shapes of what goes in and comes out.
pub(super) struct Route<'a> {
    /// The operation.
    pub operation: &'a Operation,
    /// Its route.
    pub rest: &'static Rest,
    /// Unique in the document.
    pub operation_id: String,
    /// The request's fields.
    pub request: Shape,
    /// The reply, as a rule a reference; none for `()`.
    pub reply: Option<Schema>,
    /// The reply's fields.
    pub reply_shape: Shape,
    /// Where what it creates is found.
    pub location: Option<&'static str>,
    /// The shape of the answer.
    pub answer: Answer,
}

impl Route<'_> {
    /// Whether it is answered by a stream of events.
    pub fn is_stream(&self) -> bool {
        self.operation.kind == Kind::Stream
    }

    /// The fields that the path does not hold.
    pub fn remaining_fields(&self) -> impl Iterator<Item = (&str, &serde_json::Value)> {
        let in_path: Vec<&str> = self.rest.path_fields().collect();
        self.request
            .fields
            .iter()
            .map(|(name, schema)| (name.as_str(), schema))
            .filter(move |(name, _)| !in_path.contains(name))
    }
}

/// Routes by path and method; more than one where operations share them.
pub(super) type Routes<'a> = BTreeMap<(&'static str, Method), Vec<Route<'a>>>;

/// All routes of some operations.
pub(super) fn routes<'a>(operations: &[&'a Operation], generator: &mut SchemaGenerator) -> Routes<'a> {
    let mut grouped: Routes<'a> = BTreeMap::new();
    for operation in operations.iter().copied() {
        let request_schema = (operation.request_schema)(generator);
        let reply_schema = (operation.reply_schema)(generator);
        for (index, rest) in operation.rest.iter().enumerate() {
            let operation_id = match index {
                0 => operation.endpoint_name(),
                later => format!("{}-{}", operation.endpoint_name(), later + 1),
            };
            grouped.entry((rest.path, rest.method)).or_default().push(Route {
                operation,
                rest,
                operation_id,
                request: Shape::of(&request_schema, generator),
                reply: (!is_empty_reply(&reply_schema)).then(|| reply_schema.clone()),
                reply_shape: Shape::of(&reply_schema, generator),
                answer: Answer::of_schema(&reply_schema, generator),
                location: location_of(operation, operations.iter().copied()),
            });
        }
    }
    grouped
}
