//! What clients and players ask for: realm document, enrolment, licenses, ClearKey, keys of tokens.

use admit_license::KeyId;
use admit_protocol::Error as MessageError;
use admit_protocol::acquire::{LICENSES_PATH, MAX_CHALLENGE, RESPONSE_CONTENT_TYPE, SEALED_CHALLENGE_CONTENT_TYPE};
use admit_protocol::enrol::{ENROL_PATH, ENROLMENT_CONTENT_TYPE, MAX_ENROLMENT_REQUEST};
use admit_protocol::realm::{REALM_CONTENT_TYPE, REALM_PATH};
use admit_protocol::time::{TIME_CONTENT_TYPE, TIME_PATH};
use admit_time::Timestamp;
use axum::http::{Method, StatusCode};

use super::{Answer, Audience, Body, Endpoint, JSON, Operation, Token, of_bodies, of_the_database, schemas};
use crate::acquire::recover::NotRecovered;
use crate::policy::{Fault, PolicyRefusal};
use crate::refusal::{Limited, Refusal};
use crate::time::{self, NotSigned, RequestFault};
use crate::token::{TokenFault, jwks};
use crate::{CLEARKEY_PATH, acquire, clearkey, enrol, realm};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new(Audience::Players, Method::GET, REALM_PATH, realm::document, realm_document()),
        Endpoint::new(Audience::Players, Method::POST, LICENSES_PATH, acquire::acquire, licenses()),
        Endpoint::new(Audience::Players, Method::POST, CLEARKEY_PATH, clearkey::keys, clearkeys()),
        Endpoint::new(Audience::Players, Method::POST, TIME_PATH, time::http::time, signed_time()),
        Endpoint::new(Audience::Others, Method::POST, ENROL_PATH, enrol::enrol, enrolment()),
        Endpoint::new(Audience::Others, Method::GET, jwks::JWKS_PATH, jwks::keys, token_keys()),
    ]
}

fn realm_document() -> Operation {
    let document = Answer::ok("The realm document, signed by the trust root.", REALM_CONTENT_TYPE, schemas::bytes());
    let known = Answer {
        status: StatusCode::NOT_MODIFIED,
        what: "The document is still the one that `If-None-Match` names.",
        content: None,
        headers: &["ETag", "Cache-Control"],
    };
    Operation {
        id: "realmDocument",
        summary: "Where the services of this realm are, and their certificates",
        parameters: vec![schemas::header("If-None-Match", "Entity tags of documents that the client has.")],
        token: Token::None,
        body: None,
        answers: vec![Answer { headers: &["ETag", "Cache-Control"], ..document }, known],
        refusals: Vec::new(),
    }
}

fn licenses() -> Operation {
    let mut refusals = vec![
        MessageError::UnknownChallengeKey { recipient: admit_crypto::Digest::from_bytes([0; 32]) }.into(),
        Refusal::NoKeyIds,
        Refusal::UnknownClient,
        Refusal::ClientRevoked,
        Refusal::OtherToken,
        Refusal::ChallengeUsed,
        PolicyRefusal::Refused { reason: String::new(), address: None }.into(),
        PolicyRefusal::Asked { reason: String::new(), address: None }.into(),
        PolicyRefusal::NoClock.into(),
        PolicyRefusal::Failed(Fault::somewhere("")).into(),
    ];
    refusals.extend(of_messages());
    refusals.extend(of_entitlement());
    refusals.extend(of_recovery());
    Operation {
        id: "acquireLicenses",
        summary: "Licenses for a sealed challenge, new ones or those of before again; the same challenge gets the same licenses",
        parameters: Vec::new(),
        token: Token::Entitlement,
        body: Some(Body::new(SEALED_CHALLENGE_CONTENT_TYPE, schemas::bytes(), MAX_CHALLENGE)),
        answers: vec![Answer::ok("A signed response with the licenses.", RESPONSE_CONTENT_TYPE, schemas::bytes())],
        refusals,
    }
}

/// What is wrong with licenses that are asked for again.
fn of_recovery() -> Vec<Refusal> {
    let reasons = [
        NotRecovered::NoPlace { clients: 1, address: None },
        NotRecovered::Forbidden,
        NotRecovered::Counted,
        NotRecovered::NoClock,
        NotRecovered::Expired,
        NotRecovered::Unknown,
    ];
    reasons.map(Refusal::from).into()
}

