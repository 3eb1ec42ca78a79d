//! Second step: is the buyer entitled, and what does each license say.

use std::sync::Arc;

use admit_crypto::{ContentKey, Entropy};
use admit_license::{KeyId, LicenseId, Rights, Terms};
use admit_time::Timestamp;

use super::lookup::Wanted;
use super::parse::AcquireRequest;
use super::record::Places;
use super::recover;
use crate::content::{Content, KeyClass};
use crate::policy::{self, PolicyRequest};
use crate::refusal::Refusal;
use crate::store::acquisition::Issued;
use crate::store::content_key::ContentKeyRow;
use crate::token::{Claims, Verified};
use crate::{Server, entitlement};

/// What will be issued.
#[derive(Debug)]
pub(super) struct Decision {
    pub(super) entitlement: Option<Arc<Verified>>,
    pub(super) licenses: Vec<Planned>,
    /// Of licenses that are issued again, the places of the client among those that have them.
    pub(super) places: Option<Places>,
}

/// One license that will be issued.
#[derive(Debug)]
pub(super) struct Planned {
    pub(super) terms: Terms,
    pub(super) key: Arc<ContentKey>,
    pub(super) content_id: String,
}

/// Whether this server enrolled the client and has not revoked it; and what its challenge was answered with before.
pub(super) async fn check_client(server: &Server, request: &AcquireRequest) -> Result<Option<Issued>, Refusal> {
    let wanted = Wanted { challenge: Some((request.client, request.opened.hash())), key_ids: Vec::new() };
    let found = server.lookups.ask(wanted).await?;
    match found.client.ok_or(Refusal::UnknownClient)? {
        Some(_) => return Err(Refusal::ClientRevoked),
        None if found.earlier.is_some() => return Ok(found.earlier),
        None => {}
    }
    match found.store.filter(|seen| request.opened.challenge().store.is_older_than(seen)) {
        Some(seen) => Err(Refusal::StoreIsOlder { seen }),
        None => Ok(None),
    }
}

pub(super) async fn decide(server: &Server, request: &AcquireRequest, now: Timestamp) -> Result<Decision, Refusal> {
    if !request.license_requested {
        return Ok(Decision { entitlement: None, licenses: Vec::new(), places: None });
    }
    if request.opened.challenge().recovery {
        return recover::decide(server, request, now).await;
    }
    let rows = licensed(&request.key_ids, server.registered(&request.key_ids).await?)?;
    let (token, client) = (request.token.as_deref(), request.opened.client().public_key());
    let contents = rows.iter().map(|row| &row.content);
    let entitlement = entitlement::check(server, token, Some(client), contents, now).await?;
    let mut entropy = server.entropy.entropy();
    let mut licenses = Vec::with_capacity(rows.len());
    for row in &rows {
        let claims = entitlement.as_ref().map(|token| &token.claims);
        let terms = terms(server, request, &row.content, claims, now, &mut *entropy)?;
        // Only now are keys opened: nobody who is not entitled gets that far.
        let key = Arc::new(server.open_content_key(row).await?);
        let planned = |terms| Planned { terms, key: Arc::clone(&key), content_id: row.content.content_id.clone() };
        licenses.extend(terms.into_iter().map(planned));
    }
    Ok(Decision { entitlement, licenses, places: None })
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
    request: &AcquireRequest,
    content: &Content,
    entitlement: Option<&Claims>,
    now: Timestamp,
    entropy: &mut dyn Entropy,
) -> Result<Vec<Terms>, Refusal> {
    let (home, opened) = (&server.home, &request.opened);
    let recipient = opened.properties().encryption_key.thumbprint(home.provider());
    let id = LicenseId::generate(entropy);
    let draft = Terms::simple(id, content.key_id, home.realm(), now, Rights::NONE, recipient);
    let asked = PolicyRequest {
        now,
        challenge: opened.challenge(),
        client: opened.properties(),
        application: request.application.as_ref().map(|application| application.properties()),
        content,
        entitlement,
    };
    Ok(policy::ask(&*server.policy, &asked, &draft, entropy)?)
}
