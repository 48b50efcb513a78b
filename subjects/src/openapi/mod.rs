//! The OpenAPI 3.1 document of the REST face, generated from the contract.

mod body;
mod location;
mod operation;
mod parameters;
pub mod problem;
mod responses;
mod route;

pub use location::location_of;

use crate::catalogue;
use crate::documents::{self, entity};
use crate::operation::Operation;
use route::{Routes, routes};
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What every version of the document says about itself.
const DESCRIPTION: &str = "The REST face of PetPro, a marketplace for pet care. Every route below `/api/v1` \
answers below `/api` and without a prefix too, and what begins with `/bookings` also as `/appointments`.\n\n\
Bodies are JSON. Errors are problem documents (RFC 9457) with a stable `code` and `reason`; bad input names every \
violation at once. Changes of a versioned entity need its version in `If-Match`. A POST that takes an \
`Idempotency-Key` can be repeated safely with the same key.";

/// The document of the whole contract.
pub fn document() -> Value {
    document_of(catalogue::operations())
}

/// The document of some operations; what has no REST route is left out.
pub fn document_of<'a>(operations: impl IntoIterator<Item = &'a Operation>) -> Value {
    let operations: Vec<&'a Operation> = operations.into_iter().collect();
    let mut generator = documents::generator(SchemaSettings::draft2020_12());
    let grouped: Routes<'a> = routes(&operations, &mut generator);
    let mut schemas: Map<String, Value> = problem::schemas(&mut generator);

    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    let mut tags: BTreeMap<&str, &str> = BTreeMap::new();
    for ((path, method), sharing) in &grouped {
        let item = paths.entry(path).or_default();
        item.insert(method.as_str().to_lowercase(), operation::operation(sharing, &mut schemas));
        for route in sharing {
            tags.insert(entity(route.operation), route.operation.service);
            if !route.rest.versioned {
                item.insert("servers".to_owned(), json!([{ "url": "/" }]));
            }
        }
    }
    for (name, schema) in generator.definitions() {
        schemas.entry(name.clone()).or_insert_with(|| schema.clone());
    }

    let tags: Vec<Value> = tags
        .into_iter()
        .map(|(name, service)| json!({ "name": name, "description": format!("Answered by the {service} service.") }))
        .collect();
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "PetPro",
            "version": "1.0.0",
            "description": DESCRIPTION,
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/api/v1" }],
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": problem::responses(),
            "examples": problem::examples(operations.iter().copied()),
            "headers": responses::header_components(),
            "parameters": parameters::components(),
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "An access token, as `POST /auth/login` answers it.",
                },
            },
        },
    });
    documents::drop_unused_schemas(&mut document);
    documents::sorted(document)
}
