//! Delegations (RFC 10049 section 5.2.6): for two days at most a long-term key lets a key of this process sign the time. Each has an
//! online key of its own: who steals one cannot sign as the other, and it takes both to move clients' clocks far.

use std::time::Duration;

use admit_crypto::{Ed25519Key, Provider};
use admit_time::Timestamp;
use admit_time::roughtime::{DELEGATION_CONTEXT, Tag, encode};

use super::key::{Seed, TimeSigner};

/// A key that signs the time, and what a long-term key says of it.
pub(super) struct Delegation {
    online: Ed25519Key,
    long_term: [u8; 32],
    /// CERT under it.
    certificate: Vec<u8>,
    begins: Timestamp,
    renew_at: Timestamp,
}

impl Delegation {
    /// A delegation by the key of this service to the key of this seed.
    pub(super) fn new(provider: &Provider, service: &TimeSigner, online: &Seed, now: Timestamp) -> Self {
        let online = (provider.load_ed25519_key)(online);
        let begins = now.saturating_sub(BEFORE);
        let (public_key, ends) = (*online.public_key(), begins.saturating_add(LIFETIME));
        let delegation = encode(&[
            (Tag::PUBK, &public_key),
            (Tag::MINT, &begins.unix_secs().to_le_bytes()),
            (Tag::MAXT, &ends.unix_secs().to_le_bytes()),
        ]);
        let signature = service.sign(&[DELEGATION_CONTEXT, &delegation].concat());
        let certificate = encode(&[(Tag::SIG, &signature), (Tag::DELE, &delegation)]);
        let long_term = service.public_key();
        Self { online, long_term, certificate, begins, renew_at: now.saturating_add(LIFETIME / 2) }
    }

    /// Whether it may sign at this time for this service. It is renewed at half of its life, or when the clock was set back.
    pub(super) fn is_good(&self, service: &TimeSigner, now: Timestamp) -> bool {
        self.long_term == service.public_key() && self.begins <= now && now < self.renew_at
    }

    /// CERT under the long-term key.
    pub(super) fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    pub(super) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.online.sign(message)
    }
}

/// How long a delegation is valid.
pub(super) const LIFETIME: Duration = Duration::from_secs(48 * 3600);
/// How much of that lies before it was made: a clock that is then corrected does not leave it.
const BEFORE: Duration = Duration::from_secs(3600);
