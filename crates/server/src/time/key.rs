//! A time service's long-term key with its certificate. It signs delegations and nothing else; auditors pin it, so a
//! renewal of the certificate keeps it.

use admit_crypto::{Ed25519Key, Entropy, Provider};
use admit_time::roughtime::server_commitment;
use admit_trust::Certificate;
use zeroize::Zeroizing;

/// The seed of an Ed25519 key (RFC 8032 section 5.1.5), wiped when it is dropped.
pub(crate) type Seed = Zeroizing<[u8; 32]>;

/// A new seed.
pub(crate) fn generate(entropy: &mut dyn Entropy) -> Seed {
    let mut seed = Zeroizing::new([0; 32]);
    entropy.fill(&mut *seed);
    seed
}

/// A long-term key that delegates.
pub(crate) struct TimeSigner {
    key: Ed25519Key,
    pub(crate) certificate: Certificate,
    /// SRV of requests to it.
    pub(crate) commitment: [u8; 32],
}

impl TimeSigner {
    /// None where the certificate is about another key.
    pub(crate) fn new(provider: &Provider, seed: &Seed, certificate: Certificate) -> Option<Self> {
        let key = (provider.load_ed25519_key)(seed);
        let public_key = *key.public_key();
        let named = certificate.time_key().map(|key| key.public_key);
        let commitment = server_commitment(provider, &public_key);
        (named == Some(public_key)).then_some(Self { key, certificate, commitment })
    }

    /// The key that clients and auditors pin.
    pub(crate) fn public_key(&self) -> [u8; 32] {
        *self.key.public_key()
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message)
    }
}

impl std::fmt::Debug for TimeSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TimeSigner").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}
