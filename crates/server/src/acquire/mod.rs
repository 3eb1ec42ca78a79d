//! `POST /v1/licenses`: license acquisition (rows B01 to B06). Parse, decide, write, answer: a file each.
//!
//! What leaves has been recorded: licenses, their audit entry and what a retry needs are one transaction, and it is
//! on the disk before the answer is sent.

mod answer;
mod decide;
pub(crate) mod limits;
pub(crate) mod lookup;
mod parse;
pub(crate) mod record;
mod write;

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{Extensions, HeaderMap};
use axum::response::Response;

use admit_protocol::acquire::token_hash;
use admit_time::Timestamp;

use self::parse::AcquireRequest;
use crate::refusal::Refusal;
use crate::{Server, http};

/// The endpoint.
pub(crate) async fn acquire(
    State(server): State<Server>,
    extensions: Extensions,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refusal> {
    let now = server.clock.now();
    server.limits.take_address(http::peer_address(&extensions), now)?;
    let request = parse::parse_with_newest(&server.home, &headers, &body?, now).await?;
    take(&server, &request, now)?;
    let (request, found) = decide::check_client(&server, request).await?;
    if let Some(issued) = found.earlier {
        server.metrics.repeats.inc();
        return Ok(answer::answer(&server.home, &request, write::repeat(issued, now)?));
    }
    let decision = decide::decide(&server, &request, found.contents, now).await?;
    let licenses = write::write(&server, &request, decision, now).await?;
    Ok(answer::answer(&server.home, &request, licenses))
}

/// The limits of the client and its token.
fn take(server: &Server, request: &AcquireRequest, now: Timestamp) -> Result<(), Refusal> {
    let provider = server.home.provider();
    server.limits.take_client(request.opened.client().fingerprint(provider), now)?;
    let token = request.token.as_ref().map(|token| token_hash(provider, token));
    token.map_or(Ok(()), |token| server.limits.take_token(token, now))
}
