//! Second step of a recovery (row B14): which licenses that were issued to the owner before are issued again. They say what
//! they said, to another client perhaps, and never more than that.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use admit_crypto::Digest;
use admit_license::{Binding, BindingKind, KeyId, Kind, LicenseId, Rights, Terms, inspect};
use admit_time::Timestamp;
use admit_trust::ClockKind;

use super::decide::{Decision, Planned};
use super::parse::AcquireRequest;
use super::record::Places;
use crate::content::KeyClass;
use crate::home::Recovery;
use crate::refusal::Refusal;
use crate::store::acquisition::{self, Owned};
use crate::store::content_key::ContentKeyRow;
use crate::store::recovery;
use crate::token::Verified;
use crate::{Server, entitlement};

/// Why a license is not issued again. The first of these is told where several licenses have several reasons.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub(crate) enum NotRecovered {
    /// It has as many clients as it may.
    #[error("the license was issued to {clients} clients, which is as many as it may have{}", behind(address.as_deref()))]
    NoPlace {
        /// The most.
        clients: u32,
        /// Where its owner can go.
        address: Option<String>,
    },
    /// Bit 4.
    #[error("the license says that it is not recovered")]
    Forbidden,
    /// What is left of it nobody knows.
    #[error("the license is counted, or for one use or one session, and what is left of it is not known")]
    Counted,
    /// It has limits in time and the client has no clock (row E01).
    #[error("the license has limits in time, and this client has no trusted clock")]
    NoClock,
    /// It is over, or may be over.
    #[error("the license is over")]
    Expired,
    /// There is none.
    #[error("no license that could be recovered was issued to this owner")]
    Unknown,
}

/// A license that was issued, and the signing key of the client that it was issued to.
struct Earlier {
    terms: Terms,
    signing_key: Vec<u8>,
}

/// Decides. Who the owner is, the token says by issuer and subject; without one it is whoever has the client's key.
/// Neither what the token is for nor how often it may be used is looked at: nothing is given that was not given before.
pub(super) async fn decide(server: &Server, request: &AcquireRequest, now: Timestamp) -> Result<Decision, Refusal> {
    let (token, key) = (request.token.as_deref(), request.opened.client().public_key());
    let entitlement = entitlement::check(server, token, Some(key), std::iter::empty(), now).await?;
    let missing = missing(server, request, entitlement.as_deref()).await?;
    let Some(missing) = missing else {
        return Ok(Decision { entitlement, licenses: Vec::new(), places: None });
    };
    let (again, mut places) = recoverable(server, request, missing, now).await?;
    let licenses = planned(server, again).await?;
    places.licenses.retain(|(id, _)| licenses.iter().any(|planned| planned.terms.id == *id));
    Ok(Decision { entitlement, licenses, places: Some(places) })
}

/// What the owner was issued and the client does not have; none where it has everything.
async fn missing(
    server: &Server,
    request: &AcquireRequest,
    entitlement: Option<&Verified>,
) -> Result<Option<Vec<Earlier>>, Refusal> {
    let home = &server.home;
    let mut connection = home.store().licenses().read().await?;
    let acquisitions = match entitlement {
        Some(token) => {
            acquisition::of_owner(&mut connection, &token.claims.owner(home.provider()), MAX_ACQUISITIONS).await?
        }
        None => acquisition::of_client(&mut connection, request.opened.client().public_key(), MAX_ACQUISITIONS).await?,
    };
    let wanted = |terms: &Terms| request.key_ids.is_empty() || request.key_ids.contains(&terms.key_id);
    let mut earlier = earlier(acquisitions);
    earlier.retain(|earlier| wanted(&earlier.terms));
    if earlier.is_empty() {
        return Err(NotRecovered::Unknown.into());
    }
    let held: HashSet<LicenseId> = request.opened.challenge().held.iter().map(|held| held.license).collect();
    earlier.retain(|earlier| !held.contains(&earlier.terms.id));
    Ok(Some(earlier).filter(|earlier| !earlier.is_empty()))
}

/// Every license once, as it was issued first. What a revoked client was issued is lost with it, and what is bound to
/// something else than a client is not issued again by itself.
fn earlier(acquisitions: Vec<Owned>) -> Vec<Earlier> {
    let (mut seen, mut found) = (HashSet::new(), Vec::new());
    for acquisition in acquisitions.into_iter().filter(|acquisition| !acquisition.client_is_revoked) {
        let readable = acquisition.licenses.iter().filter_map(|license| Some(inspect(license).ok()?.0));
        for terms in readable.filter(|terms| terms.kind == Kind::Simple) {
            if seen.insert(terms.id) {
                found.push(Earlier { terms, signing_key: acquisition.signing_key.clone() });
            }
        }
    }
    found
}

