//! A client's store in one SQLite file. Several processes may read it; writes are checked against the record
//! that tells where the store stands, so that two processes cannot overwrite each other.

use std::cell::RefCell;
use std::path::Path;

use admit_client::{Change, KeyValue, Precondition, Records, StorageError};
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

    fn scan(&self, prefix: &[u8]) -> Result<Records, StorageError> {
        let connection = &mut *self.connection.borrow_mut();
        let query = match after(prefix) {
            Some(end) => sqlx::query("SELECT key, value FROM record WHERE key >= $1 AND key < $2 ORDER BY key")
                .bind(prefix)
                .bind(end),
            None => sqlx::query("SELECT key, value FROM record WHERE key >= $1 ORDER BY key").bind(prefix),
        };
        let rows = self.runtime.block_on(query.fetch_all(connection)).map_err(failed)?;
        let pair = |row: &sqlx::sqlite::SqliteRow| Ok((row.try_get(0)?, row.try_get(1)?));
        rows.iter().map(pair).collect::<Result<_, sqlx::Error>>().map_err(failed)
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

/// The first key behind every key with this prefix; none where there is no such key.
fn after(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|&byte| byte != u8::MAX)?;
    let mut end = prefix[..=last].to_vec();
    end[last] += 1;
    Some(end)
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
    fn a_prefix_ends_before_the_next_one() {
        assert_eq!(after(b"l"), Some(b"m".to_vec()));
        assert_eq!(after(b"l\xff\xff"), Some(b"m".to_vec()));
        assert_eq!(after(b"\xff"), None);
        assert_eq!(after(b""), None);
    }

    #[test]
    fn changes_are_made_together_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let mut first = SqliteKeyValue::open(&path).unwrap();
        let mut second = SqliteKeyValue::open(&path).unwrap();
        let nothing = Precondition { key: b"p".to_vec(), value: None };
        first.commit(&nothing, &[put(b"p", b"1"), put(b"la", b"x"), put(b"lb", b"y"), put(b"m", b"z")]).unwrap();
        assert_eq!(second.commit(&nothing, &[put(b"la", b"lost")]), Err(StorageError::Conflict));
        assert_eq!(second.get(b"la").unwrap(), Some(b"x".to_vec()));
        let scanned = second.scan(b"l").unwrap();
        assert_eq!(scanned, [(b"la".to_vec(), b"x".to_vec()), (b"lb".to_vec(), b"y".to_vec())]);
        assert_eq!(second.scan(b"").unwrap().len(), 4);
        let one = Precondition { key: b"p".to_vec(), value: Some(b"1".to_vec()) };
        second.commit(&one, &[put(b"p", b"2"), Change::Delete { key: b"la".to_vec() }]).unwrap();
        assert_eq!(first.get(b"la").unwrap(), None);
    }
}
