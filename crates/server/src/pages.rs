//! Pages for people: what a license will allow before it is taken (the license page, `LUI_URL` of content headers), what
//! is stored of them, and whether the service works. They have no scripts, and no page changes anything.

mod offer;
mod token;

use admit_license::KeyId;
use admit_time::Timestamp;
use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use self::offer::Offered;
pub(crate) use self::token::{FORM, MAX_FORM};
use self::token::{Looked, Pasted};
use crate::content::KeyClass;
use crate::health::Readiness;
use crate::http::{LONGEST_AUTHORIZATION, Peer};
use crate::refusal::Refusal;
use crate::{Error, Server};

/// The query of the license page.
#[derive(Deserialize)]
pub(crate) struct Asked {
    kid: Option<String>,
}

#[derive(Template)]
#[template(path = "license.html")]
struct LicensePage<'a> {
    operator: &'a str,
    title: Option<String>,
    key_id: KeyId,
    clearkey: bool,
    open: bool,
    /// What is said of the token that was pasted.
    token: TokenSaid,
    offered: Offered,
    longest_token: usize,
}

/// What the license page says of a token.
enum TokenSaid {
    /// None was pasted.
    Nothing,
    /// It opens the content; a sentence each.
    Opens(Vec<String>),
    /// It does not, and why.
    DoesNot(String),
}

#[derive(Template)]
#[template(path = "missing.html")]
struct MissingPage<'a> {
    operator: &'a str,
}

#[derive(Template)]
#[template(path = "privacy.html")]
struct PrivacyPage<'a> {
    operator: &'a str,
}

#[derive(Template)]
#[template(path = "status.html")]
struct StatusPage<'a> {
    operator: &'a str,
    state: Readiness,
    now: Timestamp,
    ends: Timestamp,
    realm: String,
}

/// `GET /license`. A key id that is none names no content, as far as people are concerned.
pub(crate) async fn license(
    State(server): State<Server>,
    Peer(address): Peer,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Refusal> {
    server.limits.take_address(address, server.clock.now())?;
    license_page(&server, asked?.0, None).await
}

/// `POST /license`: the same page, for a token that was pasted. It is in the body, where no log and no history keeps it.
pub(crate) async fn license_for_token(
    State(server): State<Server>,
    Peer(address): Peer,
    asked: Result<Query<Asked>, QueryRejection>,
    pasted: Pasted,
) -> Result<Response, Refusal> {
    server.limits.take_address(address, server.clock.now())?;
    license_page(&server, asked?.0, Some(&pasted)).await
}

async fn license_page(server: &Server, asked: Asked, pasted: Option<&Pasted>) -> Result<Response, Refusal> {
    let (operator, now) = (server.home.name(), server.clock.now());
    let content = match asked.kid.and_then(|kid| kid.parse().ok()) {
        Some(key_id) => server.home.content(key_id).await?,
        None => None,
    };
    let Some(content) = content else {
        return page(StatusCode::NOT_FOUND, &MissingPage { operator });
    };
    // Where none is needed there is no form, and what is sent all the same is not looked at.
    let needs_token = content.class == KeyClass::Licensed && !content.open;
    let (claims, token) = match pasted.filter(|_| needs_token) {
        None => (None, TokenSaid::Nothing),
        Some(pasted) => match token::look(server, &content, pasted, now).await? {
            Looked::Opens { claims, sentences } => (Some(*claims), TokenSaid::Opens(sentences)),
            Looked::DoesNot(why) => (None, TokenSaid::DoesNot(why)),
        },
    };
    let license = LicensePage {
        operator,
        key_id: content.key_id,
        clearkey: content.class == KeyClass::ClearKey,
        open: content.open,
        token,
        offered: offer::offered(server, &content, claims, now),
        title: content.title,
        longest_token: LONGEST_AUTHORIZATION,
    };
    let mut page = page(StatusCode::OK, &license)?;
    page.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(FOR_A_FORM));
    Ok(page)
}

/// `GET /privacy`.
pub(crate) async fn privacy(State(server): State<Server>) -> Result<Response, Refusal> {
    page(StatusCode::OK, &PrivacyPage { operator: server.home.name() })
}

/// `GET /status`: what `/ready` says, for people.
pub(crate) async fn status(State(server): State<Server>) -> Result<Response, Refusal> {
    let state = Readiness::of(&server).await;
    let (home, now, code) = (&server.home, server.clock.now(), state.http_status());
    let (ends, realm) = (home.services_end_at(), home.realm().to_string());
    page(code, &StatusPage { operator: home.name(), state, now, ends, realm })
}

/// `GET /pages.css`.
pub(crate) async fn style() -> impl IntoResponse {
    let headers = [(header::CONTENT_TYPE, CSS), (header::CACHE_CONTROL, "public, max-age=3600")];
    (headers, include_str!("../templates/pages.css"))
}

fn page(status: StatusCode, template: &impl Template) -> Result<Response, Refusal> {
    let text = template.render().map_err(|error| Error::Page { reason: error.to_string() })?;
    let headers = [
        (header::CONTENT_TYPE, HTML),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    Ok((status, headers, text).into_response())
}

pub(crate) const HTML: &str = "text/html; charset=utf-8";
pub(crate) const CSS: &str = "text/css; charset=utf-8";
/// Of the one page with a form, which goes to this server alone.
const FOR_A_FORM: &str =
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
const CONTENT_SECURITY_POLICY: &str =
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
