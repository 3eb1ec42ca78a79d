//! A client's store in one SQLite file. Several processes may read it; writes are checked against the record
//! that tells where the store stands, so that two processes cannot overwrite each other.

use std::cell::RefCell;
use std::path::Path;

use admit_client::{Change, KeyValue, Precondition, StorageError};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Connection, Executor, Row, Sqlite, Transaction};
use tokio::runtime::{Builder, Runtime};

/// Records in a table of a SQLite file.
pub(crate) struct SqliteKeyValue {
    runtime: Runtime,
    connection: RefCell<SqliteConnection>,
}

impl SqliteKeyValue {
    /// Opens the file, and makes it where it is missing.
    pub(crate) fn open(path: &Path) -> Result<Self, StorageError> {
        let runtime = Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY_TIMEOUT);
        let connection = runtime.block_on(async {
            let mut connection = SqliteConnection::connect_with(&options).await?;
            connection.execute(CREATE).await?;
            Ok::<_, sqlx::Error>(connection)
        });
        Ok(Self { runtime, connection: RefCell::new(connection.map_err(failed)?) })
    }
}

impl KeyValue for SqliteKeyValue {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StorageError> {
        let connection = &mut *self.connection.borrow_mut();
        let query = sqlx::query("SELECT value FROM record WHERE key = $1").bind(key);
        let row = self.runtime.block_on(query.fetch_optional(connection)).map_err(failed)?;
        row.map(|row| row.try_get(0).map_err(failed)).transpose()
    }

    fn is_empty(&self) -> Result<bool, StorageError> {
        let connection = &mut *self.connection.borrow_mut();
        let query = sqlx::query_scalar("SELECT NOT EXISTS (SELECT 1 FROM record)");
        self.runtime.block_on(query.fetch_one(connection)).map_err(failed)
    }

    fn commit(&mut self, precondition: &Precondition, changes: &[Change]) -> Result<(), StorageError> {
        let connection = self.connection.get_mut();
        self.runtime.block_on(async {
            let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
            let current: Option<Vec<u8>> = sqlx::query_scalar("SELECT value FROM record WHERE key = $1")
                .bind(&precondition.key)
                .fetch_optional(&mut *transaction)
                .await
                .map_err(failed)?;
            if current != precondition.value {
                return Err(StorageError::Conflict);
            }
            for change in changes {
                apply(&mut transaction, change).await.map_err(failed)?;
            }
            transaction.commit().await.map_err(failed)
        })
    }
}

async fn apply(transaction: &mut Transaction<'_, Sqlite>, change: &Change) -> Result<(), sqlx::Error> {
    let query = match change {
        Change::Put { key, value } => {
            sqlx::query("INSERT INTO record (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = $2")
                .bind(key)
                .bind(value)
        }
        Change::Delete { key } => sqlx::query("DELETE FROM record WHERE key = $1").bind(key),
    };
    query.execute(&mut **transaction).await.map(drop)
}

fn failed(error: impl core::fmt::Display) -> StorageError {
    StorageError::Failed { detail: error.to_string() }
}

const CREATE: &str = "CREATE TABLE IF NOT EXISTS record (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID";
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
}
