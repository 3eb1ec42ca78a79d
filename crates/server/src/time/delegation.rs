//! Delegations (RFC 10049 section 5.2.6): for two days at most the long-term keys let a key of this process sign the time.

use std::time::Duration;

use admit_crypto::{Ed25519Key, Provider};
use admit_time::Timestamp;
use admit_time::roughtime::{DELEGATION_CONTEXT, Tag, encode};

use super::key::{Seed, TimeSigner};

/// A key that signs the time, and what the long-term keys say of it.
pub(super) struct Delegation {
    online: Ed25519Key,
    /// The long-term keys, in the realm document's order.
    long_term: Vec<[u8; 32]>,
    /// CERT under each of them.
    certificates: Vec<Vec<u8>>,
    begins: Timestamp,
    renew_at: Timestamp,
}

impl Delegation {
    /// A delegation by these keys to the key of this seed.
    pub(super) fn new(provider: &Provider, services: &[TimeSigner], online: &Seed, now: Timestamp) -> Self {
        let online = (provider.load_ed25519_key)(online);
        let begins = now.saturating_sub(BEFORE);
        let (public_key, ends) = (*online.public_key(), begins.saturating_add(LIFETIME));
        let delegation = encode(&[
            (Tag::PUBK, &public_key),
            (Tag::MINT, &begins.unix_secs().to_le_bytes()),
            (Tag::MAXT, &ends.unix_secs().to_le_bytes()),
        ]);
        let certificate = |service: &TimeSigner| {
            let signature = service.sign(&[DELEGATION_CONTEXT, &delegation].concat());
            encode(&[(Tag::SIG, &signature), (Tag::DELE, &delegation)])
        };
        Self {
            online,
            long_term: services.iter().map(TimeSigner::public_key).collect(),
            certificates: services.iter().map(certificate).collect(),
            begins,
            renew_at: now.saturating_add(LIFETIME / 2),
        }
    }

    /// Whether it may sign at this time for these keys. It is renewed at half of its life, or when the clock was set back.
    pub(super) fn is_good(&self, services: &[TimeSigner], now: Timestamp) -> bool {
        let same_keys = self.long_term.iter().copied().eq(services.iter().map(TimeSigner::public_key));
        same_keys && self.begins <= now && now < self.renew_at
    }

    /// CERT of the long-term key at this place.
    pub(super) fn certificate(&self, key: usize) -> &[u8] {
        &self.certificates[key]
    }

    pub(super) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.online.sign(message)
    }
}

/// How long a delegation is valid.
pub(super) const LIFETIME: Duration = Duration::from_secs(48 * 3600);
/// How much of that lies before it was made: a clock that is then corrected does not leave it.
const BEFORE: Duration = Duration::from_secs(3600);
