//! What every answer tells browsers to leave alone.

use axum::extract::State;
use axum::response::Response;
use http::{HeaderValue, header};

/// HTML is only the API browser, which needs its own scripts and styles; nothing else has any business in a page.
const FOR_PAGES: HeaderValue = HeaderValue::from_static("frame-ancestors 'none'");
const FOR_DATA: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
const A_YEAR: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Which of them.
#[derive(Debug, Clone, Copy)]
pub struct SecurityHeaders {
    hsts: bool,
}

impl SecurityHeaders {
    /// `hsts`: clients come by HTTPS alone, which is somebody else's work in front of the edge.
    pub fn new(hsts: bool) -> SecurityHeaders {
        SecurityHeaders { hsts }
    }
}

/// Adds them to an answer.
pub async fn add(State(which): State<SecurityHeaders>, mut response: Response) -> Response {
    let headers = response.headers_mut();
    let is_page =
        headers.get(header::CONTENT_TYPE).is_some_and(|media_type| media_type.as_bytes().starts_with(b"text/html"));
    headers.insert(header::CONTENT_SECURITY_POLICY, if is_page { FOR_PAGES } else { FOR_DATA });
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if which.hsts {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, A_YEAR);
    }
    response
}
