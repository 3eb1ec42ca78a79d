//! `GET /.well-known/admit`: the realm document, as the trust root signed it.

use admit_protocol::realm::REALM_CONTENT_TYPE;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::{Server, http};

/// The document, or 304 to a client that has it.
pub(crate) async fn document(State(server): State<Server>, headers: HeaderMap) -> Response {
    let keys = server.home.keys();
    let document = &keys.document;
    let hash = (server.home.provider().sha256)(&[document]);
    let tag = format!("\"{hash}\"");
    let known = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let caching = [(header::ETAG, tag.clone()), (header::CACHE_CONTROL, CACHE.to_owned())];
    if known.flat_map(|tags| tags.split(',')).any(|known| matches!(known.trim(), "*") || known.trim() == tag) {
        return (StatusCode::NOT_MODIFIED, caching).into_response();
    }
    (caching, http::message(REALM_CONTENT_TYPE, document.to_vec())).into_response()
}

/// Service certificates change long before they end, so five minutes late is early enough.
const CACHE: &str = "public, max-age=300";
