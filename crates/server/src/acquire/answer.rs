//! Last step: the signed response around the recorded licenses, with the time where the client asked for it (row E06).

use admit_protocol::acquire::{LicenseResponse, RESPONSE_CONTENT_TYPE, StorePosition};
use admit_time::Timestamp;
use admit_trust::ClockKind;
use axum::response::Response;

use super::parse::AcquireRequest;
use crate::{Server, http};

pub(super) async fn answer(
    server: &Server,
    request: &AcquireRequest,
    licenses: Vec<Vec<u8>>,
    store_seen: Option<StorePosition>,
    now: Timestamp,
) -> Response {
    let response = LicenseResponse {
        challenge_hash: request.opened.hash(),
        client_hash: request.client,
        licenses: licenses.into_iter().map(Into::into).collect(),
        revocation: None,
        time: time(server, request, now).await.map(Into::into),
        store_seen,
    };
    let signer = &server.home.keys().license;
    let bytes = response.sign(&signer.key, std::slice::from_ref(&signer.certificate));
    http::message(RESPONSE_CONTENT_TYPE, bytes)
}

/// The time, signed for this challenge alone. Where it is not signed, licenses are worth having without it.
async fn time(server: &Server, request: &AcquireRequest, now: Timestamp) -> Option<Vec<u8>> {
    let has_clock = request.opened.properties().clock != ClockKind::None;
    if !request.opened.challenge().time_requested || !has_clock {
        return None;
    }
    let answer = server.time.answer_challenge(request.opened.hash().as_bytes(), now).await?;
    server.metrics.time.answers.inc();
    Some(answer)
}
