//! Sealed, versioned records in a key-value storage, and where they stand. A [tree](crate::tree) over all of them, whose
//! root is in the position record, tells a record from an older copy of itself and a missing one from one that never was.

use admit_crypto::record::{self, Opened};
use admit_crypto::{Digest, Entropy, Provider, RecordKey};
use admit_protocol::acquire::StorePosition;
use minicbor::{Decode, Encode};

use crate::branches::Branches;
use crate::tree::Update;
use crate::write::Write;
use crate::{Change, Error, KeyValue, Precondition, StorageError};

/// Records in one storage. Every write moves the position, and the storage refuses one when another process moved it
/// first.
pub(crate) struct Ledger<'p, K> {
    provider: &'p Provider,
    storage: K,
    realm: Digest,
    key: RecordKey,
    position: Position,
    sealed_position: Option<Vec<u8>>,
    branches: Branches,
}

/// Where a ledger stands, and the root of the tree; none where there is no record at all.
#[derive(Debug, Clone, Copy, Encode, Decode)]
#[cbor(map)]
struct Position {
    #[n(1)]
    at: StorePosition,
    #[n(2)]
    root: Option<Digest>,
}

impl<'p, K: KeyValue> Ledger<'p, K> {
    /// Opens it. An empty storage becomes a new one with the first write.
    pub(crate) fn open(
        provider: &'p Provider,
        storage: K,
        realm: Digest,
        key: RecordKey,
        entropy: &mut dyn Entropy,
    ) -> Result<Self, Error> {
        let sealed_position = storage.get(POSITION)?;
        if sealed_position.is_none() && !storage.is_empty()? {
            return Err(Error::StoreIncomplete);
        }
        let position = Position::first(entropy);
        let branches = Branches::default();
        let mut ledger = Self { provider, storage, realm, key, position, sealed_position, branches };
        if let Some(sealed) = &ledger.sealed_position {
            ledger.position = decode(POSITION, &ledger.unseal(POSITION, sealed)?)?;
        }
        Ok(ledger)
    }

    pub(crate) const fn realm(&self) -> Digest {
        self.realm
    }

    pub(crate) const fn key(&self) -> &RecordKey {
        &self.key
    }

    pub(crate) const fn position(&self) -> StorePosition {
        self.position.at
    }

    pub(crate) const fn root(&self) -> Option<Digest> {
        self.position.root
    }

    pub(crate) const fn branches(&self) -> &Branches {
        &self.branches
    }

    pub(crate) fn into_storage(self) -> K {
        self.storage
    }

    /// Looks again where it stands, after another process moved it.
    pub(crate) fn refresh(&mut self) -> Result<(), Error> {
        let Some(sealed) = self.storage.get(POSITION)? else {
            return if self.sealed_position.is_none() { Ok(()) } else { Err(Error::StoreIncomplete) };
        };
        let position: Position = decode(POSITION, &self.unseal(POSITION, &sealed)?)?;
        let (known, found) = (self.position.at, position.at);
        if self.sealed_position.is_some() && (found.epoch != known.epoch || found.sequence < known.sequence) {
            return Err(tampered(POSITION));
        }
        self.position = position;
        self.sealed_position = Some(sealed);
        Ok(())
    }

    /// Reads several records at once.
    pub(crate) fn at_once<T>(&self, read: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
        self.storage.at_once(read)?
    }

    /// One record, as it was last written; none where there is none.
    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<Opened>, Error> {
        match self.digest_of(key)? {
            Some(expected) => self.get_as(key, expected).map(Some),
            None if self.storage.get(key)?.is_none() => Ok(None),
            None => Err(self.mismatch(key)),
        }
    }

    /// The record under this key, whose sealed bytes must have this digest.
    pub(crate) fn get_as(&self, key: &[u8], expected: Digest) -> Result<Opened, Error> {
        let sealed = self.storage.get(key)?.filter(|sealed| self.digest(sealed) == expected);
        self.unseal(key, &sealed.ok_or_else(|| self.mismatch(key))?)
    }

