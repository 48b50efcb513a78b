//! The generated documents, and an API browser that the binary itself holds.

use crate::representation::etag;
use crate::respond::PUBLIC;
use axum::Router;
use axum::response::{IntoResponse, Redirect};
use axum::routing::get;
use http::{HeaderMap, StatusCode, header};
use serde_json::Value;
use subjects::{asyncapi, openapi};
use utoipa_swagger_ui::{Config, SwaggerUi};

const OPENAPI_PATH: &str = "/openapi.json";
const ASYNCAPI_PATH: &str = "/asyncapi.json";
const DOCS_PATH: &str = "/docs";

/// The routes of the documents.
pub fn router() -> Router {
    let config = Config::from(OPENAPI_PATH)
        // Without this, the page asks a validator on the internet about the document.
        .validator_url("none")
        .persist_authorization(true)
        .display_request_duration(true)
        .try_it_out_enabled(true);
    // The browser answers a bare `/docs` with a redirect to `/docs/`; so does `/api/docs` here.
    let to_docs = get(|| async { Redirect::permanent("/docs/") });
    Router::new()
        .route(OPENAPI_PATH, fixed(openapi::document()))
        .route(ASYNCAPI_PATH, fixed(asyncapi::document()))
        .route("/api/docs", to_docs)
        .merge(SwaggerUi::new(DOCS_PATH).config(config))
}

/// A document that is written once and then only handed out.
fn fixed(document: Value) -> axum::routing::MethodRouter {
    let text = bytes::Bytes::from(document.to_string());
    let tag = etag::of_bytes(&text);
    get(move |headers: HeaderMap| {
        let (text, tag) = (text.clone(), tag.clone());
        async move {
            let is_known = etag::is_known(&headers, &tag);
            let kept = [(header::CACHE_CONTROL, PUBLIC.as_bytes().to_vec()), (header::ETAG, tag.into_bytes())];
            match is_known {
                true => (StatusCode::NOT_MODIFIED, kept).into_response(),
                false => (kept, [(header::CONTENT_TYPE, "application/json")], text).into_response(),
            }
        }
    })
}