fn clearkeys() -> Operation {
    let key_id = KeyId::from_bytes([0; 16]);
    let mut refusals = vec![
        Refusal::Json { reason: String::new() },
        Refusal::ClearKeyPersistent,
        Refusal::NotForClearKey { key_id },
        Refusal::Body,
        Refusal::BodyTooLong,
    ];
    refusals.extend(of_entitlement());
    let body = Body::new(JSON, schemas::reference("ClearKeyRequest"), clearkey::MAX_REQUEST);
    Operation {
        id: "clearKeys",
        summary: "Content keys of class `clearkey`, for browsers (W3C Encrypted Media Extensions, section 9.1)",
        parameters: Vec::new(),
        token: Token::Entitlement,
        // Players say anything or nothing.
        body: Some(Body { is_checked: false, ..body }),
        answers: vec![Answer::ok("The keys.", JSON, schemas::reference("ClearKeys"))],
        refusals,
    }
}

fn signed_time() -> Operation {
    let mut refusals = of_bodies();
    refusals.extend([
        Refusal::TimeRequest(RequestFault::Length),
        NotSigned::ErrorNotStated.into(),
        Refusal::RateLimited { of: Limited::OfAddress, retry_after_secs: 0 },
    ]);
    Operation {
        id: "signedTime",
        summary: "The time, signed: a Roughtime packet (RFC 10049) each way",
        parameters: Vec::new(),
        token: Token::None,
        body: Some(Body::new(TIME_CONTENT_TYPE, schemas::bytes(), time::http::MAX_REQUEST)),
        answers: vec![Answer::ok("A Roughtime response.", TIME_CONTENT_TYPE, schemas::bytes())],
        refusals,
    }
}

fn enrolment() -> Operation {
    let of = Limited::Enrolments;
    let mut refusals =
        vec![Refusal::NotDefaultComponent, Refusal::ClientRevoked, Refusal::RateLimited { of, retry_after_secs: 0 }];
    refusals.extend(of_messages());
    refusals.extend(of_the_database());
    Operation {
        id: "enrol",
        summary: "A certificate for a new client; the same two keys get the same one",
        parameters: Vec::new(),
        token: Token::None,
        body: Some(Body::new(ENROLMENT_CONTENT_TYPE, schemas::bytes(), MAX_ENROLMENT_REQUEST)),
        answers: vec![Answer::ok("The client's certificate.", enrol::ENROLMENT_RESPONSE_TYPE, schemas::bytes())],
        refusals,
    }
}

fn token_keys() -> Operation {
    let keys = Answer::ok("A JSON Web Key Set.", jwks::JWK_SET, schemas::reference("TokenKeys"));
    Operation {
        id: "tokenKeys",
        summary: "The public keys of this realm's entitlement tokens (RFC 7517)",
        parameters: Vec::new(),
        token: Token::None,
        body: None,
        answers: vec![Answer { headers: &["Cache-Control"], ..keys }],
        refusals: of_the_database(),
    }
}

/// What is wrong with signed messages.
fn of_messages() -> Vec<Refusal> {
    let message = "";
    let mut refusals = of_bodies();
    refusals.extend([
        MessageError::Malformed { message, position: 0 }.into(),
        MessageError::Trust { message, source: admit_trust::Error::EmptyChain }.into(),
        MessageError::OtherRealm { message, found: admit_crypto::Digest::from_bytes([0; 32]) }.into(),
    ]);
    refusals
}

/// What is wrong with keys that are asked for, and with the buyer's entitlement to them.
fn of_entitlement() -> Vec<Refusal> {
    let content_id = String::new();
    let mut refusals = of_the_database();
    refusals.extend([
        Refusal::UnknownKeyId { key_id: KeyId::from_bytes([0; 16]) },
        Refusal::Authorization,
        Refusal::TokenRequired { content_id: content_id.clone() },
        TokenFault::Expired { at: Timestamp::default() }.into(),
        Refusal::TokenUsedUp,
        Refusal::TokenNotForContent { content_id },
        Refusal::TokenBoundElsewhere,
        Refusal::RateLimited { of: Limited::OfAddress, retry_after_secs: 0 },
    ]);
    refusals
}
