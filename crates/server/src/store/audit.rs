//! Table `audit`: the log of what was done, as a hash chain. What the hashes are made of is in `crate::audit`.

use admit_crypto::Digest;
use sqlx::Row as _;

use super::{At, Connection, Row, rows, secs};
use crate::Error;
use crate::audit::AuditEntry;

pub(crate) async fn insert(connection: &mut Connection, entries: &[AuditEntry]) -> Result<(), Error> {
    let statement = "INSERT INTO audit (seq, at, event, subject, detail_json, previous_hash, hash) VALUES";
    rows::insert(connection, statement, 7, entries, |query, entry| {
        let query = query.bind(i64::try_from(entry.seq).unwrap_or(i64::MAX)).bind(secs(entry.at));
        let query = query.bind(entry.event.as_str()).bind(entry.subject.as_str()).bind(entry.detail_json.as_str());
        query.bind(entry.previous_hash.as_ref()).bind(entry.hash.as_ref())
    })
    .await
}

/// Number and hash of the last entry.
pub(crate) async fn head(connection: &mut Connection) -> Result<Option<(u64, Digest)>, Error> {
    let row = sqlx::query("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1").fetch_optional(connection).await?;
    let Some(row) = row else { return Ok(None) };
    let seq: i64 = row.try_get(0)?;
    let at = At { table: "audit", row: &seq };
    Ok(Some((at.number("seq", seq)?, at.digest("hash", row.try_get(1)?)?)))
}

/// Up to `limit` entries behind the one with this number.
pub(crate) async fn after(connection: &mut Connection, seq: u64, limit: u32) -> Result<Vec<AuditEntry>, Error> {
    let rows = sqlx::query(
        "SELECT seq, at, event, subject, detail_json, previous_hash, hash FROM audit WHERE seq > $1 \
         ORDER BY seq LIMIT $2",
    )
    .bind(i64::try_from(seq).unwrap_or(i64::MAX))
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?;
    rows.iter().map(read).collect()
}

fn read(row: &Row) -> Result<AuditEntry, Error> {
    let seq: i64 = row.try_get(0)?;
    let at = At { table: "audit", row: &seq };
    Ok(AuditEntry {
        seq: at.number("seq", seq)?,
        at: at.time("at", row.try_get(1)?)?,
        event: row.try_get(2)?,
        subject: row.try_get(3)?,
        detail_json: row.try_get(4)?,
        previous_hash: at.digest("previous_hash", row.try_get(5)?)?,
        hash: at.digest("hash", row.try_get(6)?)?,
    })
}
