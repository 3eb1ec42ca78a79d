//! What people look at: the pages.

use axum::http::{Method, StatusCode};

use super::{Answer, Audience, Body, Endpoint, Operation, Token, of_bodies, of_the_database, schemas};
use crate::pages::{self, CSS, FORM, HTML, MAX_FORM};
use crate::refusal::{Limited, Refusal};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new(Audience::Others, Method::GET, "/license", pages::license, license()),
        Endpoint::new(Audience::Others, Method::POST, "/license", pages::license_for_token, license_for_token()),
        Endpoint::new(Audience::Others, Method::GET, "/privacy", pages::privacy, privacy()),
        Endpoint::new(Audience::Others, Method::GET, "/status", pages::status, status()),
        Endpoint::new(Audience::Others, Method::GET, "/pages.css", pages::style, style()),
    ]
}

fn license() -> Operation {
    let mut refusals = of_the_database();
    refusals.push(Refusal::Address { reason: String::new() });
    refusals.push(Refusal::RateLimited { of: Limited::OfAddress, retry_after_secs: 0 });
    let missing = "There is no such content: the key id is unknown, missing or none.";
    Operation {
        parameters: vec![schemas::query("kid", "The key id of the content.", schemas::reference("KeyId"))],
        answers: vec![page(StatusCode::OK, "The page."), page(StatusCode::NOT_FOUND, missing)],
        refusals,
        ..plain("licensePage", "A page: what a license will allow for some content, before it is taken")
    }
}

fn license_for_token() -> Operation {
    let Operation { mut refusals, parameters, answers, .. } = license();
    refusals.extend(of_bodies());
    refusals.push(Refusal::Form);
    let form = Body::new(FORM, schemas::pasted_token(), MAX_FORM);
    let summary =
        "A page: what a license will allow with a buyer's token, or why that does not hold; nothing is issued or kept";
    Operation { parameters, answers, refusals, body: Some(form), ..plain("licensePageForToken", summary) }
}

fn privacy() -> Operation {
    Operation {
        answers: vec![page(StatusCode::OK, "The page.")],
        ..plain("privacyPage", "A page: what is stored of whom, and for how long")
    }
}

fn status() -> Operation {
    let not_working = page(StatusCode::SERVICE_UNAVAILABLE, "The service does not work, and the page says why.");
    Operation {
        answers: vec![page(StatusCode::OK, "The service works."), not_working],
        ..plain("statusPage", "A page: whether the service works")
    }
}

fn style() -> Operation {
    let sheet = Answer::ok("The style sheet.", CSS, schemas::text());
    Operation {
        answers: vec![Answer { headers: &["Cache-Control"], ..sheet }],
        refusals: Vec::new(),
        ..plain("styleSheet", "The style sheet of the pages")
    }
}

/// A page, which the server may fail to write.
fn plain(id: &'static str, summary: &'static str) -> Operation {
    let refusals = vec![crate::Error::Page { reason: String::new() }.into()];
    Operation { id, summary, parameters: Vec::new(), token: Token::None, body: None, answers: Vec::new(), refusals }
}

fn page(status: StatusCode, what: &'static str) -> Answer {
    Answer { status, what, content: Some((HTML, schemas::text())), headers: &["Content-Security-Policy"] }
}
