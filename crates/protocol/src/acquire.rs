//! License acquisition: the challenge, signed by the client and encrypted to the license service, and the
//! response, signed by the service and bound to challenge and client by their hashes.

mod challenge;
mod response;

use admit_crypto::{Digest, Provider};
pub use admit_time::clock::ClockState;

pub use challenge::{
    HeldElement, LicenseChallenge, OpenedChallenge, RevocationNumbers, SealedChallenge, StorePosition,
};
pub use response::{LicenseResponse, ResponseContext, VerifiedResponse};

/// Where a license service takes challenges.
pub const LICENSES_PATH: &str = "/v1/licenses";

/// SHA-256 of an entitlement token's characters: how a challenge names the token that is sent beside it.
#[must_use]
pub fn token_hash(provider: &Provider, token: &str) -> Digest {
    (provider.sha256)(&[token.as_bytes()])
}

/// The content type of signed challenges, inside the encryption.
pub const CHALLENGE_CONTENT_TYPE: &str = "application/admit-license-challenge+cbor";

/// The content type of encrypted challenges, which is what travels.
pub const SEALED_CHALLENGE_CONTENT_TYPE: &str = "application/admit-sealed-challenge+cbor";

/// The content type of license responses.
pub const RESPONSE_CONTENT_TYPE: &str = "application/admit-license-response+cbor";

/// The longest encrypted challenge that is read, in bytes: a header object of 15 KB and what stands around it.
pub const MAX_CHALLENGE: usize = 32 * 1024;

/// The longest response that is read, in bytes.
pub const MAX_RESPONSE: usize = 1024 * 1024;

/// The most key ids one challenge asks for.
pub const MAX_KEY_IDS: usize = 64;
