//! First step: bytes become a challenge whose encryption, signature and chain hold, and the token beside it.

use admit_crypto::{DecryptionKey, Digest};
use admit_license::KeyId;
use admit_license::header::ContentHeader;
use admit_protocol::Error;
use admit_protocol::acquire::{LicenseChallenge, OpenedChallenge, token_hash};
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
    /// Whether licenses are asked for: challenge and content header can each say that none is (row E07).
    pub(super) license_requested: bool,
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
    let (client, challenge) = (opened.client().fingerprint(provider), opened.challenge());
    let license_requested = challenge.license_requested && !challenge.header.as_deref().is_some_and(|it| says_no(it));
    let key_ids = if license_requested { key_ids(challenge) } else { Vec::new() };
    let token = token.map(str::to_owned);
    Ok(AcquireRequest { license_requested, key_ids, client, application, token, opened })
}

/// Whether a content header says that no license is requested. Nobody has signed that for the server, and it costs the
/// client nothing but a license: a header that cannot be read says nothing. Few name the attribute, and only those are read.
fn says_no(header: &[u8]) -> bool {
    let attribute: Vec<u8> = "LICENSEREQUESTED".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let is_named = header.windows(attribute.len()).any(|window| window == attribute);
    is_named && ContentHeader::from_object_bytes(header).is_ok_and(|header| !header.fields().license_requested)
}

fn key_ids(challenge: &LicenseChallenge) -> Vec<KeyId> {
    let mut key_ids: Vec<KeyId> = Vec::with_capacity(challenge.key_ids.len());
    for key_id in &challenge.key_ids {
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
