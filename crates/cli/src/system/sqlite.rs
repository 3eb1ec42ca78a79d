//! A client's store in one SQLite file. Several processes may read it; writes are checked against the record
//! that tells where the store stands, so that two processes cannot overwrite each other.

use std::path::Path;

use admit_client::{Change, KeyValue, Precondition, StorageError};
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, TransactionBehavior};

/// Records in a table of a SQLite file.
pub(crate) struct SqliteKeyValue {
    connection: Connection,
}

impl SqliteKeyValue {
    /// Opens the file, and makes it where it is missing.
    pub(crate) fn open(path: &Path) -> Result<Self, StorageError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
        connection.busy_timeout(BUSY_TIMEOUT).map_err(failed)?;
        connection.execute_batch(SETTINGS).map_err(failed)?;
        let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).map_err(failed)?;
        if mode != "wal" {
            return Err(StorageError::Failed { detail: format!("journal mode {mode} in place of wal") });
        }
        connection.execute_batch(CREATE).map_err(failed)?;
        Ok(Self { connection })
    }
}

impl KeyValue for SqliteKeyValue {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StorageError> {
        get(&self.connection, key).map_err(failed)
    }

    /// In one transaction: every transaction has two system calls for its lock, and two more for the length of the file.
    fn at_once<T>(&self, read: impl FnOnce() -> T) -> Result<T, StorageError> {
        run(&self.connection, "BEGIN").map_err(failed)?;
        let read = read();
        // Nothing was written, and what reading failed with says more than how the transaction ends. After some failures SQLite
        // has ended it already.
        if !self.connection.is_autocommit() && run(&self.connection, "COMMIT").is_err() {
            run(&self.connection, "ROLLBACK").map_err(failed)?;
        }
        Ok(read)
    }

    fn is_empty(&self) -> Result<bool, StorageError> {
        let query = "SELECT NOT EXISTS (SELECT 1 FROM record)";
        self.connection.query_row(query, [], |row| row.get(0)).map_err(failed)
    }

    fn commit(&mut self, precondition: &Precondition, changes: &[Change]) -> Result<(), StorageError> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        if get(&transaction, &precondition.key).map_err(failed)? != precondition.value {
            return Err(StorageError::Conflict);
        }
        changes.iter().try_for_each(|change| apply(&transaction, change)).map_err(failed)?;
        transaction.commit().map_err(failed)
    }
}

fn get(connection: &Connection, key: &[u8]) -> rusqlite::Result<Option<Vec<u8>>> {
    let mut query = connection.prepare_cached("SELECT value FROM record WHERE key = ?1")?;
    // Only who edits the file makes a value of another type: it is read as it is, and is no record.
    query.query_row([key], |row| Ok(row.get_ref(0)?.as_bytes().unwrap_or_default().to_vec())).optional()
}

fn run(connection: &Connection, statement: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(statement)?.execute([]).map(drop)
}

fn apply(connection: &Connection, change: &Change) -> rusqlite::Result<()> {
    let changed = match change {
        Change::Put { key, value } => connection.prepare_cached(PUT)?.execute([key, value]),
        Change::Delete { key } => connection.prepare_cached("DELETE FROM record WHERE key = ?1")?.execute([key]),
    };
    changed.map(drop)
}

/// Another process that has been writing for longer than the time-out is in the way, and nothing is wrong.
fn failed(error: rusqlite::Error) -> StorageError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy) => StorageError::Conflict,
        _ => StorageError::Failed { detail: error.to_string() },
    }
}

/// Rows are appended and found through the index on the key: in a table without row ids the values would lie in the index
/// itself, where few of them fit on a page and pages stay a third empty.
const CREATE: &str = "CREATE TABLE IF NOT EXISTS record (key BLOB NOT NULL UNIQUE, value BLOB NOT NULL)";
const PUT: &str =
    "INSERT INTO record (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
/// What is committed is on the disk; and the upper pages of a large store stay in memory.
const SETTINGS: &str = "PRAGMA synchronous = FULL; PRAGMA cache_size = -8192";
const BUSY_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    fn put(key: &[u8], value: &[u8]) -> Change {
        Change::Put { key: key.to_vec(), value: value.to_vec() }
    }

    #[test]
    fn changes_are_made_together_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let mut first = SqliteKeyValue::open(&path).unwrap();
        let mut second = SqliteKeyValue::open(&path).unwrap();
        assert!(second.is_empty().unwrap());
        let nothing = Precondition { key: b"p".to_vec(), value: None };
        first.commit(&nothing, &[put(b"p", b"1"), put(b"la", b"x"), put(b"lb", b"y"), put(b"m", b"z")]).unwrap();
        assert_eq!(second.commit(&nothing, &[put(b"la", b"lost")]), Err(StorageError::Conflict));
        assert_eq!(second.get(b"la").unwrap(), Some(b"x".to_vec()));
        assert_eq!(second.get(b"lb").unwrap(), Some(b"y".to_vec()));
        assert!(!second.is_empty().unwrap());
        let one = Precondition { key: b"p".to_vec(), value: Some(b"1".to_vec()) };
        second.commit(&one, &[put(b"p", b"2"), Change::Delete { key: b"la".to_vec() }]).unwrap();
        assert_eq!(first.get(b"la").unwrap(), None);
    }

    #[test]
    fn what_is_read_at_once_is_of_one_time_and_hinders_no_writer() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let (reader, mut writer) = (SqliteKeyValue::open(&path).unwrap(), SqliteKeyValue::open(&path).unwrap());
        let nothing = Precondition { key: b"p".to_vec(), value: None };
        let read = reader.at_once(|| {
            let before = reader.get(b"p").unwrap();
            writer.commit(&nothing, &[put(b"p", b"1")]).unwrap();
            (before, reader.get(b"p").unwrap())
        });
        assert_eq!(read, Ok((None, None)));
        assert_eq!(reader.get(b"p").unwrap(), Some(b"1".to_vec()));
        assert_eq!(reader.at_once(|| reader.get(b"p")).unwrap(), Ok(Some(b"1".to_vec())));
    }

    #[test]
    fn a_value_of_another_type_is_no_failure_of_the_storage() {
        let folder = tempfile::tempdir().unwrap();
        let mut storage = SqliteKeyValue::open(&folder.path().join("store.db")).unwrap();
        storage.commit(&Precondition { key: b"p".to_vec(), value: None }, &[put(b"p", b"1")]).unwrap();
        for (value, read) in [("'text'", b"text".to_vec()), ("7", Vec::new()), ("x'00'", vec![0])] {
            storage.connection.execute(&format!("UPDATE record SET value = {value}"), []).unwrap();
            assert_eq!(storage.get(b"p").unwrap(), Some(read));
        }
    }
}
