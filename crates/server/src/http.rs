//! What endpoints have in common over HTTP: where requests come from, their tokens, and answers that caches do not keep.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::body::Body;
use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;

use crate::refusal::Refusal;

/// Says that caches do not keep an answer, unless it says otherwise itself, and that nobody guesses its type.
pub(crate) fn not_kept(headers: &mut HeaderMap) {
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
}

/// A message as an answer.
pub(crate) fn message(content_type: &'static str, bytes: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(bytes));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
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
pub(crate) struct Peer(pub(crate) IpAddr);

impl Peer {
    pub(crate) fn of(parts: &Parts) -> Self {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        Self(peer.map_or(Ipv4Addr::UNSPECIFIED.into(), |ConnectInfo(address)| address.ip()))
    }
}

impl<S: Sync> FromRequestParts<S> for Peer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(parts))
    }
}

/// Tokens are a few hundred characters; what is verified once is remembered, so it must not be large.
pub(crate) const LONGEST_AUTHORIZATION: usize = 8 * 1024;
