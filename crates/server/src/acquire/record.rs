//! Recording what is issued: licenses, what a retry needs, and the audit entries, those of all requests that wait in
//! one transaction. Nothing leaves before it is on the disk.

use std::collections::HashSet;

use crate::Error;
use crate::audit::{self, NewEntry};
use crate::batch::Work;
use crate::home::Home;
use crate::store::acquisition::{self, NewAcquisition};

/// What one request was issued.
#[derive(Debug)]
pub(crate) struct Issue {
    /// The licenses for a challenge; none for ClearKey, whose keys are in the audit entry alone.
    pub(crate) acquisition: Option<NewAcquisition>,
    pub(crate) entry: NewEntry,
}

/// Whether it was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Recorded {
    /// It is on the disk.
    New,
    /// Another request with the same challenge came first; what it was issued holds.
    Repeated,
}

/// Records.
#[derive(Debug)]
pub(crate) struct Record(pub(crate) Home);

impl Work for Record {
    type Job = Issue;
    type Answer = Recorded;

    async fn all(&self, jobs: &[Issue]) -> Result<Vec<Recorded>, Error> {
        let mut transaction = self.0.store().licenses().write().await?;
        let challenge = |job: &Issue| job.acquisition.as_ref().map(|acquisition| acquisition.challenge_hash);
        let challenges: Vec<_> = jobs.iter().filter_map(challenge).collect();
        let mut answered: HashSet<_> = acquisition::answered(&mut transaction, &challenges).await?;
        let is_new = |job: &Issue| challenge(job).is_none_or(|challenge| answered.insert(challenge));
        let recorded: Vec<Recorded> =
            jobs.iter().map(is_new).map(|new| if new { Recorded::New } else { Recorded::Repeated }).collect();
        let new = || jobs.iter().zip(&recorded).filter(|(_, recorded)| **recorded == Recorded::New).map(|(job, _)| job);
        let entries: Vec<NewEntry> = new().map(|job| job.entry.clone()).collect();
        if !entries.is_empty() {
            let (provider, realm) = (self.0.provider(), self.0.realm());
            let first = audit::append_all(provider, realm, &mut transaction, entries).await?;
            let numbered: Vec<_> =
                (first..).zip(new()).filter_map(|(seq, job)| Some((seq, job.acquisition.as_ref()?))).collect();
            acquisition::insert(&mut transaction, &numbered).await?;
            transaction.commit().await?;
        }
        Ok(recorded)
    }
}