/// Those that may be issued again, with their new terms, and the places that they take.
async fn recoverable(
    server: &Server,
    request: &AcquireRequest,
    earlier: Vec<Earlier>,
    now: Timestamp,
) -> Result<(Vec<Terms>, Places), Refusal> {
    let settings = &server.home.config().recovery;
    let mut places = places(request, settings);
    let ids: Vec<LicenseId> = earlier.iter().map(|earlier| earlier.terms.id).collect();
    let holders = recovery::holders(&mut *server.home.store().licenses().read().await?, &ids).await?;
    let recipient = request.opened.properties().encryption_key.thumbprint(server.home.provider());
    let (mut again, mut refused) = (Vec::new(), Vec::new());
    // The newest first, where there are more than one answer carries.
    for Earlier { terms, signing_key } in earlier.into_iter().rev() {
        let id = terms.id;
        let judged = match issued_again(terms, settings, recipient, now) {
            Ok(terms) if terms.time_limits().any() && request.opened.properties().clock == ClockKind::None => {
                Err(NotRecovered::NoClock)
            }
            Ok(_) if !places.is_free(holders.get(&id), &signing_key) => Err(places.refusal()),
            judged => judged,
        };
        match judged {
            Ok(terms) => {
                again.push(terms);
                places.licenses.push((id, signing_key));
            }
            Err(reason) => refused.push(reason),
        }
    }
    if again.is_empty() {
        return Err(refused.into_iter().min().unwrap_or(NotRecovered::Unknown).into());
    }
    again.truncate(MAX_LICENSES);
    places.licenses.truncate(MAX_LICENSES);
    Ok((again, places))
}

fn places(request: &AcquireRequest, settings: &Recovery) -> Places {
    Places {
        signing_key: request.opened.client().public_key().as_bytes().to_vec(),
        licenses: Vec::new(),
        limit: settings.clients,
        address: settings.address.clone(),
    }
}

/// The terms of a license that is issued again: the same id, rights and dates. Nobody knows when a countdown began, so it
/// counts from the issue, which is the earliest that it can have been.
fn issued_again(terms: Terms, settings: &Recovery, recipient: Digest, now: Timestamp) -> Result<Terms, NotRecovered> {
    if terms.rights.contains(Rights::NO_RECOVERY) {
        return Err(NotRecovered::Forbidden);
    }
    if is_counted(&terms) && !settings.counted || !terms.persistent.unwrap_or(true) {
        return Err(NotRecovered::Counted);
    }
    let countdowns = [terms.expiry_after_first_use_secs, terms.expiry_after_storing_secs].into_iter().flatten();
    let ends = countdowns.map(|secs| terms.issued_at.saturating_add(Duration::from_secs(secs)));
    let expiry = ends.chain(terms.expiry).min();
    if expiry.is_some_and(|expiry| expiry < now) {
        return Err(NotRecovered::Expired);
    }
    Ok(Terms {
        issued_at: now,
        begin: terms.begin.or(expiry.map(|_| terms.issued_at)),
        expiry,
        expiry_after_first_use_secs: None,
        expiry_after_storing_secs: None,
        binding: Binding { kind: BindingKind::Client, recipient },
        ..terms
    })
}

fn is_counted(terms: &Terms) -> bool {
    terms.rights.contains(Rights::ONE_TIME) || terms.counts().iter().any(Option::is_some)
}

/// The licenses with their content keys, which are opened only now. Content that is not registered any more has none.
async fn planned(server: &Server, again: Vec<Terms>) -> Result<Vec<Planned>, Refusal> {
    let mut key_ids: Vec<KeyId> = again.iter().map(|terms| terms.key_id).collect();
    key_ids.sort();
    key_ids.dedup();
    let rows = key_ids.iter().copied().zip(server.registered(&key_ids).await?);
    let is_licensed = |row: &Arc<ContentKeyRow>| row.content.class == KeyClass::Licensed;
    let rows: HashMap<KeyId, Arc<ContentKeyRow>> =
        rows.filter_map(|(key_id, row)| Some((key_id, row.filter(is_licensed)?))).collect();
    let mut planned = Vec::with_capacity(again.len());
    for terms in again {
        if let Some(row) = rows.get(&terms.key_id) {
            let key = Arc::new(server.open_content_key(row).await?);
            planned.push(Planned { terms, key, content_id: row.content.content_id.clone() });
        }
    }
    if planned.is_empty() { Err(NotRecovered::Unknown.into()) } else { Ok(planned) }
}

fn behind(address: Option<&str>) -> String {
    address.map(|address| format!(" ({address})")).unwrap_or_default()
}

/// The newest acquisitions of an owner that are looked through.
const MAX_ACQUISITIONS: u32 = 1000;
/// Licenses in one answer, which has a megabyte at most.
const MAX_LICENSES: usize = 256;
