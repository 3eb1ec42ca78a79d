//! First step: bytes become a challenge whose encryption, signature and chain hold, and the token beside it.

use admit_crypto::DecryptionKey;
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
    Ok(AcquireRequest { opened, application, token: token.map(str::to_owned) })
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
