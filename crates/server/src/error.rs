//! What can go wrong with a home and its database, grouped by who can remove the cause. What a client is told over
//! HTTP is a [`crate::refusal::Refusal`].

use std::io;
use std::path::PathBuf;

use admit_license::KeyId;
use admit_protocol::Code;

use crate::home::{ClockServiceFault, Mistake};
use crate::pkcs11::Pkcs11Fault;
use crate::token::TokenKeyFault;

/// An operation on a home failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no home at this path.
    #[error("{} is no home: there is no admit.toml", path.display())]
    NoHome {
        /// Where one was looked for.
        path: PathBuf,
    },
    /// Something is already there; nothing was changed.
    #[error("{} already exists and is not an empty folder", path.display())]
    HomeExists {
        /// The path.
        path: PathBuf,
    },
    /// The database belongs to a realm already.
    #[error("the database holds a realm already")]
    DatabaseTaken,
    /// Another process is making this home.
    #[error("another process is making the home {}", path.display())]
    HomeInProgress {
        /// The home.
        path: PathBuf,
    },
    /// Another process rotates the keys, or backs them up.
    #[error("another process rotates or backs up the keys in {}", path.display())]
    KeysInUse {
        /// The folder of secrets.
        path: PathBuf,
    },
    /// A file of secrets can be read by others than its owner.
    #[error("{} can be read by others than its owner (mode {mode:04o})", path.display())]
    SecretReadable {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The operator's name cannot stand in certificates.
    #[error("the operator's name must have 1 to {limit} characters, no control characters and no spaces around it")]
    Name {
        /// The most characters.
        limit: usize,
    },
    /// Settings are not as they must be.
    #[error("{}", crate::home::all_mistakes(mistakes))]
    Configuration {
        /// All that is wrong.
        mistakes: Vec<Mistake>,
    },
    /// The acquisition policy is not as it must be.
    #[error("{}", crate::policy::all_mistakes(mistakes))]
    Policy {
        /// All that is wrong.
        mistakes: Vec<crate::policy::Mistake>,
    },
    /// A file could not be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// A TLS certificate or its key cannot be used.
    #[error("TLS: {}: {fault}", path.display())]
    Tls {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        fault: crate::tls::TlsFault,
    },
    /// The database did not do what was asked.
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
    /// More is asked than can be answered.
    #[error("more is asked of the database than it can answer")]
    Overloaded,
    /// Work that was done together with that of other requests failed, and one of them has the error.
    #[error("together with other requests: {reason}")]
    Shared {
        /// The code of what went wrong.
        code: Code,
        /// Whether it is over when the database can work again.
        unavailable: bool,
        /// What went wrong.
        reason: String,
    },
    /// The database has a schema this program cannot bring up to date.
    #[error("database schema: {0}")]
    Schema(#[from] sqlx::migrate::MigrateError),
    /// A stored value is not what this program stores there: damaged, altered, or under another key.
    #[error("{table}, row {row}: {column} is damaged, or sealed under another key-encryption key")]
    Damaged {
        /// The table.
        table: &'static str,
        /// The row.
        row: String,
        /// The column.
        column: &'static str,
    },
    /// The key id is registered with another key or for other content.
    #[error("key id {key_id} is already registered, and not with this key, class and content")]
    KeyExists {
        /// The key id.
        key_id: KeyId,
    },
    /// A key that browsers are shown cannot ask anything of who gets it.
    #[error("a key of class clearkey has no least level or version: browsers have none to show")]
    ClearKeyMinimum,
    /// The home does not say where clients reach it.
    #[error("the home has no public_address in admit.toml, which content headers carry")]
    NoPublicAddress,
    /// A content id or title cannot be kept.
    #[error("a {what} has 1 to {limit} characters, no control characters and no spaces around it")]
    ContentName {
        /// Which of them.
        what: &'static str,
        /// The most characters.
        limit: usize,
    },
    /// A license page is not where a browser could go.
    #[error("the license page is not an absolute http or https address")]
    LicensePage,
    /// A content header cannot say this.
    #[error("content header: {0}")]
    Header(admit_license::Error),
    /// An operator token cannot have this name.
    #[error("an operator token's name has 1 to {limit} characters and no control characters")]
    OperatorTokenName {
        /// The most characters.
        limit: usize,
    },
    /// There is an operator token of this name, or there was one.
    #[error("there is or was an operator token named {name:?}")]
    OperatorTokenExists {
        /// The name.
        name: String,
    },
    /// A text cannot stand in the audit record, which keeps it for good.
    #[error("{what} has at most {limit} bytes and no control characters")]
    Unrecordable {
        /// What was to be recorded.
        what: &'static str,
        /// The most bytes.
        limit: usize,
    },
    /// No client has this certificate.
    #[error("no client of this realm has the certificate {fingerprint}")]
    UnknownClient {
        /// The certificate that was named.
        fingerprint: admit_crypto::Digest,
    },
    /// A certificate or signed object could not be made or does not hold.
    #[error("certificate: {0}")]
    Trust(#[from] admit_trust::Error),
    /// A request for a device's certificate is not as it must be.
    #[error("{0}")]
    DeviceRequest(#[from] admit_protocol::Error),
    /// The request is a PC's.
    #[error("the request is not one of a portable device or medium")]
    NotADevice,
    /// An SDMI-compliant medium has no serial number.
    #[error("an SDMI-compliant medium needs a serial number in its hardware")]
    NoHardwareSerial,
    /// The root key does not open with this passphrase, or the file is no encrypted P-256 key.
    #[error("the root key is not an encrypted P-256 key, or the passphrase is wrong")]
    RootKey,
    /// The database is not SQLite's.
    #[error("the home's database is PostgreSQL's, which has backups of its own")]
    NotSqlite,
    /// The root key is another realm's.
    #[error("the root key is not the one of this realm")]
    OtherRootKey,
    /// Nothing can be renewed under a root that has ended.
    #[error("the trust root ended {at}: nothing can be renewed under it")]
    RootEnded {
        /// When.
        at: admit_time::Timestamp,
    },
    /// The database is sealed under a key-encryption key that is not in this home.
    #[error("the database is sealed under the key-encryption key {id}, which is not in secrets/")]
    NoSealingKey {
        /// The key's name.
        id: admit_crypto::Digest,
    },
    /// The backup was made without its key-encryption key, and none was named.
    #[error("the backup {} holds no key-encryption key", path.display())]
    NoKeyInBackup {
        /// The backup.
        path: PathBuf,
    },
    /// The backup is sealed under another key-encryption key than those that were named or are in it.
    #[error("the backup is sealed under the key-encryption key {id}, which is neither in it nor named")]
    OtherKeyOfBackup {
        /// The name of the right key.
        id: admit_crypto::Digest,
    },
    /// The key in the PKCS#11 token cannot be used.
    #[error("PKCS#11: {0}")]
    Pkcs11(#[from] Pkcs11Fault),
    /// A key for tokens is not taken, or not there.
    #[error("{0}")]
    TokenKey(#[from] TokenKeyFault),
    /// A clock service is not listed, or not taken from the list.
    #[error("{0}")]
    ClockService(#[from] ClockServiceFault),
    /// A page could not be written.
    #[error("page: {reason}")]
    Page {
        /// Why.
        reason: String,
    },
    /// A token would be valid for longer than the operator allows.
    #[error("the token would be valid for {asked_days} days, and the longest allowed is {limit_days}")]
    TokenLifetime {
        /// What was asked for.
        asked_days: u64,
        /// The longest.
        limit_days: u64,
    },
}

impl Error {
    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }

    pub(crate) fn damaged_document() -> Self {
        Self::Damaged { table: crate::store::realm::TABLE, row: "1".to_owned(), column: "document" }
    }

    /// Whether the database is the cause. What others share is counted once, with whose it was.
    pub(crate) fn is_of_database(&self) -> bool {
        matches!(self, Self::Database(_))
    }

    /// Whether the cause may be one of several rows, and not the database.
    pub(crate) fn may_be_of_one_row(&self) -> bool {
        match self {
            Self::Database(error) => error.as_database_error().is_some_and(|error| {
                error.is_unique_violation() || error.is_foreign_key_violation() || error.is_check_violation()
            }),
            Self::Damaged { .. } => true,
            _ => false,
        }
    }

    /// Whether the cause is the database's state and not what was asked: the same request may succeed later.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        match self {
            Self::Database(error) => is_busy(error) || is_out_of_order(error),
            Self::Overloaded => true,
            Self::Shared { unavailable, .. } => *unavailable,
            _ => false,
        }
    }

    /// The same error for everybody else whom it concerns.
    pub(crate) fn shared(&self) -> impl Iterator<Item = Self> + use<> {
        let reason = if let Self::Shared { reason, .. } = self { reason.clone() } else { self.to_string() };
        let (code, unavailable) = (self.code(), self.is_unavailable());
        std::iter::repeat_with(move || Self::Shared { code, unavailable, reason: reason.clone() })
    }

    /// The code that stands for this error.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::NoHome { .. } => Code::ADMIT_E_NO_HOME,
            Self::HomeExists { .. } | Self::HomeInProgress { .. } => Code::ADMIT_E_HOME_EXISTS,
            Self::Configuration { .. } | Self::NoPublicAddress => Code::ADMIT_E_CONFIGURATION,
            Self::Policy { .. } => Code::ADMIT_E_POLICY_FAILED,
            Self::Header(error) => error.into(),
            Self::Io { .. } | Self::SecretReadable { .. } | Self::Tls { .. } => Code::ADMIT_E_FILE,
            Self::Database(error) if is_busy(error) => Code::ADMIT_E_STORE_BUSY,
            Self::Overloaded | Self::KeysInUse { .. } => Code::ADMIT_E_STORE_BUSY,
            Self::Shared { code, .. } => *code,
            Self::Database(_) | Self::Page { .. } => Code::ADMIT_E_SERVER,
            Self::Schema(_) => Code::ADMIT_E_STORE_VERSION,
            Self::NoSealingKey { .. } | Self::NoKeyInBackup { .. } | Self::OtherKeyOfBackup { .. } => {
                Code::ADMIT_E_FILE
            }
            Self::Pkcs11(_) => Code::ADMIT_E_KEY_IN_TOKEN,
            Self::Damaged { .. } => Code::ADMIT_E_STORE_TAMPERED,
            Self::KeyExists { .. } => Code::ADMIT_E_KEY_EXISTS,
            Self::ClearKeyMinimum => Code::ADMIT_E_NOT_FOR_CLEARKEY,
            Self::UnknownClient { .. } => Code::ADMIT_E_CLIENT_CERTIFICATE_UNKNOWN,
            Self::Trust(_) => Code::ADMIT_E_BAD_SIGNATURE,
            Self::DeviceRequest(error) => error.into(),
            Self::NotADevice => Code::ADMIT_E_NO_DEVICE,
            Self::NoHardwareSerial => Code::ADMIT_E_NO_HARDWARE_SERIAL,
            Self::Name { .. }
            | Self::DatabaseTaken
            | Self::RootKey
            | Self::OtherRootKey
            | Self::RootEnded { .. }
            | Self::TokenKey(_)
            | Self::ClockService(_)
            | Self::NotSqlite
            | Self::ContentName { .. }
            | Self::LicensePage
            | Self::TokenLifetime { .. }
            | Self::OperatorTokenName { .. }
            | Self::Unrecordable { .. }
            | Self::OperatorTokenExists { .. } => Code::ADMIT_E_USAGE,
        }
    }
}

/// The database is at work for others, and there was no turn or free connection in time.
fn is_busy(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::PoolTimedOut) || is_one_of(error, &[SQLITE_BUSY], &[LOCK_NOT_AVAILABLE])
}

