//! Signing: whatever waits while one signature is made is answered by the next.

use std::sync::{Arc, Mutex, PoisonError};

use super::answer::answer_all;
use super::delegation::Delegation;
use super::{TimeRequest, key};
use crate::Error;
use crate::batch::Work;
use crate::home::Home;
use crate::sources::{Clock, EntropySource};

/// Signs. Its key is drawn when it is needed and is nowhere but here.
pub(super) struct Sign {
    home: Home,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn EntropySource>,
    delegation: Mutex<Option<Delegation>>,
}

impl Sign {
    pub(super) fn new(home: Home, clock: Arc<dyn Clock>, entropy: Arc<dyn EntropySource>) -> Self {
        Self { home, clock, entropy, delegation: Mutex::default() }
    }

    /// Answers them all with one signature.
    pub(super) fn sign(&self, requests: &[TimeRequest], radius_secs: u32) -> Vec<Vec<u8>> {
        let keys = self.home.keys();
        let mut delegation = self.delegation.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        let good = delegation.take_if(|delegation| delegation.is_good(&keys.time, now));
        let good = good.unwrap_or_else(|| {
            let online = key::generate(&mut *self.entropy.entropy());
            Delegation::new(self.home.provider(), &keys.time, &online, now)
        });
        let answers = answer_all(self.home.provider(), &good, now, radius_secs, requests);
        *delegation = Some(good);
        answers
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
