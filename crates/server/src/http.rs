//! What all endpoints have in common over HTTP: time limits, and answers that are not kept by caches.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{Extensions, HeaderMap, HeaderValue, header};
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
    let too_late = server.clock.sleep(server.home.config().body_timeout);
    let whole = tokio::select! {
        whole = Limited::new(body, largest).collect() => Some(whole),
        () = too_late => None,
    };
    let refusal = match whole {
        Some(Ok(whole)) => return next.run(Request::from_parts(head, Body::from(whole.to_bytes()))).await,
        Some(Err(error)) if error.is::<LengthLimitError>() => Refusal::BodyTooLong,
        Some(Err(_)) => Refusal::Body,
        None => Refusal::BodyTimeout,
    };
    refusal.into_response()
}

/// Gives up on a request that takes too long. What it had begun in the database is undone.
pub(crate) async fn in_time(State(server): State<Server>, request: Request, next: Next) -> Response {
    let limit = server.home.config().request_timeout;
    let answer = tokio::time::timeout(limit, next.run(request)).await;
    answer.unwrap_or_else(|_| Refusal::Timeout.into_response())
}

/// Answers that caches do not keep, unless they say so themselves, and whose type is not guessed.
pub(crate) async fn not_kept(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
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

/// What an address reads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expected {
    /// The one type; none where it is not asked for.
    pub(crate) content_type: Option<&'static str>,
    /// The most bytes.
    pub(crate) limit: usize,
}

/// Refuses a body of another type or length by its headers, before a byte of it is read. Whoever says nothing of the type
/// means the right one.
pub(crate) async fn read_as(State(expected): State<Expected>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if length.is_some_and(|length| length > expected.limit) {
        return Refusal::BodyTooLong.into_response();
    }
    let mut given = headers.get_all(header::CONTENT_TYPE).iter();
    match expected.content_type.filter(|expected| !given.all(|value| is_of_type(value, expected))) {
        Some(expected) => Refusal::ContentType { expected }.into_response(),
        None => next.run(request).await,
    }
}

/// Whether a Content-Type is this one, whatever its parameters.
fn is_of_type(value: &HeaderValue, expected: &str) -> bool {
    let essence = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case(expected)
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
