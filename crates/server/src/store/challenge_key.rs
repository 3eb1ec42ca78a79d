//! Table `challenge_keys`: keys that open challenges which clients sealed before the license service was renewed.

use admit_crypto::Digest;
use admit_time::Timestamp;
use sqlx::Row as _;

use super::{At, Connection, secs};
use crate::Error;

/// A row.
#[derive(Debug)]
pub(crate) struct ChallengeKeyRow {
    pub(crate) thumbprint: Digest,
    pub(crate) sealed_key: Vec<u8>,
    pub(crate) retired_at: Timestamp,
}

pub(crate) async fn insert(connection: &mut Connection, row: &ChallengeKeyRow) -> Result<(), Error> {
    sqlx::query("INSERT INTO challenge_keys (thumbprint, sealed_key, retired_at) VALUES ($1, $2, $3)")
        .bind(row.thumbprint.as_ref())
        .bind(&row.sealed_key)
        .bind(secs(row.retired_at))
        .execute(connection)
        .await?;
    Ok(())
}

/// All of them.
pub(crate) async fn all(connection: &mut Connection) -> Result<Vec<ChallengeKeyRow>, Error> {
    let rows =
        sqlx::query("SELECT thumbprint, sealed_key, retired_at FROM challenge_keys").fetch_all(connection).await?;
    let read = |row: &super::Row| {
        let thumbprint: &[u8] = row.try_get(0)?;
        let name = hex::encode(thumbprint);
        let at = At { table: TABLE, row: &name };
        Ok(ChallengeKeyRow {
            thumbprint: at.digest("thumbprint", thumbprint)?,
            sealed_key: row.try_get(1)?,
            retired_at: at.time("retired_at", row.try_get(2)?)?,
        })
    };
    rows.iter().map(read).collect()
}

/// Forgets those that were retired before this time.
pub(crate) async fn remove_before(connection: &mut Connection, time: Timestamp) -> Result<(), Error> {
    sqlx::query("DELETE FROM challenge_keys WHERE retired_at < $1").bind(secs(time)).execute(connection).await?;
    Ok(())
}

/// The table, also for sealing.
pub(crate) const TABLE: &str = "challenge_keys";
