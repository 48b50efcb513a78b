//! The form in which an answer is given: JSON, JSON with links (HAL), or the text of a route that has one.

pub mod accept;
pub mod etag;

use crate::routes::Route;
use crate::sse::EVENT_STREAM;
use http::{HeaderMap, header};
use subjects::openapi::problem::PROBLEM_JSON;
use subjects::{ErrorCode, Fault, Kind};

const JSON: &str = "application/json";
const HAL_JSON: &str = "application/hal+json";

/// One of the forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Representation {
    /// The service's reply as it is.
    Json,
    /// The same with links.
    Hal,
    /// The text in the reply, in this media type.
    Text(&'static str),
}

impl Representation {
    /// The form that the client likes best. Asked before anything is done: what was changed could not be told.
    ///
    /// # Errors
    /// `not_acceptable` when it likes none of those that the route has.
    pub fn negotiate(route: &Route, headers: &HeaderMap) -> Result<Representation, Fault> {
        let text = route.rest.text.or((route.operation.kind == Kind::Stream).then_some(EVENT_STREAM));
        let offers: &[(&str, Representation)] = match text {
            // Whoever takes only problems takes an answer without one as plain JSON.
            None => {
                &[(JSON, Representation::Json), (HAL_JSON, Representation::Hal), (PROBLEM_JSON, Representation::Json)]
            }
            Some(media_type) => &[(media_type, Representation::Text(media_type))],
        };
        let accepted: Option<Vec<&str>> =
            headers.get_all(header::ACCEPT).iter().map(|value| value.to_str().ok()).collect();
        let types: Vec<&str> = offers.iter().map(|(media_type, _)| *media_type).collect();
        let best = accept::best(accepted.unwrap_or_default().join(",").as_str(), &types);
        best.and_then(|index| offers.get(index)).map(|(_, representation)| *representation).ok_or_else(|| {
            let known: Vec<&str> = types.into_iter().filter(|media_type| *media_type != PROBLEM_JSON).collect();
            Fault::new(ErrorCode::NotAcceptable, format!("this is answered as {} only", known.join(" or ")))
        })
    }

    /// Its media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Representation::Json => JSON,
            Representation::Hal => HAL_JSON,
            Representation::Text(media_type) => media_type,
        }
    }
}
