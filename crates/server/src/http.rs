//! What all endpoints have in common over HTTP: time limits, and answers that are not kept by caches.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{Extensions, HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

use crate::Server;
use crate::refusal::Refusal;

/// Reads the whole body, of at most so many bytes, before anything else begins: whoever sends slowly holds nothing but
/// a connection.
pub(crate) async fn with_whole_body(
    State((server, largest)): State<(Server, usize)>,
    request: Request,
    next: Next,
) -> Response {
    let (head, body) = request.into_parts();
    let whole = tokio::time::timeout(server.home.config().body_timeout, Limited::new(body, largest).collect()).await;
    let status = match whole {
        Ok(Ok(whole)) => return next.run(Request::from_parts(head, Body::from(whole.to_bytes()))).await,
        Ok(Err(error)) if error.is::<LengthLimitError>() => StatusCode::PAYLOAD_TOO_LARGE,
        Ok(Err(_)) => StatusCode::BAD_REQUEST,
        Err(_) => StatusCode::REQUEST_TIMEOUT,
    };
    not_kept(Refusal::Body { status }.into_response())
}

/// Gives up on a request that takes too long. What it had begun in the database is undone.
pub(crate) async fn in_time(State(server): State<Server>, request: Request, next: Next) -> Response {
    let limit = server.home.config().request_timeout;
    let answer = tokio::time::timeout(limit, next.run(request)).await;
    not_kept(answer.unwrap_or_else(|_| Refusal::Timeout.into_response()))
}

/// An answer that caches do not keep, unless it says so itself, and whose type is not guessed.
fn not_kept(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// Takes no more requests than the limit says. Whoever is turned away knows at once, and has cost nothing.
pub(crate) async fn within_limit(State(server): State<Server>, request: Request, next: Next) -> Response {
    match server.places.try_acquire() {
        Ok(_place) => next.run(request).await,
        Err(_) => Refusal::Busy.into_response(),
    }
}

/// A message as an answer.
pub(crate) fn message(content_type: &'static str, bytes: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, content_type)], bytes).into_response()
}

/// The token of `Authorization: Bearer` (RFC 6750 section 2.1).
pub(crate) fn bearer_token(headers: &HeaderMap) -> Result<Option<&str>, Refusal> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let text = value.to_str().map_err(|_| Refusal::Authorization)?;
    let (scheme, token) = text.split_once(' ').ok_or(Refusal::Authorization)?;
    if text.len() > LONGEST_AUTHORIZATION {
        return Err(Refusal::Authorization);
    }
    let one_token = scheme.eq_ignore_ascii_case("bearer") && !token.trim().is_empty() && values.next().is_none();
    if one_token { Ok(Some(token.trim())) } else { Err(Refusal::Authorization) }
}

/// Where the connection comes from. Behind a proxy that is the proxy: the header it may set is anybody's word.
pub(crate) fn peer_address(extensions: &Extensions) -> IpAddr {
    let peer = extensions.get::<ConnectInfo<SocketAddr>>();
    peer.map_or(Ipv4Addr::UNSPECIFIED.into(), |ConnectInfo(address)| address.ip())
}

/// Tokens are a few hundred characters; what is verified once is remembered, so it must not be large.
const LONGEST_AUTHORIZATION: usize = 8 * 1024;
