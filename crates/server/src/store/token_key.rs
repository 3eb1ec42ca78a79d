//! Table `token_keys`: the keys that sign entitlement tokens, each bound to one algorithm and one issuer.

use admit_time::Timestamp;
use sqlx::Row as _;

use super::{Connection, Row, secs};
use crate::Error;

/// A row.
#[derive(Debug)]
pub(crate) struct TokenKeyRow {
    pub(crate) kid: String,
    pub(crate) algorithm: String,
    pub(crate) issuer: String,
    pub(crate) sealed_secret: Vec<u8>,
}

pub(crate) async fn insert(connection: &mut Connection, row: &TokenKeyRow, now: Timestamp) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO token_keys (kid, algorithm, issuer, sealed_secret, created_at) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(&row.kid)
    .bind(&row.algorithm)
    .bind(&row.issuer)
    .bind(&row.sealed_secret)
    .bind(secs(now))
    .execute(connection)
    .await?;
    Ok(())
}

/// All keys, the newest first.
pub(crate) async fn all(connection: &mut Connection) -> Result<Vec<TokenKeyRow>, Error> {
    let rows =
        sqlx::query("SELECT kid, algorithm, issuer, sealed_secret FROM token_keys ORDER BY created_at DESC, kid")
            .fetch_all(connection)
            .await?;
    rows.iter().map(read).collect()
}

fn read(row: &Row) -> Result<TokenKeyRow, Error> {
    Ok(TokenKeyRow {
        kid: row.try_get(0)?,
        algorithm: row.try_get(1)?,
        issuer: row.try_get(2)?,
        sealed_secret: row.try_get(3)?,
    })
}

/// The table, also for sealing.
pub(crate) const TABLE: &str = "token_keys";
