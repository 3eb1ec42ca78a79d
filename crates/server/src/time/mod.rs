//! The time that this server signs (rows E05, E06 and E10): Roughtime, as `docs/formats/time.md` has it. A request is read,
//! waits with others for one signature, and is answered: a file each. Whether anything is signed at all is decided here.

mod agreement;
mod answer;
mod delegation;
pub(crate) mod http;
pub(crate) mod key;
mod request;
mod sign;
mod udp;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use admit_time::Timestamp;
use admit_time::roughtime::request_packet;
use prometheus_client::metrics::histogram::Histogram;

use self::agreement::{Agreement, Comparison};
pub(crate) use self::request::{RequestFault, TimeRequest};
use self::sign::{Job, Sign};
use crate::Server;
use crate::batch::Batch;
use crate::home::{Home, Keys};
use crate::sources::{Clock, EntropySource};

/// Signs the time for one server.
pub(crate) struct TimeService {
    home: Home,
    batch: Batch<Sign>,
    comparison: Comparison,
    /// By the kernel's word.
    is_clock_kept_right: AtomicBool,
}

/// Why no time is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotSigned {
    /// Nobody has said how wrong this host's clock can be.
    #[error("`time.largest_error_secs` is not set, and the kernel does not say that its clock is kept right")]
    ErrorNotStated,
    /// The clock may be further off than what is promised. A second is lost in reading the clock.
    #[error("`time.radius_secs` is not above `time.largest_error_secs`")]
    ErrorAboveRadius,
    /// Most of the other instances' clocks are elsewhere.
    #[error("this clock is more than 2 seconds off the database's and the other instances'")]
    ClocksDisagree,
    /// Nobody knows where they are.
    #[error("the database does not answer, so that this clock is compared with no other")]
    ClocksUnknown,
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
        Self {
            home: home.clone(),
            batch: Batch::start(sign, LIMIT, sizes),
            comparison: Comparison::default(),
            is_clock_kept_right: AtomicBool::new(false),
        }
    }

    /// How far off the time is at most that is signed now, or why none is.
    pub(crate) fn check(&self, now: Timestamp) -> Result<u32, NotSigned> {
        let radius_secs = self.radius_secs()?;
        match self.comparison.last() {
            Agreement::Near | Agreement::NotCompared => {}
            Agreement::Far => return Err(NotSigned::ClocksDisagree),
            Agreement::Unknown => return Err(NotSigned::ClocksUnknown),
        }
        let is_valid = |keys: &Keys| {
            let mut certificates = keys.time.iter().map(|signer| &signer.certificate);
            certificates.all(|certificate| certificate.not_before() <= now && now <= certificate.not_after())
        };
        if is_valid(&self.home.keys()) { Ok(radius_secs) } else { Err(NotSigned::Certificates) }
    }

    fn radius_secs(&self) -> Result<u32, NotSigned> {
        let time = &self.home.config().time;
        let kernels = || self.is_clock_kept_right.load(Ordering::Relaxed).then_some(KERNELS_LARGEST_ERROR_SECS);
        let largest_error = time.largest_error_secs.or_else(kernels).ok_or(NotSigned::ErrorNotStated)?;
        match time.radius_secs {
            Some(radius) if radius <= largest_error => Err(NotSigned::ErrorAboveRadius),
            Some(radius) => Ok(radius),
            // A second is lost in reading the clock.
            None => Ok(largest_error + 1),
        }
    }

    /// Answers a request, with whatever else waits.
    pub(crate) async fn answer(&self, request: TimeRequest, now: Timestamp) -> Result<Vec<u8>, NotSigned> {
        let radius_secs = self.check(now)?;
        self.batch.ask(Job { request, radius_secs }).await.map_err(|_| NotSigned::Overloaded)
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

impl Server {
    /// Says whether this host's kernel says that something keeps its clock right (adjtimex(2): not `STA_UNSYNC`).
    pub fn set_clock_kept_right(&self, is_kept_right: bool) {
        self.time.is_clock_kept_right.store(is_kept_right, Ordering::Relaxed);
    }
}

/// The kernel gives up its word when its largest error has grown to this.
const KERNELS_LARGEST_ERROR_SECS: u32 = 16;
/// The longest that a batch may take: it waits for nothing.
const LIMIT: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests;
