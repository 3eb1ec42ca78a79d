//! Table `token_keys`: the keys that sign entitlement tokens, each bound to one algorithm and one issuer.

use admit_time::Timestamp;
use sqlx::Row as _;

use super::{At, Connection, Row, secs};
use crate::Error;

/// A row. A key of this realm and a shared secret are sealed; somebody's public key is not.
#[derive(Debug)]
pub(crate) struct TokenKeyRow {
    pub(crate) kid: String,
    pub(crate) algorithm: String,
    pub(crate) issuer: String,
    pub(crate) public_key: Option<Vec<u8>>,
    pub(crate) sealed_secret: Option<Vec<u8>>,
    pub(crate) created_at: Timestamp,
    pub(crate) verifies_until: Option<Timestamp>,
}

/// Inserts a key, unless there is one of its name. Says whether it did.
pub(crate) async fn insert(connection: &mut Connection, row: &TokenKeyRow) -> Result<bool, Error> {
    let done = sqlx::query(
        "INSERT INTO token_keys (kid, algorithm, issuer, public_key, sealed_secret, created_at, verifies_until) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (kid) DO NOTHING",
    )
    .bind(&row.kid)
    .bind(&row.algorithm)
    .bind(&row.issuer)
    .bind(row.public_key.as_deref())
    .bind(row.sealed_secret.as_deref())
    .bind(secs(row.created_at))
    .bind(row.verifies_until.map(secs))
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Retires a key that is not retired, or to an earlier date. Says whether there was one.
pub(crate) async fn retire(connection: &mut Connection, kid: &str, until: Timestamp) -> Result<bool, Error> {
    let done = sqlx::query(
        "UPDATE token_keys SET verifies_until = $1 WHERE kid = $2 AND (verifies_until IS NULL OR verifies_until > $1)",
    )
    .bind(secs(until))
    .bind(kid)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// All keys, the newest first.
pub(crate) async fn all(connection: &mut Connection) -> Result<Vec<TokenKeyRow>, Error> {
    let rows = sqlx::query(
        "SELECT kid, algorithm, issuer, public_key, sealed_secret, created_at, verifies_until FROM token_keys \
         ORDER BY created_at DESC, kid",
    )
    .fetch_all(connection)
    .await?;
    rows.iter().map(read).collect()
}

fn read(row: &Row) -> Result<TokenKeyRow, Error> {
    let kid: String = row.try_get(0)?;
    let at = At { table: TABLE, row: &kid };
    let until: Option<i64> = row.try_get(6)?;
    Ok(TokenKeyRow {
        algorithm: row.try_get(1)?,
        issuer: row.try_get(2)?,
        public_key: row.try_get(3)?,
        sealed_secret: row.try_get(4)?,
        created_at: at.time("created_at", row.try_get(5)?)?,
        verifies_until: until.map(|until| at.time("verifies_until", until)).transpose()?,
        kid,
    })
}

/// The table, also for sealing.
pub(crate) const TABLE: &str = "token_keys";
