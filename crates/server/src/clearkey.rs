//! `POST /v1/clearkey`: content keys for browsers without a DRM component (W3C Encrypted Media Extensions, section 9.1,
//! Clear Key). The key is shown to the page, so only keys of class `clearkey` are given, and every giving is on the disk
//! before the answer leaves. `docs/formats/clearkey.md` says what is read and what is answered.

use std::sync::Arc;

use admit_crypto::ContentKey;
use admit_license::KeyId;
use admit_time::Timestamp;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::acquire::record::{Issue, TokenUse};
use crate::audit::{self, NewEntry};
use crate::content::KeyClass;
use crate::guard::Whole;
use crate::http::Peer;
use crate::refusal::Refusal;
use crate::store::content_key::ContentKeyRow;
use crate::token::Verified;
use crate::{Server, entitlement, http, package};

/// Where browsers ask.
pub const CLEARKEY_PATH: &str = "/v1/clearkey";
/// The longest request.
pub(crate) const MAX_REQUEST: usize = 16 * 1024;

/// The license request of EME section 9.1.3, as players send it.
#[derive(Deserialize)]
struct KeyRequest {
    kids: Vec<String>,
    #[serde(default, rename = "type")]
    session: Session,
}

/// What kind of session the keys are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Session {
    #[default]
    Temporary,
    PersistentLicense,
}

/// The license of EME section 9.1.4: a JSON Web Key Set (RFC 7517).
#[derive(Serialize)]
struct KeySet {
    keys: Vec<Jwk>,
    #[serde(rename = "type")]
    session: Session,
}

#[derive(Serialize)]
struct Jwk {
    kty: &'static str,
    kid: String,
    k: String,
}

/// The endpoint. What the request's Content-Type says is not asked: players say anything or nothing.
pub(crate) async fn keys(
    State(server): State<Server>,
    Peer(address): Peer,
    headers: HeaderMap,
    Whole(body): Whole,
) -> Result<Response, Refusal> {
    let now = server.clock.now();
    server.limits.take_address(address, now)?;
    let key_ids = read(&body)?;
    let token = http::bearer_token(&headers)?;
    let rows = shown(&key_ids, server.registered(&key_ids).await?)?;
    let contents = rows.iter().map(|row| &row.content);
    let token = entitlement::check(&server, token, None, contents, now).await?;
    // Only now are keys opened: nobody who is not entitled gets that far.
    let mut keys = Vec::with_capacity(rows.len());
    for row in &rows {
        keys.push(jwk(row.content.key_id, &server.open_content_key(row).await?));
    }
    let token_use = token.as_deref().and_then(|token| TokenUse::of(server.home.provider(), &token.claims));
    let issue =
        Issue { acquisition: None, store: None, token_use, recovery: None, entry: entry(&rows, token.as_deref(), now) };
    server.records.ask(issue).await?.or_refused()?;
    Ok(axum::Json(KeySet { keys, session: Session::Temporary }).into_response())
}

/// The key ids asked for, once each.
fn read(body: &[u8]) -> Result<Vec<KeyId>, Refusal> {
    let request: KeyRequest = package::read(body)?;
    if request.session == Session::PersistentLicense {
        return Err(Refusal::ClearKeyPersistent);
    }
    if request.kids.len() > admit_protocol::acquire::MAX_KEY_IDS {
        return Err(wrong(format!("more than {} key ids", admit_protocol::acquire::MAX_KEY_IDS)));
    }
    let mut key_ids = Vec::with_capacity(request.kids.len());
    for (index, kid) in request.kids.iter().enumerate() {
        let key_id = key_id(kid).ok_or_else(|| wrong(format!("kids[{index}] is not 16 bytes in base64url")))?;
        if !key_ids.contains(&key_id) {
            key_ids.push(key_id);
        }
    }
    if key_ids.is_empty() { Err(wrong("kids is empty".to_owned())) } else { Ok(key_ids) }
}

/// A key id in base64url, or in base64, which some players send; with padding or without.
fn key_id(text: &str) -> Option<KeyId> {
    let text = text.replace('+', "-").replace('/', "_");
    LENIENT.decode(text).ok().and_then(|bytes| KeyId::from_slice(&bytes))
}

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

fn wrong(reason: String) -> Refusal {
    Refusal::Json { reason }
}

/// What is registered for each key id, all of them for ClearKey. The keys stay sealed.
fn shown(key_ids: &[KeyId], contents: Vec<Option<Arc<ContentKeyRow>>>) -> Result<Vec<Arc<ContentKeyRow>>, Refusal> {
    let shown = |(row, &key_id): (Option<Arc<ContentKeyRow>>, &KeyId)| {
        let row = row.ok_or(Refusal::UnknownKeyId { key_id })?;
        if row.content.class == KeyClass::ClearKey { Ok(row) } else { Err(Refusal::NotForClearKey { key_id }) }
    };
    contents.into_iter().zip(key_ids).map(shown).collect()
}

fn jwk(key_id: KeyId, key: &ContentKey) -> Jwk {
    let encode = |bytes: &[u8; 16]| URL_SAFE_NO_PAD.encode(bytes);
    Jwk { kty: "oct", kid: encode(key_id.as_bytes()), k: encode(key.expose()) }
}

fn entry(rows: &[Arc<ContentKeyRow>], token: Option<&Verified>, at: Timestamp) -> NewEntry {
    let key = |row: &Arc<ContentKeyRow>| json!({ "key_id": row.content.key_id.to_string(), "content": row.content.content_id });
    let detail = json!({
        "token": token.map(|token| &token.claims.jti),
        "iss": token.map(|token| &token.claims.iss),
        "kid": token.map(|token| &token.kid),
        "keys": rows.iter().map(key).collect::<Vec<_>>(),
    });
    let subject = token.map_or(ANYBODY, |token| &token.claims.sub).to_owned();
    NewEntry { at, event: audit::Event::ClearKeysGiven, subject, detail_json: detail.to_string() }
}

/// Who is given the keys of open content.
const ANYBODY: &str = "anybody";
