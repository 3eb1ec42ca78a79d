//! Opening the database, and all that SQLite and PostgreSQL do not have in common: settings of connections, names of
//! types in the schema, and how a writer gets its turn.
//!
//! Each lane reads through a small pool and writes through one connection. There is one writer at a time in either
//! database, and waiting for a turn in a queue of our own is fair.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::pool::PoolConnection;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, SqlSafeStr as _};

use tokio::sync::{Mutex, OwnedMutexGuard};

use super::{Connection, Database};
use crate::Error;

/// Where the database is.
#[derive(Clone, PartialEq, Eq)]
pub enum Location {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// A PostgreSQL server, by its URL.
    Postgres(String),
}

/// The open database. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    licenses: Lane,
    others: Lane,
    probes: Lane,
}

/// Connections of one kind of work, so that other work never waits for them to be free.
#[derive(Debug, Clone)]
pub(crate) struct Lane {
    backend: Backend,
    readers: sqlx::Pool<Database>,
    writer: sqlx::Pool<Database>,
    turn: Arc<Mutex<()>>,
    last_write_failed: Arc<AtomicBool>,
}

/// A connection while somebody has it.
pub(crate) struct Held {
    connection: PoolConnection<Database>,
    backend: Backend,
    /// Whether it may be used again.
    is_settled: bool,
}

/// A transaction in which nobody else writes. Dropped before [`Self::commit`], it changes nothing.
pub(crate) struct Transaction {
    connection: Held,
    outcome: Outcome,
    _turn: OwnedMutexGuard<()>,
}

/// Notes that a write failed, unless it is told before it goes that it did not.
struct Outcome {
    failed: Arc<AtomicBool>,
    committed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Backend {
    Sqlite,
    Postgres,
}

impl Location {
    const fn backend(&self) -> Backend {
        match self {
            Self::Sqlite(_) => Backend::Sqlite,
            Self::Postgres(_) => Backend::Postgres,
        }
    }

    fn options(&self, mode: &str) -> Result<AnyConnectOptions, Error> {
        let url = match self {
            Self::Sqlite(path) => format!("sqlite:{}?mode={mode}", percent_encoded(path)),
            Self::Postgres(url) => url.clone(),
        };
        Ok(url.parse::<AnyConnectOptions>().map_err(without_url)?.disable_statement_logging())
    }
}

/// A URL of PostgreSQL may hold a password.
impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => f.debug_tuple("Sqlite").field(path).finish(),
            Self::Postgres(_) => f.write_str("Postgres(secret)"),
        }
    }
}

impl Store {
    /// Makes the database file where it is SQLite's, and the schema.
    pub(crate) async fn create(location: &Location) -> Result<Self, Error> {
        Self::connect(location, "rwc").await
    }

    /// Opens an existing database and brings its schema up to date.
    pub(crate) async fn open(location: &Location) -> Result<Self, Error> {
        Self::connect(location, "rw").await
    }

    async fn connect(location: &Location, mode: &str) -> Result<Self, Error> {
        sqlx::any::install_default_drivers();
        let (backend, turn, last_write_failed) = (location.backend(), Arc::default(), Arc::default());
        let writer = backend.pool(1).connect_with(location.options(mode)?).await.map_err(without_url)?;
        backend.migrations().run(&writer).await?;
        let readers =
            |connections| Ok::<_, Error>(backend.pool(connections).connect_lazy_with(location.options("ro")?));
        let others = Lane { backend, readers: readers(READERS)?, writer, turn, last_write_failed };
        let lane = || {
            let writer = backend.pool(1).connect_lazy_with(location.options("rw")?);
            Ok::<_, Error>(Lane { readers: readers(1)?, writer, ..others.clone() })
        };
        Ok(Self { licenses: lane()?, probes: lane()?, others })
    }

    /// Whether other instances can be on it.
    pub(crate) fn is_shared(&self) -> bool {
        self.others.backend == Backend::Postgres
    }

    /// The lane of license delivery.
    pub(crate) const fn licenses(&self) -> &Lane {
        &self.licenses
    }

    /// A connection to read with, for everything but licenses.
    pub(crate) async fn read(&self) -> Result<Held, Error> {
        self.others.read().await
    }

    /// A transaction to write with, for everything but licenses.
    pub(crate) async fn write(&self) -> Result<Transaction, Error> {
        self.others.write().await
    }

