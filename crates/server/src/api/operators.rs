//! What operators' programs ask for: signed headers and the registration of keys.

use admit_license::KeyId;
use admit_protocol::package::{HEADERS_PATH, KEYS_PATH, MAX_PACKAGE_MESSAGE};
use axum::http::{Method, StatusCode};

use super::{Answer, Audience, Body, Endpoint, JSON, Operation, Token, of_bodies, of_the_database, schemas};
use crate::operator::OperatorTokenFault;
use crate::refusal::{Limited, Refusal};
use crate::{Error, package};

pub(super) fn endpoints() -> Vec<Endpoint> {
    let key = format!("{KEYS_PATH}/{{key_id}}");
    vec![
        Endpoint::new(Audience::Others, Method::POST, HEADERS_PATH, package::header, header()),
        Endpoint::new(Audience::Others, Method::PUT, key, package::register, registration()),
    ]
}

fn header() -> Operation {
    Operation {
        id: "signHeader",
        summary: "A signed content header; nothing is kept",
        parameters: Vec::new(),
        token: Token::Operator,
        body: Some(Body::new(JSON, schemas::reference("HeaderRequest"), MAX_PACKAGE_MESSAGE)),
        answers: vec![Answer::ok("The header.", JSON, schemas::reference("SignedHeader"))],
        refusals: of_operators(),
    }
}

fn registration() -> Operation {
    let mut refusals = of_operators();
    refusals.extend([
        Refusal::Address { reason: String::new() },
        Error::KeyExists { key_id: KeyId::from_bytes([0; 16]) }.into(),
        Error::ClearKeyMinimum.into(),
    ]);
    let what = "The key is registered. The same registration again changes nothing.";
    Operation {
        id: "registerKey",
        summary: "Registers a content key under its key id",
        parameters: vec![schemas::path("key_id", "The key id, a UUID.", schemas::reference("KeyId"))],
        token: Token::Operator,
        body: Some(Body::new(JSON, schemas::reference("KeyRegistration"), MAX_PACKAGE_MESSAGE)),
        answers: vec![Answer { status: StatusCode::NO_CONTENT, what, content: None, headers: &[] }],
        refusals,
    }
}

fn of_operators() -> Vec<Refusal> {
    let mut refusals = of_bodies();
    refusals.extend(of_the_database());
    refusals.extend([
        Error::LicensePage.into(),
        OperatorTokenFault::Missing.into(),
        Refusal::RateLimited { of: Limited::OfAddress, retry_after_secs: 0 },
        Refusal::Json { reason: String::new() },
    ]);
    refusals
}
