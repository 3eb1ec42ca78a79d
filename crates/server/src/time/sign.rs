//! Signing: whatever waits while one signature is made is answered by the next.

use std::sync::{Arc, Mutex, PoisonError};

use super::answer::answer_all;
use super::delegation::Delegation;
use super::{TimeRequest, key};
use crate::Error;
use crate::batch::Work;
use crate::home::Home;
use crate::sources::{Clock, EntropySource};

/// Signs. Its keys are drawn when they are needed and are nowhere but here.
pub(super) struct Sign {
    home: Home,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn EntropySource>,
    /// One for each long-term key, in the realm document's order.
    delegations: Mutex<Vec<Delegation>>,
}

impl Sign {
    pub(super) fn new(home: Home, clock: Arc<dyn Clock>, entropy: Arc<dyn EntropySource>) -> Self {
        Self { home, clock, entropy, delegations: Mutex::default() }
    }

    /// Answers them all, those to one long-term key with one signature.
    pub(super) fn sign(&self, requests: &[TimeRequest], radius_secs: u32) -> Vec<Vec<u8>> {
        let keys = self.home.keys();
        let mut delegations = self.delegations.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        let is_good = |(delegation, service): (&Delegation, _)| delegation.is_good(service, now);
        if delegations.len() != keys.time.len() || !delegations.iter().zip(&keys.time).all(is_good) {
            let delegate = |service| {
                let online = key::generate(&mut *self.entropy.entropy());
                Delegation::new(self.home.provider(), service, &online, now)
            };
            *delegations = keys.time.iter().map(delegate).collect();
        }
        answer_all(self.home.provider(), &delegations, now, radius_secs, requests)
    }
}

/// A request, and how far off the answer may be.
pub(super) struct Job {
    pub(super) request: TimeRequest,
    pub(super) radius_secs: u32,
}

impl Work for Arc<Sign> {
    type Job = Job;
    type Answer = Vec<u8>;

    async fn all(&self, jobs: &[Job]) -> Result<Vec<Vec<u8>>, Error> {
        let requests: Vec<TimeRequest> = jobs.iter().map(|job| job.request).collect();
        // One signature is for all of them.
        let radius_secs = jobs.iter().map(|job| job.radius_secs).max().unwrap_or_default();
        Ok(self.sign(&requests, radius_secs))
    }
}
