//! Recording what is issued: licenses, what a retry needs, and the audit entries, those of all requests that wait in
//! one transaction. Nothing leaves before it is on the disk.

use std::collections::{HashMap, HashSet};

use admit_crypto::{Digest, Provider};
use admit_license::LicenseId;
use admit_protocol::acquire::StorePosition;
use admit_time::Timestamp;

use super::lookup::distinct;
use super::position::Positions;
use super::recover::NotRecovered;
use crate::Error;
use crate::audit::{self, NewEntry};
use crate::batch::Work;
use crate::home::Home;
use crate::refusal::Refusal;
use crate::store::acquisition::{self, NewAcquisition};
use crate::store::recovery::{self, Holders};
use crate::store::{Connection, client, store_position, token_use};
use crate::token::Claims;

/// What one request was issued.
#[derive(Debug)]
pub(crate) struct Issue {
    /// The licenses for a challenge; none for ClearKey, whose keys are in the audit entry alone.
    pub(crate) acquisition: Option<NewAcquisition>,
    /// Where the client's store stands, which a challenge says.
    pub(crate) store: Option<StorePosition>,
    /// The use of a token that may be used so often only.
    pub(crate) token_use: Option<TokenUse>,
    /// What is issued again, which takes a place among the clients of each license.
    pub(crate) recovery: Option<Places>,
    pub(crate) entry: NewEntry,
}

/// Places of a client among those that some licenses are issued to (row B14).
#[derive(Debug)]
pub(crate) struct Places {
    /// The client's signing key.
    pub(crate) signing_key: Vec<u8>,
    /// Each license, and the signing key of the client that it was issued to before.
    pub(crate) licenses: Vec<(LicenseId, Vec<u8>)>,
    /// How many clients a license may have.
    pub(crate) limit: u32,
    /// Where an owner goes who has reached that.
    pub(crate) address: Option<String>,
}

impl Places {
    /// Whether every license has a place for the client.
    fn are_free(&self, holders: &Holders) -> bool {
        self.licenses.iter().all(|(license, first)| self.is_free(holders.get(license), first))
    }

    /// Whether a license with these holders, and the client that it was issued to before, has one.
    pub(crate) fn is_free(&self, holders: Option<&HashSet<Vec<u8>>>, before: &Vec<u8>) -> bool {
        let none = HashSet::new();
        let holders = holders.unwrap_or(&none);
        let count = holders.len() + usize::from(!holders.contains(before));
        let is_known = *before == self.signing_key || holders.contains(&self.signing_key);
        is_known || u32::try_from(count).is_ok_and(|count| count < self.limit)
    }

    /// What is told where one has none.
    pub(crate) fn refusal(&self) -> NotRecovered {
        NotRecovered::NoPlace { clients: self.limit, address: self.address.clone() }
    }

    fn taken(&self) -> impl Iterator<Item = (LicenseId, Vec<u8>)> {
        let both = |before: &Vec<u8>| [before.clone(), self.signing_key.clone()];
        self.licenses.iter().flat_map(move |(license, before)| both(before).map(|key| (*license, key)))
    }
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Recorded {
    /// It is on the disk.
    New,
    /// The challenge was answered before; what it was issued holds.
    Repeated,
    /// A later state of the client's store was seen.
    StoreIsOlder(StorePosition),
    /// The token had no use left.
    UsedUp,
    /// A license that was to be issued again has meanwhile as many clients as it may.
    NotRecovered(NotRecovered),
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
            Self::StoreIsOlder(seen) => Err(Refusal::StoreIsOlder { seen }),
            Self::UsedUp => Err(Refusal::TokenUsedUp),
            Self::NotRecovered(reason) => Err(reason.into()),
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
            store_position::set(&mut transaction, &known.positions.moved()).await?;
            token_use::set(&mut transaction, &known.uses.changed()).await?;
            let taken: Vec<_> = new().filter_map(|job| job.recovery.as_ref()).flat_map(Places::taken).collect();
            recovery::insert(&mut transaction, &taken).await?;
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
    positions: Positions,
    uses: Uses,
    holders: Holders,
}

impl Known {
    async fn read(transaction: &mut Connection, jobs: &[Issue]) -> Result<Self, Error> {
        let acquisitions = || jobs.iter().filter_map(|job| job.acquisition.as_ref());
        let clients = distinct(acquisitions().map(|acquisition| acquisition.client));
        let challenges: Vec<Digest> = acquisitions().map(|acquisition| acquisition.challenge_hash).collect();
        let tokens: Vec<Digest> = jobs.iter().filter_map(|job| Some(job.token_use?.token)).collect();
        let places = jobs.iter().filter_map(|job| job.recovery.as_ref());
        let recovered = distinct(places.flat_map(|places| places.licenses.iter().map(|(license, _)| *license)));
        Ok(Self {
            clients: client::find_all(transaction, &clients).await?,
            answered: acquisition::answered(transaction, &challenges).await?,
            positions: Positions::new(store_position::find(transaction, &clients).await?),
            uses: Uses { used: token_use::find(transaction, &tokens).await?, changed: HashSet::new() },
            holders: recovery::holders(transaction, &recovered).await?,
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
        if let Some(places) = job.recovery.as_ref().filter(|places| !places.are_free(&self.holders)) {
            return Recorded::NotRecovered(places.refusal());
        }
        let client = job.acquisition.as_ref().map(|acquisition| acquisition.client);
        let position = client.zip(job.store.as_ref());
        if let Some(seen) = position.and_then(|(client, store)| self.positions.later(&client, store)) {
            return Recorded::StoreIsOlder(seen);
        }
        if job.token_use.is_some_and(|token| !self.uses.take(token)) {
            return Recorded::UsedUp;
        }
        for (license, client) in job.recovery.iter().flat_map(Places::taken) {
            self.holders.entry(license).or_default().insert(client);
        }
        if let Some((client, store)) = position {
            self.positions.advance(client, store);
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