/// The database cannot be reached or cannot write, which passes without a change of what was asked.
fn is_out_of_order(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed)
        || is_one_of(error, SQLITE_OUT_OF_ORDER, POSTGRES_OUT_OF_ORDER)
}

/// Whether the database's code is among these: of SQLite the primary result code, which is the lowest byte of the
/// extended one; of PostgreSQL the beginning of the five characters of SQLSTATE.
fn is_one_of(error: &sqlx::Error, sqlite: &[u32], postgres: &[&str]) -> bool {
    let Some(code) = error.as_database_error().and_then(sqlx::error::DatabaseError::code) else { return false };
    if code.len() == SQLSTATE_LENGTH {
        return postgres.iter().any(|class| code.starts_with(class));
    }
    code.parse::<u32>().is_ok_and(|code| sqlite.contains(&(code & 0xff)))
}

const SQLITE_BUSY: u32 = 5;
/// SQLITE_READONLY, SQLITE_IOERR, SQLITE_FULL and SQLITE_CANTOPEN. No extended code has five digits.
const SQLITE_OUT_OF_ORDER: &[u32] = &[8, 10, 13, 14];
const LOCK_NOT_AVAILABLE: &str = "55P03";
/// Connection exceptions, read-only transactions (of a standby), insufficient resources (a full disk among them),
/// deadlocks and cancelled transactions, intervention of an operator, errors of the system.
const POSTGRES_OUT_OF_ORDER: &[&str] = &["08", "25006", "53", "40", "57", "58"];
const SQLSTATE_LENGTH: usize = 5;
