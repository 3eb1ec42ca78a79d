//! The time that this server signs (rows E05, E06 and E10): Roughtime, as `docs/formats/time.md` has it. A request is read,
//! waits with others for one signature, and is answered: a file each. Whether anything is signed at all is decided here.

mod answer;
mod delegation;
pub(crate) mod http;
pub(crate) mod key;
mod request;
mod sign;
mod udp;

use std::sync::Arc;
use std::time::Duration;

use admit_time::Timestamp;
use admit_time::roughtime::request_packet;
use prometheus_client::metrics::histogram::Histogram;

pub(crate) use self::request::{RequestFault, TimeRequest};
use self::sign::Sign;
use crate::batch::Batch;
use crate::home::{Home, Keys};
use crate::sources::{Clock, EntropySource};

/// Signs the time for one server.
pub(crate) struct TimeService {
    home: Home,
    batch: Batch<Sign>,
}

/// Why no time is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotSigned {
    /// Nobody has said how wrong this host's clock can be.
    #[error("`time.largest_error_secs` is not set")]
    ErrorNotStated,
    /// The clock may be further off than what is promised. A second is lost in reading the clock.
    #[error("`time.radius_secs` is not above `time.largest_error_secs`")]
    ErrorAboveRadius,
    /// The time certificates are not valid now.
    #[error("the time certificates are not valid now")]
    Certificates,
    /// More wait for a signature than can be answered.
    #[error("too many requests wait for a signature")]
    Overloaded,
}

impl TimeService {
    /// On a runtime: it starts a task.
    pub(crate) fn start(
        home: &Home,
        clock: &Arc<dyn Clock>,
        entropy: &Arc<dyn EntropySource>,
        sizes: Histogram,
    ) -> Self {
        let sign = Sign::new(home.clone(), Arc::clone(clock), Arc::clone(entropy));
        Self { home: home.clone(), batch: Batch::start(sign, LIMIT, sizes) }
    }

    /// Whether the time is signed now, or why not.
    pub(crate) fn check(&self, now: Timestamp) -> Result<(), NotSigned> {
        let time = &self.home.config().time;
        let largest_error = time.largest_error_secs.ok_or(NotSigned::ErrorNotStated)?;
        if largest_error >= time.radius_secs {
            return Err(NotSigned::ErrorAboveRadius);
        }
        let is_valid = |keys: &Keys| {
            let mut certificates = keys.time.iter().map(|signer| &signer.certificate);
            certificates.all(|certificate| certificate.not_before() <= now && now <= certificate.not_after())
        };
        if is_valid(&self.home.keys()) { Ok(()) } else { Err(NotSigned::Certificates) }
    }

    /// Answers a request, with whatever else waits.
    pub(crate) async fn answer(&self, request: TimeRequest, now: Timestamp) -> Result<Vec<u8>, NotSigned> {
        self.check(now)?;
        self.batch.ask(request).await.map_err(|_| NotSigned::Overloaded)
    }

    /// Answers the request that a license challenge stands for: the canonical packet to the first time service, with the
    /// hash of the challenge as nonce.
    pub(crate) async fn answer_challenge(&self, hash: &[u8; 32], now: Timestamp) -> Option<Vec<u8>> {
        let keys = self.home.keys();
        let packet = request_packet(self.home.provider(), hash, &keys.time.first()?.public_key());
        let request = TimeRequest::read(self.home.provider(), &keys.time, &packet).ok()?;
        self.answer(request, now).await.ok()
    }

    /// How many requests wait.
    pub(crate) fn waiting(&self) -> usize {
        self.batch.waiting()
    }
}

/// The longest that a batch may take: it waits for nothing.
const LIMIT: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests;
