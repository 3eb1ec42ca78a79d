//! The audit log: what was done and issued to whom, as a chain of SHA-256 hashes in which no entry can be changed,
//! left out or put in without breaking the links behind it. `docs/formats/home.md` has the encoding.

use std::fmt;

use admit_crypto::{Digest, Provider};
use admit_time::Timestamp;
use serde_json::Value;

use crate::Error;
use crate::home::Home;
use crate::store::{self, Connection, Store};

/// What is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Event {
    /// The home was made.
    HomeMade,
    /// The license service got new keys, a new certificate and a new realm document.
    ServiceRenewed,
    /// Everything sealed is under a new key-encryption key.
    SealingKeyRotated,
    /// A content key was registered.
    ContentKeyRegistered,
    /// An entitlement token was made.
    TokenMade,
    /// A key for tokens was made or imported.
    TokenKeyAdded,
    /// A key for tokens was retired.
    TokenKeyRetired,
    /// An operator token was made.
    OperatorTokenMade,
    /// An operator token was revoked.
    OperatorTokenRevoked,
    /// A certificate for a device's hardware was made.
    HardwareVouched,
    /// The realm document lists clock services at an address.
    ClockServiceListed,
    /// It does not any more.
    ClockServiceUnlisted,
    /// A client got a certificate.
    ClientEnrolled,
    /// A client's certificate was revoked.
    ClientRevoked,
    /// Licenses were issued for a challenge.
    LicensesIssued,
    /// Licenses that the owner was issued before were issued again.
    LicensesRecovered,
    /// The acquisition policy failed, and no license was issued.
    PolicyFailed,
    /// Content keys were given to a browser.
    ClearKeysGiven,
}

impl Event {
    /// The event's name in the log.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::HomeMade => "home-made",
            Self::ServiceRenewed => "service-renewed",
            Self::SealingKeyRotated => "sealing-key-rotated",
            Self::ContentKeyRegistered => "content-key-registered",
            Self::TokenMade => "token-made",
            Self::TokenKeyAdded => "token-key-added",
            Self::TokenKeyRetired => "token-key-retired",
            Self::OperatorTokenMade => "operator-token-made",
            Self::OperatorTokenRevoked => "operator-token-revoked",
            Self::HardwareVouched => "hardware-vouched",
            Self::ClockServiceListed => "clock-service-listed",
            Self::ClockServiceUnlisted => "clock-service-unlisted",
            Self::ClientEnrolled => "client-enrolled",
            Self::ClientRevoked => "client-revoked",
            Self::LicensesIssued => "licenses-issued",
            Self::LicensesRecovered => "licenses-recovered",
            Self::PolicyFailed => "policy-failed",
            Self::ClearKeysGiven => "clearkey-keys-given",
        }
    }
}

/// One entry of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its number, from 1, without gaps.
    pub seq: u64,
    /// When it was written.
    pub at: Timestamp,
    /// What happened: the name of an [`Event`], or one that a newer program knows.
    pub event: String,
    /// What it happened to.
    pub subject: String,
    /// More about it, as JSON.
    pub detail_json: String,
    /// The hash of the entry before; of the first, the realm.
    pub previous_hash: Digest,
    /// The hash of this entry.
    pub hash: Digest,
}

/// What a walk along the log found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditVerdict {
    /// Every link holds.
    Whole {
        /// How many entries there are.
        entries: u64,
        /// The hash of the last one, to be kept elsewhere: a log cut short at its end still holds together.
        head: Digest,
    },
    /// A link does not hold; nothing behind it can be believed.
    Broken {
        /// The number at which the first broken link was found.
        seq: u64,
        /// What is wrong there.
        fault: AuditFault,
    },
}

/// What can be wrong with a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditFault {
    /// The entry with this number is missing.
    Missing,
    /// The entry does not follow the one before it.
    PreviousHash,
    /// The entry's content is not what its hash was made of.
    Hash,
}

impl fmt::Display for AuditFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "the entry is missing",
            Self::PreviousHash => "the entry does not follow the one before it",
            Self::Hash => "the entry was changed",
        })
    }
}

impl Home {
    /// Up to `limit` entries behind the one numbered `after`.
    pub async fn audit(&self, after: u64, limit: u32) -> Result<Vec<AuditEntry>, Error> {
        store::audit::after(&mut *self.store().read().await?, after, limit).await
    }

