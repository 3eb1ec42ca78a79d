//! Packaging through this server: `POST /v1/headers` signs a content header, `PUT /v1/keys/{key_id}` registers the
//! key when the protected file is whole. Both are for operators.

use admit_license::KeyId;
use admit_license::header::{
    Algorithm, ContentHeader, CustomAttributes, HeaderFields, HeaderKey, HeaderObject, MAX_CONTENT_ID, is_web_address,
};
use admit_protocol::acquire::LICENSES_PATH;
use admit_protocol::package::{HeaderRequest, KeyRegistration, SignedHeader};
use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde_json::error::Category;

use crate::content::{Content, KeyClass, check_name};
use crate::guard::Whole;
use crate::home::Home;
use crate::operator::Operator;
use crate::refusal::Refusal;
use crate::{Error, Server};

/// Signs a header. Nothing is kept.
pub(crate) async fn header(
    State(server): State<Server>,
    _operator: Operator,
    Whole(body): Whole,
) -> Result<Json<SignedHeader>, Refusal> {
    let request: HeaderRequest = read(&body)?;
    let object = server.home.make_header(&request)?;
    let header = object.to_bytes().map_err(|error| Error::Header(error.into()))?;
    Ok(Json(SignedHeader { realm: server.home.realm(), header }))
}

/// Registers a key. The same registration again changes nothing.
pub(crate) async fn register(
    State(server): State<Server>,
    operator: Operator,
    key_id: Result<Path<String>, PathRejection>,
    Whole(body): Whole,
) -> Result<StatusCode, Refusal> {
    let Path(key_id) = key_id?;
    let key_id: KeyId = key_id.parse().map_err(|error| Refusal::Address { reason: format!("key id: {error}") })?;
    let registration: KeyRegistration = read(&body)?;
    let class = KeyClass::from_name(&registration.class)
        .ok_or_else(|| Refusal::Json { reason: "class is neither licensed nor clearkey".to_owned() })?;
    let content = Content {
        key_id,
        class,
        content_id: registration.content_id,
        title: registration.title,
        open: registration.open,
        minimum_individualized_version: registration.minimum_individualized_version,
        minimum_application_level: registration.minimum_application_level,
    };
    let now = server.clock.now();
    let mut entropy = server.entropy.entropy();
    let home = &server.home;
    home.register_key_for(&content, &registration.key, operator.name(), now, &mut *entropy).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl Home {
    /// Makes and signs a content header, which carries this home's realm and license address.
    pub fn make_header(&self, wanted: &HeaderRequest) -> Result<HeaderObject, Error> {
        check_name("content id", &wanted.content_id, MAX_CONTENT_ID)?;
        if wanted.license_page.as_deref().is_some_and(|page| !is_web_address(page)) {
            return Err(Error::LicensePage);
        }
        let address = self.config().public_address.as_deref().ok_or(Error::NoPublicAddress)?;
        let key =
            HeaderKey { key_id: wanted.key_id, algorithm: Some(Algorithm::AesCtr), checksum: Some(wanted.checksum) };
        let fields = HeaderFields {
            keys: vec![key],
            license_acquisition_url: Some(format!("{}{LICENSES_PATH}", address.trim_end_matches('/'))),
            license_page_url: wanted.license_page.clone(),
            custom: CustomAttributes {
                realm: Some(self.realm()),
                content_id: Some(wanted.content_id.clone()),
                minimum_individualized_version: wanted.minimum_individualized_version,
                ..CustomAttributes::default()
            },
            ..HeaderFields::default()
        };
        let header = ContentHeader::new(fields).map_err(|error| Error::Header(error.into()))?;
        Ok(self.sign_header(&header))
    }
}

pub(crate) fn read<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    // A list of the members without their names would be read as well.
    if body.trim_ascii_start().starts_with(b"[") {
        return Err(Refusal::Json { reason: "it is no object".to_owned() });
    }
    serde_json::from_slice(body).map_err(|error| {
        // Its own text repeats what it found, which in the wrong place is a key.
        let what = match error.classify() {
            Category::Data => "a member is missing, unknown or of another type",
            Category::Eof => "it ends too early",
            Category::Syntax | Category::Io => "it is no JSON",
        };
        Refusal::Json { reason: format!("{what}, at line {}, column {}", error.line(), error.column()) }
    })
}
