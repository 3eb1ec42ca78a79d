//! Pages for people: what a license will allow before it is taken (the license page, `LUI_URL` of content headers), what
//! is stored of them, and whether the service works. They have no scripts, and no page changes anything.

use admit_license::{KeyId, Rights};
use admit_time::Timestamp;
use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{Extensions, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use crate::content::KeyClass;
use crate::health::Readiness;
use crate::refusal::Refusal;
use crate::{Error, Server, http};

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
    rights: Option<Vec<&'static str>>,
    version: Option<String>,
    level: Option<u32>,
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
    extensions: Extensions,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Refusal> {
    server.limits.take_address(http::peer_address(&extensions), server.clock.now())?;
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
        title: content.title,
        key_id: content.key_id,
        clearkey: content.class == KeyClass::ClearKey,
        open: content.open,
        rights: server.policy.rights_for_everybody().map(in_words),
        version: content.minimum_individualized_version.map(|version| version.to_string()),
        level: content.minimum_application_level,
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

/// What the rights let a buyer do, a sentence each.
fn in_words(rights: Rights) -> Vec<&'static str> {
    WORDS.iter().filter(|(right, _)| rights.contains(*right)).map(|(_, words)| *words).collect()
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

/// Every right there is, as the page says it.
const WORDS: [(Rights, &str); 9] = [
    (Rights::PLAY, "Play it."),
    (
        Rights::TRANSFER_TO_NON_SDMI,
        "Copy it to a portable player that does not keep to SDMI, where your player can do that.",
    ),
    (Rights::NO_RECOVERY, "It cannot be recovered on another machine."),
    (Rights::BURN_TO_CD, "Burn it to an audio CD, where your player can do that."),
    (Rights::SDMI_VALIDATED, "Copy it to a portable player that keeps to SDMI, where your player can do that."),
    (Rights::ONE_TIME, "It is given once."),
    (Rights::SAVE_STREAM, "Save it while it is streamed, where your player can do that."),
    (Rights::PLAYLIST_BURN, "Burn it to an audio CD as part of a playlist, where your player can do that."),
    (Rights::BACKUP_RESTORE, "Back the license up and restore it, where your player can do that."),
];

pub(crate) const HTML: &str = "text/html; charset=utf-8";
pub(crate) const CSS: &str = "text/css; charset=utf-8";
const CONTENT_SECURITY_POLICY: &str =
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