    /// Makes writes and moves the position, all in one.
    pub(crate) fn commit(&mut self, writes: Vec<Write>, entropy: &mut dyn Entropy) -> Result<(), Error> {
        let seal = |write| match write {
            Write::Put { key, plaintext } => Change::Put { value: self.seal(&key, &plaintext, entropy), key },
            Write::Delete { key } => Change::Delete { key },
        };
        let mut changes: Vec<Change> = writes.into_iter().map(seal).collect();
        let head = self.next_head(&changes);
        let (root, nodes) = Update::make(self, &changes, entropy)?;
        changes.extend(nodes.changes);
        let StorePosition { epoch, sequence, .. } = self.position.at;
        let next = Position { at: StorePosition { epoch, sequence: sequence + 1, head }, root };
        let sealed = self.seal(POSITION, &encode(&next), entropy);
        changes.push(Change::Put { key: POSITION.to_vec(), value: sealed.clone() });
        let precondition = Precondition { key: POSITION.to_vec(), value: self.sealed_position.clone() };
        self.storage.commit(&precondition, &changes)?;
        self.position = next;
        self.sealed_position = Some(sealed);
        for (path, digest, children) in nodes.branches {
            self.branches.keep(&path, digest, &children);
        }
        Ok(())
    }

    /// A record is not what the tree says: another process moved on, or somebody else put it there.
    pub(crate) fn mismatch(&self, key: &[u8]) -> Error {
        self.check_position().err().unwrap_or_else(|| tampered(key))
    }

    /// It stands where it stood, and no other process moved on.
    pub(crate) fn check_position(&self) -> Result<(), Error> {
        let is_same = self.storage.get(POSITION)? == self.sealed_position;
        if is_same { Ok(()) } else { Err(StorageError::Conflict.into()) }
    }

    pub(crate) fn digest(&self, sealed: &[u8]) -> Digest {
        (self.provider.sha256)(&[sealed])
    }

    /// A version byte, then a record that is sealed for that version and its place.
    pub(crate) fn seal(&self, at: &[u8], plaintext: &[u8], entropy: &mut dyn Entropy) -> Vec<u8> {
        let context = [&[VERSION][..], self.realm.as_bytes(), at];
        let sealed = record::seal(self.provider, &self.key, &context, plaintext, entropy);
        [&[VERSION][..], &sealed].concat()
    }

    fn unseal(&self, at: &[u8], sealed: &[u8]) -> Result<Opened, Error> {
        let (&version, sealed) = sealed.split_first().ok_or_else(|| tampered(at))?;
        if version != VERSION {
            return Err(Error::StoreVersion { record: hex(at), version });
        }
        let context = [&[VERSION][..], self.realm.as_bytes(), at];
        record::open(self.provider, &self.key, &context, sealed).map_err(|_| tampered(at))
    }

    /// SHA-256 of the head so far and every change: key, then the sealed bytes or nothing.
    fn next_head(&self, changes: &[Change]) -> Digest {
        let mut head = self.position.at.head;
        for change in changes {
            let (kind, key, value): (&[u8], _, &[u8]) = match change {
                Change::Put { key, value } => (b"+", key, value),
                Change::Delete { key } => (b"-", key, &[]),
            };
            head = (self.provider.sha256)(&[head.as_bytes(), kind, &(key.len() as u64).to_be_bytes(), key, value]);
        }
        head
    }
}

impl Position {
    fn first(entropy: &mut dyn Entropy) -> Self {
        let mut epoch = [0; 16];
        entropy.fill(&mut epoch);
        let at = StorePosition { epoch: epoch.into(), sequence: 0, head: Digest::from_bytes([0; 32]) };
        Self { at, root: None }
    }
}

pub(crate) fn tampered(key: &[u8]) -> Error {
    Error::StoreTampered { record: hex(key) }
}

pub(crate) fn decode<'b, T: Decode<'b, ()>>(key: &[u8], record: &'b Opened) -> Result<T, Error> {
    minicbor::decode(record.bytes())
        .map_err(|error| Error::StoreRecord { record: hex(key), position: error.position().unwrap_or(0) })
}

pub(crate) fn encode<T: Encode<()>>(value: &T) -> Vec<u8> {
    minicbor::to_vec(value).expect("writing to memory succeeds")
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The version of the store's records. Version 1 had no tree, version 2 three records for each license.
const VERSION: u8 = 3;
const POSITION: &[u8] = b"p";