    /// Copies a SQLite database as it is at this moment into an empty file. Others go on writing.
    pub(crate) async fn copy_to(&self, path: &Path) -> Result<(), Error> {
        let mut connection = Held::acquire(self.others.backend, &self.others.writer).await?;
        let path = path.to_str().ok_or(sqlx::Error::Protocol("the path of the copy is not text".to_owned()))?;
        sqlx::query("VACUUM INTO $1").bind(path).execute(&mut *connection).await?;
        Ok(())
    }

    /// Whether the database answers, and takes changes if it did not take the last one: a disk that is full is read as
    /// before. It has a lane of its own: what is busy with something slow is no database that fails.
    pub(crate) async fn probe(&self) -> Result<(), Error> {
        super::realm::load(&mut *self.probes.read().await?).await?;
        if self.probes.last_write_failed.load(Ordering::Relaxed) {
            let mut transaction = self.probes.write().await?;
            super::realm::touch(&mut transaction).await?;
            transaction.commit().await?;
        }
        Ok(())
    }

    /// Closes all connections; SQLite folds its write-ahead log into the file.
    pub(crate) async fn close(&self) {
        for lane in [&self.licenses, &self.others, &self.probes] {
            lane.readers.close().await;
            lane.writer.close().await;
        }
    }
}

impl Lane {
    /// A connection to read with.
    pub(crate) async fn read(&self) -> Result<Held, Error> {
        Held::acquire(self.backend, &self.readers).await
    }

    /// A transaction in which nobody else writes, so that what it reads stays true until it ends. Writers of this
    /// process take turns in the order in which they came; those of others are waited for by the database.
    pub(crate) async fn write(&self) -> Result<Transaction, Error> {
        let outcome = Outcome { failed: Arc::clone(&self.last_write_failed), committed: false };
        let turn = tokio::time::timeout(BUSY_TIMEOUT, Arc::clone(&self.turn).lock_owned());
        let turn = turn.await.map_err(|_| sqlx::Error::PoolTimedOut)?;
        let mut connection = Held::acquire(self.backend, &self.writer).await?;
        connection.is_settled = false;
        for statement in self.backend.begin() {
            connection.execute(*statement).await?;
        }
        Ok(Transaction { connection, outcome, _turn: turn })
    }
}

impl Transaction {
    /// Makes the changes, down to the disk.
    pub(crate) async fn commit(self) -> Result<(), sqlx::Error> {
        let Self { mut connection, mut outcome, _turn: turn } = self;
        connection.execute("COMMIT").await?;
        connection.is_settled = true;
        drop(connection);
        outcome.committed = true;
        drop(turn);
        Ok(())
    }
}

impl Held {
    async fn acquire(backend: Backend, pool: &sqlx::Pool<Database>) -> Result<Self, Error> {
        Ok(Self { connection: pool.acquire().await?, backend, is_settled: true })
    }
}

/// The pool asks a connection that comes back whether it is alive, and would wait for ever where the network swallows the
/// question. One in which a transaction did not end is closed, which undoes it.
impl Drop for Held {
    fn drop(&mut self) {
        match (self.is_settled, self.backend, tokio::runtime::Handle::try_current()) {
            (false, ..) => self.connection.close_on_drop(),
            (true, Backend::Postgres, Ok(runtime)) => {
                drop(runtime.spawn(tokio::time::timeout(ANSWER_TIMEOUT, self.connection.return_to_pool())));
            }
            // There is no network before a file, and to close one may take longer.
            (true, ..) => {}
        }
    }
}

impl Deref for Held {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl DerefMut for Held {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }
}

impl Drop for Outcome {
    fn drop(&mut self) {
        self.failed.store(!self.committed, Ordering::Relaxed);
    }
}

impl Deref for Transaction {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl DerefMut for Transaction {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }
}

impl Backend {
    fn pool(self, connections: u32) -> AnyPoolOptions {
        let pool = AnyPoolOptions::new().max_connections(connections).acquire_timeout(BUSY_TIMEOUT);
        let pool = pool.after_connect(move |connection, _| Box::pin(self.settings(connection)));
        match self {
            Self::Sqlite => pool,
            // The pool's own test waits for ever where the network swallows what is sent.
            Self::Postgres => {
                pool.test_before_acquire(false).before_acquire(|connection, _| Box::pin(answers(connection)))
            }
        }
    }

