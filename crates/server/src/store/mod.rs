//! The database: one file per table, one text per statement, which SQLite and PostgreSQL both take. What differs
//! between the two is in [`backend`].

pub(crate) mod acquisition;
pub(crate) mod audit;
pub(crate) mod backend;
pub(crate) mod challenge_key;
pub(crate) mod client;
pub(crate) mod clock;
pub(crate) mod content_key;
pub(crate) mod operator_token;
pub(crate) mod realm;
pub(crate) mod recovery;
pub(crate) mod rows;
pub(crate) mod sealed;
pub(crate) mod service_key;
pub(crate) mod store_position;
pub(crate) mod token_key;
pub(crate) mod token_use;

use admit_crypto::Digest;
use admit_time::Timestamp;

use crate::Error;

pub use backend::Location;
pub(crate) use backend::{Store, Transaction};

/// Either database.
pub(crate) type Database = sqlx::Any;
/// A connection to it.
pub(crate) type Connection = sqlx::AnyConnection;
/// A row of an answer.
pub(crate) type Row = sqlx::any::AnyRow;
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
