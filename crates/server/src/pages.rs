//! Pages for people: what a license will allow before it is taken (the license page, `LUI_URL` of content headers), what
//! is stored of them, and whether the service works. They have no scripts, and no page changes anything.

mod offer;

use admit_license::KeyId;
use admit_time::Timestamp;
use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use self::offer::Offered;
use crate::content::KeyClass;
use crate::health::Readiness;
use crate::http::Peer;
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
    offered: Offered,
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
    let Query(asked) = asked?;
    let operator = server.home.name();
    let content = match asked.kid.and_then(|kid| kid.parse().ok()) {
        Some(key_id) => server.home.content(key_id).await?,
        None => None,
    };
    let Some(content) = content else {
        return page(StatusCode::NOT_FOUND, &MissingPage { operator });
    };
    let license = LicensePage {
        operator,
        key_id: content.key_id,
        clearkey: content.class == KeyClass::ClearKey,
        open: content.open,
        offered: offer::offered(&server, &content, server.clock.now()),
        title: content.title,
    };
    page(StatusCode::OK, &license)
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
const CONTENT_SECURITY_POLICY: &str =
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
