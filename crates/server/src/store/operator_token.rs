//! Table `operator_tokens`: who may use this server as its operator, by the hashes of their tokens.

use admit_crypto::Digest;
use admit_time::Timestamp;
use sqlx::Row as _;

use super::{At, Connection, Row, secs};
use crate::Error;
use crate::operator::OperatorToken;

/// Inserts a token. Says whether its name is new.
pub(crate) async fn insert(connection: &mut Connection, token: &OperatorToken, hash: &Digest) -> Result<bool, Error> {
    let done = sqlx::query(
        "INSERT INTO operator_tokens (name, token_hash, created_at, expires_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (name) DO NOTHING",
    )
    .bind(&token.name)
    .bind(hash.as_ref())
    .bind(secs(token.created_at))
    .bind(secs(token.expires_at))
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The token with this hash.
pub(crate) async fn find(connection: &mut Connection, hash: &Digest) -> Result<Option<OperatorToken>, Error> {
    let query = "SELECT name, created_at, expires_at, revoked_at FROM operator_tokens WHERE token_hash = $1";
    let row = sqlx::query(query).bind(hash.as_ref()).fetch_optional(connection).await?;
    row.as_ref().map(read).transpose()
}

/// Every token, by name.
pub(crate) async fn all(connection: &mut Connection) -> Result<Vec<OperatorToken>, Error> {
    let query = "SELECT name, created_at, expires_at, revoked_at FROM operator_tokens ORDER BY name";
    sqlx::query(query).fetch_all(connection).await?.iter().map(read).collect()
}

/// Marks a token as revoked, for good. Says whether there is such a token that was not revoked yet.
pub(crate) async fn revoke(connection: &mut Connection, name: &str, now: Timestamp) -> Result<bool, Error> {
    let done = sqlx::query("UPDATE operator_tokens SET revoked_at = $1 WHERE name = $2 AND revoked_at IS NULL")
        .bind(secs(now))
        .bind(name)
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}

fn read(row: &Row) -> Result<OperatorToken, Error> {
    let name: String = row.try_get(0)?;
    let at = At { table: "operator_tokens", row: &name };
    let revoked_at: Option<i64> = row.try_get(3)?;
    Ok(OperatorToken {
        created_at: at.time("created_at", row.try_get(1)?)?,
        expires_at: at.time("expires_at", row.try_get(2)?)?,
        revoked_at: revoked_at.map(|secs| at.time("revoked_at", secs)).transpose()?,
        name,
    })
}
