//! One operation object: a path and a method.

use super::content::Sources;
use super::route::Route;
use super::{body, headers, parameters, responses};
use crate::access::Access;
use crate::documents::{access_sentence, entity, summary};
use crate::request::RouteCaller;
use serde_json::{Map, Value, json};

/// The operation object of all routes that share a path and a method.
pub(super) fn operation(sharing: &[Route<'_>], sources: &Sources<'_>, schemas: &mut Map<String, Value>) -> Value {
    let join = |part: fn(&Route<'_>) -> String, between: &str| {
        sharing.iter().map(part).filter(|text| !text.is_empty()).collect::<Vec<_>>().join(between)
    };
    let mut tags: Vec<&str> = sharing.iter().map(|route| entity(route.operation)).collect();
    tags.dedup();
    let subjects: Vec<&str> = sharing.iter().map(|route| route.operation.subject).collect();

    let mut object = Map::new();
    object.insert("operationId".to_owned(), json!(join(|route| route.operation_id.clone(), "-or-")));
    object.insert("summary".to_owned(), json!(join(|route| summary(&route.request.description), " / ")));
    object.insert("description".to_owned(), json!(join(description, "\n\n")));
    object.insert("tags".to_owned(), json!(tags));
    object.insert("x-petpro-subjects".to_owned(), json!(subjects));
    object.insert("security".to_owned(), security(sharing));
    object.insert("parameters".to_owned(), parameters::parameters(sharing, schemas));
    if let Some(request_body) = body::request_body(sharing, schemas) {
        object.insert("requestBody".to_owned(), request_body);
    }
    object.insert("responses".to_owned(), responses::responses(sharing, sources, schemas));
    Value::Object(object)
}

fn description(route: &Route<'_>) -> String {
    let caller = match route.rest.caller {
        RouteCaller::Any => "",
        RouteCaller::Anonymous => "Without an `Authorization` header: ",
        RouteCaller::SignedIn => "With an `Authorization` header: ",
    };
    let text = route.request.description.trim();
    format!("{caller}{text}\n\n{}", access_sentence(route.operation)).trim().to_owned()
}

/// Which tokens do: none for public routes, a bearer token otherwise, either where both kinds of caller are let in.
fn security(sharing: &[Route<'_>]) -> Value {
    let without_token = sharing.iter().any(|route| route.operation.access.is_public());
    let with_token = sharing.iter().any(|route| wants_token(route.operation.access));
    match (without_token, with_token) {
        (true, true) => json!([{}, { "bearer": [] }]),
        (true, false) => json!([]),
        (false, _) => json!([{ "bearer": [] }]),
    }
}

fn wants_token(access: Access) -> bool {
    access != Access::PUBLIC
}

/// The same operation at an older path that leads to it.
pub(super) fn deprecated(operation: &Value, canonical_path: &str) -> Value {
    let mut operation = operation.clone();
    if let Some(responses) = operation.get_mut("responses") {
        headers::deprecate(responses);
    }
    let id = operation.get("operationId").and_then(Value::as_str).map(|id| format!("{id}-deprecated"));
    if let Some(object) = operation.as_object_mut() {
        object.insert("deprecated".to_owned(), json!(true));
        object.insert("operationId".to_owned(), json!(id));
        object.insert("description".to_owned(), json!(format!("Use `{canonical_path}`, which does the same.")));
    }
    operation
}
