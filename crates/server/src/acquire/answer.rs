//! Last step: the signed response around the recorded licenses.

use admit_protocol::acquire::{LicenseResponse, RESPONSE_CONTENT_TYPE};
use axum::response::Response;

use super::parse::AcquireRequest;
use crate::home::Home;
use crate::http;

pub(super) fn answer(home: &Home, request: &AcquireRequest, licenses: Vec<Vec<u8>>) -> Response {
    let response = LicenseResponse {
        challenge_hash: request.opened.hash(),
        client_hash: request.client,
        licenses: licenses.into_iter().map(Into::into).collect(),
        revocation: None,
        time: None,
    };
    let signer = &home.keys().license;
    let bytes = response.sign(&signer.key, std::slice::from_ref(&signer.certificate));
    http::message(RESPONSE_CONTENT_TYPE, bytes)
}
