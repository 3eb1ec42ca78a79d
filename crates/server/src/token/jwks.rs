//! `GET /.well-known/jwks.json`: the public keys of this realm's tokens as a JSON Web Key Set (RFC 7517 section 5). Keys of
//! shops are theirs to publish, and secrets are nobody's.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::Server;
use crate::refusal::Refusal;

/// Where it is.
pub(crate) const JWKS_PATH: &str = "/.well-known/jwks.json";

/// The keys that still verify.
pub(crate) async fn keys(State(server): State<Server>) -> Result<Response, Refusal> {
    let now = server.clock.now();
    let keys = server.home.token_keys(now).await?;
    let keys: Vec<_> = keys.iter().filter(|key| key.verifies_at(now)).filter_map(|key| key.jwk()).collect();
    let headers = [(header::CONTENT_TYPE, JWK_SET), (header::CACHE_CONTROL, CACHE)];
    Ok((headers, json!({ "keys": keys }).to_string()).into_response())
}

pub(crate) const JWK_SET: &str = "application/jwk-set+json";
const CACHE: &str = "public, max-age=300";
