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

/// Records by key.
pub trait KeyValue {
    /// One record.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StorageError>;

    /// Calls `read`, for which the records are as they were at one time, where the storage can do so; and reading several at
    /// once may cost less. It is not called within itself.
    fn at_once<T>(&self, read: impl FnOnce() -> T) -> Result<T, StorageError> {
        Ok(read())
    }

    /// Whether there is no record at all.
    fn is_empty(&self) -> Result<bool, StorageError>;

    /// Makes all changes if the precondition holds, durably, or none of them.
    fn commit(&mut self, precondition: &Precondition, changes: &[Change]) -> Result<(), StorageError>;
}

/// Records in memory: for licenses that may not outlive the session, and for tests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemoryKeyValue {
    records: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl MemoryKeyValue {
    /// All records, in the order of their keys.
    pub fn records(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.records.iter().map(|(key, value)| (key.as_slice(), value.as_slice()))
    }
}

impl KeyValue for MemoryKeyValue {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StorageError> {
        Ok(self.records.get(key).cloned())
    }

    fn is_empty(&self) -> Result<bool, StorageError> {
        Ok(self.records.is_empty())
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
