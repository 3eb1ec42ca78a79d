//! Recording what is issued: licenses, what a retry needs, and the audit entries, those of all requests that wait in
//! one transaction. Nothing leaves before it is on the disk.

use std::collections::{HashMap, HashSet};

use admit_crypto::{Digest, Provider};
use admit_time::Timestamp;

use super::lookup::distinct;
use crate::Error;
use crate::audit::{self, NewEntry};
use crate::batch::Work;
use crate::home::Home;
use crate::refusal::Refusal;
use crate::store::acquisition::{self, NewAcquisition};
use crate::store::{Connection, client, token_use};
use crate::token::Claims;

/// What one request was issued.
#[derive(Debug)]
pub(crate) struct Issue {
    /// The licenses for a challenge; none for ClearKey, whose keys are in the audit entry alone.
    pub(crate) acquisition: Option<NewAcquisition>,
    /// The use of a token that may be used so often only.
    pub(crate) token_use: Option<TokenUse>,
    pub(crate) entry: NewEntry,
}

/// A use of a token.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TokenUse {
    /// [`Claims::identity`].
    token: Digest,
    limit: u32,
}

impl TokenUse {
    /// The use of a token with a limit.
    pub(crate) fn of(provider: &Provider, claims: &Claims) -> Option<Self> {
        claims.uses.map(|limit| Self { token: claims.identity(provider), limit: limit.get() })
    }
}

/// Whether it was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Recorded {
    /// It is on the disk.
    New,
    /// The challenge was answered before; what it was issued holds.
    Repeated,
    /// The token had no use left.
    UsedUp,
    /// The client's certificate was not given out by this server.
    UnknownClient,
    /// The client's certificate was revoked.
    ClientRevoked,
}

impl Recorded {
    /// Whether what was to be recorded may leave.
    pub(crate) fn or_refused(self) -> Result<(), Refusal> {
        match self {
            Self::New => Ok(()),
            Self::Repeated => Err(Refusal::ChallengeUsed),
            Self::UsedUp => Err(Refusal::TokenUsedUp),
            Self::UnknownClient => Err(Refusal::UnknownClient),
            Self::ClientRevoked => Err(Refusal::ClientRevoked),
        }
    }
}

/// Records.
#[derive(Debug)]
pub(crate) struct Record(pub(crate) Home);

impl Work for Record {
    type Job = Issue;
    type Answer = Recorded;

    async fn all(&self, jobs: &[Issue]) -> Result<Vec<Recorded>, Error> {
        let mut transaction = self.0.store().licenses().write().await?;
        let mut known = Known::read(&mut transaction, jobs).await?;
        let recorded: Vec<Recorded> = jobs.iter().map(|job| known.record(job)).collect();
        let new = || jobs.iter().zip(&recorded).filter(|(_, recorded)| **recorded == Recorded::New).map(|(job, _)| job);
        let entries: Vec<NewEntry> = new().map(|job| job.entry.clone()).collect();
        if !entries.is_empty() {
            let (provider, realm) = (self.0.provider(), self.0.realm());
            let first = audit::append_all(provider, realm, &mut transaction, entries).await?;
            let numbered: Vec<_> =
                (first..).zip(new()).filter_map(|(seq, job)| Some((seq, job.acquisition.as_ref()?))).collect();
            acquisition::insert(&mut transaction, &numbered).await?;
            token_use::set(&mut transaction, &known.uses.changed()).await?;
        }
        transaction.commit().await?;
        Ok(recorded)
    }
}

/// What a transaction knows, which nobody else changes until it ends.
struct Known {
    /// When each client was revoked; those that are not ours are not there.
    clients: HashMap<Digest, Option<Timestamp>>,
    answered: HashSet<Digest>,
    uses: Uses,
}

impl Known {
    async fn read(transaction: &mut Connection, jobs: &[Issue]) -> Result<Self, Error> {
        let acquisitions = || jobs.iter().filter_map(|job| job.acquisition.as_ref());
        let clients = distinct(acquisitions().map(|acquisition| acquisition.client));
        let challenges: Vec<Digest> = acquisitions().map(|acquisition| acquisition.challenge_hash).collect();
        let tokens: Vec<Digest> = jobs.iter().filter_map(|job| Some(job.token_use?.token)).collect();
        Ok(Self {
            clients: client::find_all(transaction, &clients).await?,
            answered: acquisition::answered(transaction, &challenges).await?,
            uses: Uses { used: token_use::find(transaction, &tokens).await?, changed: HashSet::new() },
        })
    }

    fn record(&mut self, job: &Issue) -> Recorded {
        if let Some(acquisition) = &job.acquisition {
            match self.clients.get(&acquisition.client) {
                None => return Recorded::UnknownClient,
                Some(Some(_)) => return Recorded::ClientRevoked,
                Some(None) if self.answered.contains(&acquisition.challenge_hash) => return Recorded::Repeated,
                Some(None) => {}
            }
        }
        if job.token_use.is_some_and(|token| !self.uses.take(token)) {
            return Recorded::UsedUp;
        }
        self.answered.extend(job.acquisition.as_ref().map(|acquisition| acquisition.challenge_hash));
        Recorded::New
    }
}

/// Uses of tokens, counted while a transaction is under way.
struct Uses {
    used: HashMap<Digest, u32>,
    changed: HashSet<Digest>,
}

impl Uses {
    /// Takes a use, if there is one left.
    fn take(&mut self, token: TokenUse) -> bool {
        let used = self.used.entry(token.token).or_default();
        let left = *used < token.limit;
        if left {
            *used += 1;
            self.changed.insert(token.token);
        }
        left
    }

    fn changed(&self) -> Vec<(Digest, u32)> {
        self.used
            .iter()
            .filter(|(token, _)| self.changed.contains(token))
            .map(|(token, used)| (*token, *used))
            .collect()
    }
}
