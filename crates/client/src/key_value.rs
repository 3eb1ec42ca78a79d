//! The tiny trait under the store: sealed records by key, changed together or not at all.

use std::collections::BTreeMap;

/// One change to a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Writes a record.
    Put {
        /// The record's key.
        key: Vec<u8>,
        /// Its sealed bytes.
        value: Vec<u8>,
    },
    /// Removes a record.
    Delete {
        /// The record's key.
        key: Vec<u8>,
    },
}

/// What must still be so when changes are made: another process may have been there in between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Precondition {
    /// The record's key.
    pub key: Vec<u8>,
    /// Its bytes, or none where there was no record.
    pub value: Option<Vec<u8>>,
}

/// The storage below failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StorageError {
    /// Another process changed the store in between; the step can be tried again.
    #[error("another process changed the store")]
    Conflict,
    /// The storage cannot be read or written.
    #[error("storage failed: {detail}")]
    Failed {
        /// What the storage said.
        detail: String,
    },
}

/// Keys and sealed bytes of records, in the order of their keys.
pub type Records = Vec<(Vec<u8>, Vec<u8>)>;

/// Records by key, in the order of their keys.
pub trait KeyValue {
    /// One record.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StorageError>;

    /// Every record whose key begins with `prefix`, in order, with its key.
    fn scan(&self, prefix: &[u8]) -> Result<Records, StorageError>;

    /// Makes all changes if the precondition holds, durably, or none of them.
    fn commit(&mut self, precondition: &Precondition, changes: &[Change]) -> Result<(), StorageError>;
}

/// Records in memory: for licenses that may not outlive the session, and for tests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemoryKeyValue {
    records: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl KeyValue for MemoryKeyValue {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StorageError> {
        Ok(self.records.get(key).cloned())
    }

    fn scan(&self, prefix: &[u8]) -> Result<Records, StorageError> {
        let from_prefix = self.records.range(prefix.to_vec()..);
        let matching = from_prefix.take_while(|(key, _)| key.starts_with(prefix));
        Ok(matching.map(|(key, value)| (key.clone(), value.clone())).collect())
    }

    fn commit(&mut self, precondition: &Precondition, changes: &[Change]) -> Result<(), StorageError> {
        if self.records.get(&precondition.key) != precondition.value.as_ref() {
            return Err(StorageError::Conflict);
        }
        for change in changes {
            match change {
                Change::Put { key, value } => self.records.insert(key.clone(), value.clone()),
                Change::Delete { key } => self.records.remove(key),
            };
        }
        Ok(())
    }
}