    const fn begin(self) -> &'static [&'static str] {
        match self {
            Self::Sqlite => &["BEGIN IMMEDIATE"],
            Self::Postgres => &["BEGIN", LOCK_WRITERS],
        }
    }

    async fn settings(self, connection: &mut Connection) -> Result<(), sqlx::Error> {
        let settings = match self {
            Self::Sqlite => SQLITE_SETTINGS,
            Self::Postgres => POSTGRES_SETTINGS,
        };
        for statement in settings {
            connection.execute(*statement).await?;
        }
        Ok(())
    }

    /// The schema's steps. They are written for SQLite; PostgreSQL calls two types by other names.
    fn migrations(self) -> Migrator {
        let migration = |(version, name, sql): &(i64, &'static str, &'static str)| {
            let sql = match self {
                Self::Sqlite => (*sql).to_owned(),
                Self::Postgres => sql.replace(" BLOB", " BYTEA").replace(" INTEGER", " BIGINT"),
            };
            let sql = AssertSqlSafe(sql).into_sql_str();
            Migration::new(*version, (*name).into(), MigrationType::Simple, sql, false)
        };
        Migrator::with_migrations(MIGRATIONS.iter().map(migration).collect())
    }
}

/// Whether the other end answers soon; a connection whose end does not is closed.
async fn answers(connection: &mut Connection) -> Result<bool, sqlx::Error> {
    let answered = tokio::time::timeout(ANSWER_TIMEOUT, connection.ping()).await;
    answered.unwrap_or(Err(sqlx::Error::PoolTimedOut)).map(|()| true)
}

/// What the driver says of a URL repeats parts of it, and it may hold a password.
fn without_url(error: sqlx::Error) -> sqlx::Error {
    match error {
        sqlx::Error::Configuration(_) => sqlx::Error::Configuration("the database's URL is not as it must be".into()),
        error => error,
    }
}

/// The part of a SQLite URL behind its scheme: percent signs, question marks and number signs have a meaning there.
fn percent_encoded(path: &Path) -> String {
    let path = path.to_string_lossy();
    path.replace('%', "%25").replace('?', "%3F").replace('#', "%23")
}

const MIGRATIONS: &[(i64, &str, &str)] = &[(1, "initial", include_str!("../../migrations/0001_initial.sql"))];

/// A license is on the disk before it leaves: `FULL` waits for the disk at each commit.
const SQLITE_SETTINGS: &[&str] = &[
    "PRAGMA busy_timeout = 10000",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
];
/// PostgreSQL ends a transaction whose connection was lost without a word; else its lock would stay for hours. None of
/// ours waits for anything but the database.
const POSTGRES_SETTINGS: &[&str] =
    &["SET synchronous_commit = on", "SET lock_timeout = '10s'", "SET idle_in_transaction_session_timeout = '2s'"];

/// Held to the end of the transaction. Any number would do; this is `admit` in ASCII.
const LOCK_WRITERS: &str = "SELECT pg_advisory_xact_lock(418296719732)";
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// A connection is given up that does not answer for so long while nothing is asked of it.
const ANSWER_TIMEOUT: Duration = Duration::from_millis(500);
const READERS: u32 = 4;

#[cfg(test)]
mod tests {
    use admit_crypto::Digest;
    use admit_time::Timestamp;

    use super::*;
    use crate::store::realm::{self, RealmRow, Sealing};

    async fn store(folder: &Path) -> Store {
        let store = Store::create(&Location::Sqlite(folder.join("admit.db"))).await.unwrap();
        let row = RealmRow {
            name: "Test".to_owned(),
            fingerprint: Digest::from_bytes([1; 32]),
            root_certificate: vec![2],
            document: vec![3],
            document_number: 1,
            enrol_level: 150,
            sealed_root_key: None,
            sealing: Sealing { key: Digest::from_bytes([4; 32]), retiring: None },
            created_at: Timestamp::from_unix_secs(1_800_000_000),
        };
        let mut transaction = store.write().await.unwrap();
        realm::insert(&mut transaction, &row).await.unwrap();
        transaction.commit().await.unwrap();
        store
    }

    #[tokio::test]
    async fn the_probe_needs_no_connection_that_others_may_hold() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path()).await;
        let mut held = Vec::new();
        for _ in 0..READERS {
            held.push(store.read().await.unwrap());
        }
        let licenses = store.licenses().read().await.unwrap();
        let written = store.write().await.unwrap();
        store.probe().await.unwrap();
        drop((held, licenses, written));
    }

    #[tokio::test]
    async fn the_probe_writes_with_a_connection_of_its_own_where_the_last_write_failed() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path()).await;
        drop(store.write().await.unwrap());
        let held = (store.others.writer.acquire().await.unwrap(), store.licenses.writer.acquire().await.unwrap());
        store.probe().await.unwrap();
        assert!(!store.others.last_write_failed.load(Ordering::Relaxed), "the probe's write was the last");
        drop(held);
    }
}
