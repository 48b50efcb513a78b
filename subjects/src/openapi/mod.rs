//! The OpenAPI 3.1 document of the REST face, generated from the contract.

mod answers;
mod body;
mod closed;
mod content;
mod headers;
mod links;
mod location;
mod operation;
mod parameters;
mod places;
pub mod problem;
mod responses;
mod route;
mod system;

pub use answers::{Answer, Fields, answers_generator};
pub use links::{LinkRule, links};
pub use location::location_of;
pub use places::{MIRRORS, Mirror, PREFIXES, takes_version};

use crate::catalogue;
use crate::documents::{self, entity};
use crate::operation::Operation;
use content::Sources;
use route::{Routes, routes};
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What every version of the document says about itself.
const DESCRIPTION: &str = "The REST face of PetPro, a marketplace for pet care. Every route below `/api/v1` \
answers below `/api` and without a prefix too, and what begins with `/bookings` also as `/appointments`, which is \
deprecated.\n\n\
Bodies are JSON, and with `Accept: application/hal+json` have links to what can be done next. Errors are problem \
documents (RFC 9457) with a stable `code` and `reason`; bad input names every violation at once: fields and parameters \
that are not known, given twice or missing, and a body where the method takes none.\n\n\
Every read has an `ETag`, and is answered with 304 where `If-None-Match` names it. Changes of a versioned entity need \
its version in `If-Match`, which is refused where nothing could be compared with it. `fields` chooses from what a read \
answers. A POST that takes an `Idempotency-Key` can be repeated safely with the same key. `HEAD` is answered wherever \
`GET` is, and `OPTIONS` tells the methods of a path.";

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

    let links_by_schema = links(operations.iter().copied());
    let definitions = generator.definitions().clone();
    let sources = Sources { definitions: &definitions, links: &links_by_schema };
    schemas.insert("HalLink".to_owned(), content::link_schema());

    let mut paths: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    let mut tags: BTreeMap<&str, &str> = BTreeMap::new();
    for ((path, method), sharing) in &grouped {
        let described = operation::operation(sharing, &sources, &mut schemas);
        for mirrored in MIRRORS.iter().filter_map(|mirror| mirror.of(path)) {
            let deprecated = operation::deprecated(&described, path);
            paths.entry(mirrored).or_default().insert(method.as_str().to_lowercase(), deprecated);
        }
        let item = paths.entry((*path).to_owned()).or_default();
        item.insert(method.as_str().to_lowercase(), described);
        for route in sharing {
            tags.insert(entity(route.operation), route.operation.service);
            if !route.rest.versioned {
                item.insert("servers".to_owned(), json!([{ "url": "/" }]));
            }
        }
    }
    for (path, item) in system::paths() {
        paths.insert(path.to_owned(), item.as_object().cloned().unwrap_or_default());
    }
    for (name, schema) in generator.definitions() {
        schemas.entry(name.clone()).or_insert_with(|| schema.clone());
    }

    let tags: Vec<Value> = tags
        .into_iter()
        .map(|(name, service)| json!({ "name": name, "description": format!("Answered by the {service} service.") }))
        .chain([json!({ "name": system::TAG, "description": "Answered by the edge itself." })])
        .collect();
    let servers: Vec<Value> =
        PREFIXES.iter().map(|prefix| json!({ "url": if prefix.is_empty() { "/" } else { prefix } })).collect();
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "PetPro",
            "version": "1.0.0",
            "description": DESCRIPTION,
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": servers,
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": problem::responses(operations.iter().copied()),
            "examples": problem::examples(operations.iter().copied()),
            "headers": headers::components(),
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
    closed::close_request_bodies(&mut document);
    documents::drop_unused_schemas(&mut document);
    documents::sorted(document)
}
