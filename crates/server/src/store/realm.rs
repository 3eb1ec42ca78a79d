//! Table `realm`: one row, the trust root and the signed realm document.

use admit_crypto::Digest;
use admit_time::Timestamp;
use sqlx::Row as _;

use super::{At, Connection, Row, secs};
use crate::Error;

/// The row.
#[derive(Debug)]
pub(crate) struct RealmRow {
    pub(crate) name: String,
    pub(crate) fingerprint: Digest,
    pub(crate) root_certificate: Vec<u8>,
    pub(crate) document: Vec<u8>,
    pub(crate) document_number: u64,
    pub(crate) enrol_level: u32,
    pub(crate) sealed_root_key: Option<Vec<u8>>,
    pub(crate) created_at: Timestamp,
}

pub(crate) async fn insert(connection: &mut Connection, row: &RealmRow) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO realm (id, name, fingerprint, root_certificate, document, document_number, enrol_level, \
         sealed_root_key, created_at) VALUES (1, $1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(&row.name)
    .bind(row.fingerprint.as_ref())
    .bind(&row.root_certificate)
    .bind(&row.document)
    .bind(i64::try_from(row.document_number).unwrap_or(i64::MAX))
    .bind(i64::from(row.enrol_level))
    .bind(&row.sealed_root_key)
    .bind(secs(row.created_at))
    .execute(connection)
    .await?;
    Ok(())
}

/// Whether the database has a realm already.
pub(crate) async fn exists(connection: &mut Connection) -> Result<bool, Error> {
    Ok(sqlx::query("SELECT 1 FROM realm").fetch_optional(connection).await?.is_some())
}

pub(crate) async fn load(connection: &mut Connection) -> Result<RealmRow, Error> {
    let row = sqlx::query(
        "SELECT name, fingerprint, root_certificate, document, document_number, enrol_level, sealed_root_key, \
         created_at FROM realm WHERE id = 1",
    )
    .fetch_optional(connection)
    .await?;
    read(&row.ok_or_else(|| AT.damaged("row"))?)
}

/// Writes the row as it is. SQLite writes nothing for a change that is none, so there is one, forth and back.
pub(crate) async fn touch(connection: &mut Connection) -> Result<(), Error> {
    for change in ["+ 1", "- 1"] {
        let statement = format!("UPDATE realm SET created_at = created_at {change} WHERE id = 1");
        sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&mut *connection).await?;
    }
    Ok(())
}

fn read(row: &Row) -> Result<RealmRow, Error> {
    Ok(RealmRow {
        name: row.try_get(0)?,
        fingerprint: AT.digest("fingerprint", row.try_get(1)?)?,
        root_certificate: row.try_get(2)?,
        document: row.try_get(3)?,
        document_number: AT.number("document_number", row.try_get(4)?)?,
        enrol_level: AT.number("enrol_level", row.try_get(5)?)?,
        sealed_root_key: row.try_get(6)?,
        created_at: AT.time("created_at", row.try_get(7)?)?,
    })
}

/// Table and row, also for sealing.
pub(crate) const TABLE: &str = "realm";
const AT: At<'static> = At { table: TABLE, row: &1 };
