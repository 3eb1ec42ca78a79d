//! Table `clocks`: how the clocks of the instances on this database stand to its own.

use sqlx::Row as _;

use super::{At, Connection};
use crate::Error;

/// How an instance's clock stood to the database's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClockRow {
    /// 16 random bytes, drawn when the instance started.
    pub(crate) instance: Vec<u8>,
    /// How far it was ahead, in milliseconds.
    pub(crate) ahead_ms: i64,
    /// How far off that may be, in milliseconds.
    pub(crate) uncertainty_ms: u32,
}

/// The database's clock in milliseconds since 1970, and the rows of the last while, in one round trip.
pub(crate) async fn read(connection: &mut Connection) -> Result<(i64, Vec<ClockRow>), Error> {
    let rows = sqlx::query(
        "SELECT database.now_ms, clocks.instance, clocks.ahead_ms, clocks.uncertainty_ms \
         FROM (SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT) AS now_ms) AS database \
         LEFT JOIN clocks ON clocks.read_at_ms > database.now_ms - $1",
    )
    .bind(FRESH_MS)
    .fetch_all(connection)
    .await?;
    let at = At { table: "clocks", row: &"instance" };
    let now_ms = rows.first().ok_or(sqlx::Error::RowNotFound)?.try_get(0)?;
    let mut clocks = Vec::with_capacity(rows.len());
    for row in &rows {
        if let Some(instance) = row.try_get(1)? {
            let uncertainty_ms = at.number("uncertainty_ms", row.try_get::<i64, _>(3)?)?;
            clocks.push(ClockRow { instance, ahead_ms: row.try_get(2)?, uncertainty_ms });
        }
    }
    Ok((now_ms, clocks))
}

/// Writes an instance's row, and forgets those that nobody writes any more.
pub(crate) async fn set(connection: &mut Connection, row: &ClockRow, read_at_ms: i64) -> Result<(), Error> {
    sqlx::query("DELETE FROM clocks WHERE read_at_ms <= $1")
        .bind(read_at_ms.saturating_sub(FRESH_MS))
        .execute(&mut *connection)
        .await?;
    sqlx::query(
        "INSERT INTO clocks (instance, ahead_ms, uncertainty_ms, read_at_ms) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (instance) DO UPDATE SET ahead_ms = excluded.ahead_ms, \
         uncertainty_ms = excluded.uncertainty_ms, read_at_ms = excluded.read_at_ms",
    )
    .bind(&row.instance)
    .bind(row.ahead_ms)
    .bind(i64::from(row.uncertainty_ms))
    .bind(read_at_ms)
    .execute(connection)
    .await?;
    Ok(())
}

/// How long a row says something.
const FRESH_MS: i64 = 30_000;
