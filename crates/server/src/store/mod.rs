//! The database: one file per table, statements that SQLite and PostgreSQL both take. The only lines that are
//! SQLite's own are in this file.
//!
//! Reads go through a small pool, writes through one connection: SQLite has one writer at a time, and waiting for
//! it in the pool's queue is fair, where waiting in the database is not.

pub(crate) mod acquisition;
pub(crate) mod audit;
pub(crate) mod client;
pub(crate) mod content_key;
pub(crate) mod operator_token;
pub(crate) mod realm;
pub(crate) mod service_key;
pub(crate) mod token_key;

use std::path::Path;
use std::time::Duration;

use admit_crypto::Digest;
use admit_time::Timestamp;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, SqlSafeStr as _};

use crate::Error;

/// The database this build uses.
pub(crate) type Database = sqlx::Sqlite;
/// A connection to it.
pub(crate) type Connection = sqlx::SqliteConnection;
/// A row of an answer.
pub(crate) type Row = sqlx::sqlite::SqliteRow;
/// A transaction that writes.
pub(crate) type Transaction = sqlx::Transaction<'static, Database>;

/// The open database.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    readers: sqlx::Pool<Database>,
    writer: sqlx::Pool<Database>,
}

impl Store {
    /// Makes the database file and its schema.
    pub(crate) async fn create(path: &Path) -> Result<Self, Error> {
        Self::connect(path, true).await
    }

    /// Opens an existing database and brings its schema up to date.
    pub(crate) async fn open(path: &Path) -> Result<Self, Error> {
        Self::connect(path, false).await
    }

    async fn connect(path: &Path, create: bool) -> Result<Self, Error> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(create)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT)
            .disable_statement_logging();
        let pool = |connections| SqlitePoolOptions::new().max_connections(connections).acquire_timeout(BUSY_TIMEOUT);
        let writer = pool(1).connect_with(options.clone()).await?;
        migrations().run(&writer).await?;
        let readers = pool(READERS).connect_lazy_with(options.read_only(true));
        Ok(Self { readers, writer })
    }

    /// A connection to read with.
    pub(crate) async fn read(&self) -> Result<PoolConnection<Database>, Error> {
        Ok(self.readers.acquire().await?)
    }

    /// A transaction that holds the write lock from its beginning, so that what it reads stays true until it ends.
    pub(crate) async fn write(&self) -> Result<Transaction, Error> {
        Ok(self.writer.begin_with("BEGIN IMMEDIATE").await?)
    }

    /// Closes all connections; the write-ahead log is folded into the file.
    pub(crate) async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

fn migrations() -> Migrator {
    let files = [
        (1, "initial", include_str!("../../migrations/0001_initial.sql")),
        (2, "operator tokens", include_str!("../../migrations/0002_operator_tokens.sql")),
    ];
    let migration = |(version, name, sql): (i64, &'static str, &'static str)| {
        Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
    };
    Migrator::with_migrations(files.map(migration).to_vec())
}

/// A time as the database holds it.
pub(crate) fn secs(time: Timestamp) -> i64 {
    i64::try_from(time.unix_secs()).expect("a timestamp is at most the year 9999")
}

/// A stored value that is not what this program stores there.
pub(crate) struct At<'a> {
    pub(crate) table: &'static str,
    pub(crate) row: &'a (dyn std::fmt::Display + Sync),
}

impl At<'_> {
    pub(crate) fn damaged(&self, column: &'static str) -> Error {
        Error::Damaged { table: self.table, row: self.row.to_string(), column }
    }

    pub(crate) fn time(&self, column: &'static str, secs: i64) -> Result<Timestamp, Error> {
        u64::try_from(secs).map(Timestamp::from_unix_secs).map_err(|_| self.damaged(column))
    }

    pub(crate) fn digest(&self, column: &'static str, bytes: &[u8]) -> Result<Digest, Error> {
        Digest::from_slice(bytes).ok_or_else(|| self.damaged(column))
    }

    pub(crate) fn number<T: TryFrom<i64>>(&self, column: &'static str, value: i64) -> Result<T, Error> {
        T::try_from(value).map_err(|_| self.damaged(column))
    }
}

const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
const READERS: u32 = 4;
