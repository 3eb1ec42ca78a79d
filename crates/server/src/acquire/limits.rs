//! How often licenses may be asked for: from one network address before anything is computed, then by one client that has
//! proved its key, and with one token that holds.

use std::net::IpAddr;

use admit_crypto::Digest;
use admit_time::Timestamp;

use crate::home::{LicenseLimits, Limit};
use crate::network::AddressLimit;
use crate::rate_limit::RateLimit;
use crate::refusal::{Limited, Refusal};

/// The limits of a server.
#[derive(Debug)]
pub(crate) struct Limits {
    addresses: Option<AddressLimit>,
    tokens: Option<RateLimit<Digest>>,
    clients: Option<RateLimit<Digest>>,
}

impl Limits {
    pub(crate) fn new(limits: &LicenseLimits) -> Self {
        Self {
            addresses: limits.address.map(|limit| AddressLimit::new(limit.per_hour, limit.burst)),
            tokens: limits.token.map(rate_limit),
            clients: limits.client.map(rate_limit),
        }
    }

    pub(crate) fn take_address(&self, address: IpAddr, now: Timestamp) -> Result<(), Refusal> {
        let limit = self.addresses.as_ref().map_or(Ok(()), |limit| limit.take(address, now));
        limit.map_err(|retry_after_secs| Refusal::RateLimited { of: Limited::OfAddress, retry_after_secs })
    }

    /// Takes a request of a token, by [`crate::token::Claims::identity`]: its bytes may differ, its signature too.
    pub(crate) fn take_token(&self, token: Digest, now: Timestamp) -> Result<(), Refusal> {
        let limit = self.tokens.as_ref().map_or(Ok(()), |limit| limit.take(token, now));
        limit.map_err(|retry_after_secs| Refusal::RateLimited { of: Limited::LicensesOfToken, retry_after_secs })
    }

    pub(crate) fn take_client(&self, client: Digest, now: Timestamp) -> Result<(), Refusal> {
        let limit = self.clients.as_ref().map_or(Ok(()), |limit| limit.take(client, now));
        limit.map_err(|retry_after_secs| Refusal::RateLimited { of: Limited::LicensesOfClient, retry_after_secs })
    }
}

fn rate_limit<K: std::hash::Hash + Ord + Copy>(limit: Limit) -> RateLimit<K> {
    RateLimit::new(limit.per_hour, limit.burst)
}
