//! What answers at an older path say: since when it is deprecated (RFC 9745), and which path is meant.

use crate::routes::Mount;
use axum::response::Response;
use http::{HeaderName, HeaderValue, Uri, header};
use subjects::openapi::PREFIXES;

const DEPRECATION: HeaderName = HeaderName::from_static("deprecation");
/// Where people read about it.
const ABOUT: HeaderValue = HeaderValue::from_static("</docs/>; rel=\"deprecation\"; type=\"text/html\"");

/// Adds what a mirrored path has to say, to refusals too.
pub fn tell(mount: &Mount, uri: &Uri, response: &mut Response) {
    let Some(mirror) = mount.mirror else { return };
    let headers = response.headers_mut();
    if let Ok(since) = HeaderValue::from_str(&format!("@{}", mirror.since)) {
        headers.insert(DEPRECATION, since);
    }
    if let Some(canonical) = canonical(mount, uri)
        && let Ok(link) = HeaderValue::from_str(&format!("<{canonical}>; rel=\"canonical\""))
    {
        headers.append(header::LINK, link);
    }
    headers.append(header::LINK, ABOUT);
}

/// The path and query that are meant: below the first of the prefixes, whichever was used.
fn canonical(mount: &Mount, uri: &Uri) -> Option<String> {
    let below_prefix = uri.path().strip_prefix(mount.prefix)?;
    let original = mount.mirror?.original_of(below_prefix)?;
    let prefix = PREFIXES.first()?;
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    Some(format!("{prefix}{original}{query}"))
}
