//! Second step: is the client one of ours and not revoked, is the buyer entitled, and what does each license say.

use core::ops::Deref;

use admit_crypto::{ContentKey, Entropy};
use admit_license::{KeyId, LicenseId, Rights, Terms};
use admit_time::Timestamp;

use super::parse::AcquireRequest;
use crate::Server;
use crate::content::{Content, KeyClass};
use crate::home::Home;
use crate::policy::{self, PolicyRequest};
use crate::refusal::Refusal;
use crate::store::client;
use crate::store::content_key::{self, ContentKeyRow};
use crate::token::Claims;

/// What will be issued.
#[derive(Debug)]
pub(super) struct Decision {
    pub(super) entitlement: Option<Claims>,
    pub(super) licenses: Vec<Planned>,
}

/// One license that will be issued.
#[derive(Debug)]
pub(super) struct Planned {
    pub(super) terms: Terms,
    pub(super) key: ContentKey,
    pub(super) content_id: String,
}

/// A request of a client that this server enrolled and has not revoked. The later steps take nothing else.
#[derive(Debug)]
pub(super) struct ActiveRequest(AcquireRequest);

impl Deref for ActiveRequest {
    type Target = AcquireRequest;

    fn deref(&self) -> &AcquireRequest {
        &self.0
    }
}

/// Whether this server enrolled the client and has not revoked it. Looked up on every request.
pub(super) async fn check_client(home: &Home, request: AcquireRequest) -> Result<ActiveRequest, Refusal> {
    let fingerprint = request.opened.client().fingerprint(home.provider());
    let row = client::find(&mut *home.store().read().await?, &fingerprint).await?;
    match row.ok_or(Refusal::UnknownClient)?.revoked_at {
        Some(_) => Err(Refusal::ClientRevoked),
        None => Ok(ActiveRequest(request)),
    }
}

pub(super) async fn decide(server: &Server, request: &ActiveRequest, now: Timestamp) -> Result<Decision, Refusal> {
    let challenge = request.opened.challenge();
    if !challenge.license_requested {
        return Ok(Decision { entitlement: None, licenses: Vec::new() });
    }
    let rows = contents(&server.home, &challenge.key_ids).await?;
    let entitlement = entitlement(&server.home, request, &rows, now)?;
    let mut entropy = server.entropy.entropy();
    // Only now are keys opened: nobody who is not entitled gets that far.
    let plan = |row: ContentKeyRow| {
        let terms = terms(server, request, &row.content, entitlement.as_ref(), now, &mut *entropy)?;
        let key = server.home.open_content_key(&row)?;
        Ok(Planned { terms, key, content_id: row.content.content_id })
    };
    let licenses = rows.into_iter().map(plan).collect::<Result<_, Refusal>>()?;
    Ok(Decision { entitlement, licenses })
}

/// What is registered for each key id, in the challenge's order and once each. The keys stay sealed.
async fn contents(home: &Home, key_ids: &[KeyId]) -> Result<Vec<ContentKeyRow>, Refusal> {
    let mut connection = home.store().read().await?;
    let mut rows: Vec<ContentKeyRow> = Vec::with_capacity(key_ids.len());
    for &key_id in key_ids {
        if rows.iter().any(|row| row.content.key_id == key_id) {
            continue;
        }
        let row = content_key::find(&mut connection, key_id).await?;
        let row = row.filter(|row| row.content.class == KeyClass::Licensed);
        rows.push(row.ok_or(Refusal::UnknownKeyId { key_id })?);
    }
    if rows.is_empty() { Err(Refusal::NoKeyIds) } else { Ok(rows) }
}

/// The buyer's entitlement. A token that is there must hold, also where none is needed.
fn entitlement(
    home: &Home,
    request: &ActiveRequest,
    rows: &[ContentKeyRow],
    now: Timestamp,
) -> Result<Option<Claims>, Refusal> {
    let mut closed = rows.iter().map(|row| &row.content).filter(|content| !content.open);
    let Some(token) = &request.token else {
        let needed = closed.next().map(|content| content.content_id.clone());
        return needed.map_or(Ok(None), |content_id| Err(Refusal::TokenRequired { content_id }));
    };
    let claims = home.token_rules().verify(token, now)?;
    if !claims.may_be_used_by(home.provider(), request.opened.client().public_key()) {
        return Err(Refusal::TokenBoundElsewhere);
    }
    match closed.find(|content| !claims.covers(&content.content_id)) {
        Some(content) => Err(Refusal::TokenNotForContent { content_id: content.content_id.clone() }),
        None => Ok(Some(claims)),
    }
}

fn terms(
    server: &Server,
    request: &ActiveRequest,
    content: &Content,
    entitlement: Option<&Claims>,
    now: Timestamp,
    entropy: &mut dyn Entropy,
) -> Result<Terms, Refusal> {
    let (home, opened) = (&server.home, &request.opened);
    let recipient = opened.properties().encryption_key.thumbprint(home.provider());
    let id = LicenseId::generate(entropy);
    let draft = Terms::simple(id, content.key_id, home.realm(), now, Rights::NONE, recipient);
    let asked = PolicyRequest {
        now,
        challenge: opened.challenge(),
        client: opened.properties(),
        application: request.application.as_ref(),
        content,
        entitlement,
    };
    Ok(policy::ask(&*server.policy, &asked, draft)?)
}
