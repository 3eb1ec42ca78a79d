//! `POST /v1/time`: a Roughtime packet each way (row E05). Plain HTTP is as good as TLS for it: the answer is signed, and
//! says for which question it is.

use admit_protocol::time::TIME_CONTENT_TYPE;
use axum::extract::State;
use axum::response::Response;

use super::TimeRequest;
use crate::guard::Whole;
use crate::http::Peer;
use crate::refusal::Refusal;
use crate::{Server, http};

/// The endpoint.
pub(crate) async fn time(
    State(server): State<Server>,
    Peer(address): Peer,
    Whole(body): Whole,
) -> Result<Response, Refusal> {
    let now = server.clock.now();
    server.limits.take_address(address, now)?;
    let request = TimeRequest::read(server.home.provider(), &server.home.keys().time, &body).map_err(|fault| {
        server.metrics.time.dropped(fault.label());
        Refusal::TimeRequest(fault)
    })?;
    let answer = server.time.answer(request, now).await?;
    server.metrics.time.answers.inc();
    Ok(http::message(TIME_CONTENT_TYPE, answer))
}

/// The longest body.
pub(crate) const MAX_REQUEST: usize = super::request::LONGEST;