    /// Walks along the whole log.
    pub async fn verify_audit(&self) -> Result<AuditVerdict, Error> {
        verify(self.provider(), self.realm(), self.store()).await
    }

    /// Appends an entry in the transaction of what it tells about.
    pub(crate) async fn append_audit(
        &self,
        transaction: &mut Connection,
        at: Timestamp,
        event: Event,
        subject: &str,
        detail: &Value,
    ) -> Result<(), Error> {
        let new = NewEntry { at, event, subject: subject.to_owned(), detail_json: detail.to_string() };
        append(self.provider(), self.realm(), transaction, new).await
    }
}

/// Whether a text that others chose may stand in the record: it stays there for good, and is shown on terminals.
pub(crate) fn is_recordable(text: &str) -> bool {
    text.len() <= LONGEST_TEXT && !text.chars().any(char::is_control)
}

/// The most bytes of such a text.
pub(crate) const LONGEST_TEXT: usize = 256;

/// Walks along the log of a database.
pub(crate) async fn verify(provider: &Provider, realm: Digest, store: &Store) -> Result<AuditVerdict, Error> {
    let (mut seq, mut head) = (0, realm);
    loop {
        let entries = store::audit::after(&mut *store.read().await?, seq, PAGE).await?;
        if entries.is_empty() {
            return Ok(AuditVerdict::Whole { entries: seq, head });
        }
        for entry in entries {
            if let Some(fault) = check_link(provider, seq, &head, &entry) {
                return Ok(AuditVerdict::Broken { seq: seq + 1, fault });
            }
            (seq, head) = (entry.seq, entry.hash);
        }
    }
}

/// What is to be written down.
#[derive(Debug, Clone)]
pub(crate) struct NewEntry {
    pub(crate) at: Timestamp,
    pub(crate) event: Event,
    pub(crate) subject: String,
    pub(crate) detail_json: String,
}

/// Appends an entry; the first one follows the realm itself.
pub(crate) async fn append(
    provider: &Provider,
    realm: Digest,
    transaction: &mut Connection,
    new: NewEntry,
) -> Result<(), Error> {
    append_all(provider, realm, transaction, [new]).await.map(drop)
}

/// Appends entries, and says the number of the first.
pub(crate) async fn append_all(
    provider: &Provider,
    realm: Digest,
    transaction: &mut Connection,
    new: impl IntoIterator<Item = NewEntry>,
) -> Result<u64, Error> {
    let (last, mut previous_hash) = store::audit::head(transaction).await?.unwrap_or((0, realm));
    let link = |(seq, new): (u64, NewEntry)| {
        let NewEntry { at, event, subject, detail_json } = new;
        let event = event.name().to_owned();
        let mut entry = AuditEntry { seq, at, event, subject, detail_json, previous_hash, hash: realm };
        entry.hash = hash(provider, &entry);
        previous_hash = entry.hash;
        entry
    };
    let entries: Vec<AuditEntry> = (last + 1..).zip(new).map(link).collect();
    store::audit::insert(transaction, &entries).await?;
    Ok(last + 1)
}

fn check_link(provider: &Provider, last: u64, head: &Digest, entry: &AuditEntry) -> Option<AuditFault> {
    if entry.seq != last + 1 {
        Some(AuditFault::Missing)
    } else if entry.previous_hash != *head {
        Some(AuditFault::PreviousHash)
    } else {
        (entry.hash != hash(provider, entry)).then_some(AuditFault::Hash)
    }
}

/// SHA-256 of a version byte and the entry as a CBOR array.
fn hash(provider: &Provider, entry: &AuditEntry) -> Digest {
    let mut encoder = minicbor::Encoder::new(Vec::with_capacity(entry.detail_json.len() + 128));
    let written = (|| {
        encoder.array(6)?.u64(entry.seq)?.u64(entry.at.unix_secs())?.str(&entry.event)?.str(&entry.subject)?;
        encoder.str(&entry.detail_json)?.bytes(entry.previous_hash.as_ref())?;
        Ok::<_, minicbor::encode::Error<core::convert::Infallible>>(())
    })();
    written.expect("writing to memory succeeds");
    (provider.sha256)(&[&[AUDIT_VERSION], &encoder.into_writer()])
}

const AUDIT_VERSION: u8 = 1;
const PAGE: u32 = 1000;
