//! Second step: is the client one of ours and not revoked, is the buyer entitled, and what does each license say.

use core::ops::Deref;
use std::sync::Arc;

use admit_crypto::{ContentKey, Entropy};
use admit_license::{KeyId, LicenseId, Rights, Terms};
use admit_time::Timestamp;

use super::lookup::{Found, Wanted};
use super::parse::AcquireRequest;
use crate::content::{Content, KeyClass};
use crate::policy::{self, PolicyRequest};
use crate::refusal::Refusal;
use crate::store::content_key::ContentKeyRow;
use crate::token::{Claims, Verified};
use crate::{Server, entitlement};

/// What will be issued.
#[derive(Debug)]
pub(super) struct Decision {
    pub(super) entitlement: Option<Arc<Verified>>,
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
pub(super) struct ActiveRequest {
    request: AcquireRequest,
    /// The keys that licenses are asked for, once each.
    key_ids: Vec<KeyId>,
}

impl Deref for ActiveRequest {
    type Target = AcquireRequest;

    fn deref(&self) -> &AcquireRequest {
        &self.request
    }
}

/// Whether this server enrolled the client and has not revoked it, and what it knows of the rest of the request.
/// Looked up on every request.
pub(super) async fn check_client(server: &Server, request: AcquireRequest) -> Result<(ActiveRequest, Found), Refusal> {
    let challenge = request.opened.challenge();
    let mut key_ids: Vec<KeyId> = Vec::with_capacity(challenge.key_ids.len());
    for key_id in challenge.key_ids.iter().filter(|_| challenge.license_requested) {
        if !key_ids.contains(key_id) {
            key_ids.push(*key_id);
        }
    }
    let client = request.opened.client().fingerprint(server.home.provider());
    let wanted = Wanted { challenge: Some((client, request.opened.hash())), key_ids: key_ids.clone() };
    let found = server.lookups.ask(wanted).await?;
    match found.client.ok_or(Refusal::UnknownClient)? {
        Some(_) => Err(Refusal::ClientRevoked),
        None => Ok((ActiveRequest { request, key_ids }, found)),
    }
}

pub(super) async fn decide(
    server: &Server,
    request: &ActiveRequest,
    contents: Vec<Option<Arc<ContentKeyRow>>>,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    if !request.opened.challenge().license_requested {
        return Ok(Decision { entitlement: None, licenses: Vec::new() });
    }
    let rows = licensed(&request.key_ids, contents)?;
    let (token, client) = (request.token.as_deref(), request.opened.client().public_key());
    let contents = rows.iter().map(|row| &row.content);
    let entitlement = entitlement::check(server, token, Some(client), contents, now).await?;
    let mut entropy = server.entropy.entropy();
    // Only now are keys opened: nobody who is not entitled gets that far.
    let plan = |row: &Arc<ContentKeyRow>| {
        let claims = entitlement.as_ref().map(|token| &token.claims);
        let terms = terms(server, request, &row.content, claims, now, &mut *entropy)?;
        let key = server.home.open_content_key(row)?;
        Ok(Planned { terms, key, content_id: row.content.content_id.clone() })
    };
    let licenses = rows.iter().map(plan).collect::<Result<_, Refusal>>()?;
    Ok(Decision { entitlement, licenses })
}

/// What is registered for each key id, all of them for licenses. The keys stay sealed.
fn licensed(key_ids: &[KeyId], contents: Vec<Option<Arc<ContentKeyRow>>>) -> Result<Vec<Arc<ContentKeyRow>>, Refusal> {
    if key_ids.is_empty() {
        return Err(Refusal::NoKeyIds);
    }
    let licensed = |(row, &key_id): (Option<Arc<ContentKeyRow>>, &KeyId)| {
        row.filter(|row| row.content.class == KeyClass::Licensed).ok_or(Refusal::UnknownKeyId { key_id })
    };
    contents.into_iter().zip(key_ids).map(licensed).collect()
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
