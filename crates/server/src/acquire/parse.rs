//! First step: bytes become a challenge whose encryption, signature and chain hold, and the token beside it.

use admit_crypto::{DecryptionKey, Digest};
use admit_license::KeyId;
use admit_protocol::Error;
use admit_protocol::acquire::{OpenedChallenge, token_hash};
use admit_time::Timestamp;
use admit_trust::{Certificate, DateCheck, Verified, role, verify_chain};
use axum::http::HeaderMap;

use crate::home::{GRACE, Home};
use crate::http;
use crate::refusal::Refusal;

/// A request that is authentic. Whether it is granted is the next step's question.
pub(super) struct AcquireRequest {
    pub(super) opened: OpenedChallenge,
    /// The fingerprint of the client's certificate.
    pub(super) client: Digest,
    /// The keys that licenses are asked for, once each.
    pub(super) key_ids: Vec<KeyId>,
    /// The application's certificate, where the client sent one.
    pub(super) application: Option<Verified<Certificate, role::Application>>,
    /// The token whose hash the challenge carries.
    pub(super) token: Option<String>,
}

/// Where a challenge is sealed to a key that this server does not know, another instance may have renewed the service
/// a moment ago.
pub(super) async fn parse_with_newest(
    home: &Home,
    headers: &HeaderMap,
    body: &[u8],
    now: Timestamp,
) -> Result<AcquireRequest, Refusal> {
    match parse(home, headers, body, now) {
        Err(Refusal::Message(Error::UnknownChallengeKey { .. })) if home.look_for_renewed(now).await? => {
            parse(home, headers, body, now)
        }
        parsed => parsed,
    }
}

fn parse(home: &Home, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Result<AcquireRequest, Refusal> {
    let (provider, dates) = (home.provider(), DateCheck::At(now));
    let opened = open(home, body, now)?;
    let application = match &opened.challenge().application {
        Some(der) => Some(verify_application(home, der, dates)?),
        None => None,
    };
    let token = http::bearer_token(headers)?;
    let hash = token.map(|token| token_hash(provider, token));
    let matches = match (hash, opened.challenge().token_hash) {
        (Some(sent), Some(signed)) => sent == signed,
        (Some(_), None) => false,
        // The client had a token and it did not arrive: it is as if there were none.
        (None, _) => true,
    };
    if !matches {
        return Err(Refusal::OtherToken);
    }
    let (client, key_ids) = (opened.client().fingerprint(provider), key_ids(&opened));
    Ok(AcquireRequest { opened, client, key_ids, application, token: token.map(str::to_owned) })
}

fn key_ids(opened: &OpenedChallenge) -> Vec<KeyId> {
    let challenge = opened.challenge();
    let mut key_ids: Vec<KeyId> = Vec::with_capacity(challenge.key_ids.len());
    for key_id in challenge.key_ids.iter().filter(|_| challenge.license_requested) {
        if !key_ids.contains(key_id) {
            key_ids.push(*key_id);
        }
    }
    key_ids
}

/// Opens a challenge with the present key, or one that it followed not long ago.
fn open(home: &Home, body: &[u8], now: Timestamp) -> Result<OpenedChallenge, Error> {
    let keys = home.keys();
    let open = |key| OpenedChallenge::open(home.provider(), home.root(), key, DateCheck::At(now), body);
    let recent = |(_, retired_at): &&(DecryptionKey, Timestamp)| now <= retired_at.saturating_add(GRACE);
    let mut opened = open(&keys.challenge_key);
    for (key, _) in keys.retired_challenge_keys.iter().filter(recent) {
        if matches!(opened, Err(Error::UnknownChallengeKey { .. })) {
            opened = open(key);
        }
    }
    opened
}

fn verify_application(
    home: &Home,
    der: &[u8],
    dates: DateCheck,
) -> Result<Verified<Certificate, role::Application>, Refusal> {
    let refused = |source| Error::Trust { message: "application certificate", source };
    let certificate = Certificate::from_der(der).map_err(refused)?;
    let verified = verify_chain(home.provider(), home.root(), &[certificate], dates);
    Ok(verified.map_err(refused)?)
}
