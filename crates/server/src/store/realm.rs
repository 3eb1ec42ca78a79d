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
    pub(crate) sealing: Sealing,
    pub(crate) created_at: Timestamp,
}

/// Names of key-encryption keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sealing {
    /// The one that seals.
    pub(crate) key: Digest,
    /// The one before it, while some records may still be under it.
    pub(crate) retiring: Option<Digest>,
}

impl Sealing {
    /// Whether records may be under this key.
    pub(crate) fn has(&self, id: Digest) -> bool {
        self.key == id || self.retiring == Some(id)
    }
}

pub(crate) async fn insert(connection: &mut Connection, row: &RealmRow) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO realm (id, name, fingerprint, root_certificate, document, document_number, enrol_level, \
         sealed_root_key, sealing_key, retiring_key, created_at) VALUES (1, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(&row.name)
    .bind(row.fingerprint.as_ref())
    .bind(&row.root_certificate)
    .bind(&row.document)
    .bind(i64::try_from(row.document_number).unwrap_or(i64::MAX))
    .bind(i64::from(row.enrol_level))
    .bind(&row.sealed_root_key)
    .bind(row.sealing.key.as_ref())
    .bind(row.sealing.retiring.as_ref().map(Digest::as_ref))
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
         sealing_key, retiring_key, created_at FROM realm WHERE id = 1",
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
        sealing: read_sealing(row, 7)?,
        created_at: AT.time("created_at", row.try_get(9)?)?,
    })
}

/// Which key seals.
pub(crate) async fn sealing(connection: &mut Connection) -> Result<Sealing, Error> {
    let row =
        sqlx::query("SELECT sealing_key, retiring_key FROM realm WHERE id = 1").fetch_optional(connection).await?;
    read_sealing(&row.ok_or_else(|| AT.damaged("row"))?, 0)
}

fn read_sealing(row: &Row, first: usize) -> Result<Sealing, Error> {
    let retiring: Option<Vec<u8>> = row.try_get(first + 1)?;
    let retiring = retiring.map(|bytes| AT.digest("retiring_key", &bytes)).transpose()?;
    Ok(Sealing { key: AT.digest("sealing_key", row.try_get(first)?)?, retiring })
}

pub(crate) async fn set_sealing(connection: &mut Connection, sealing: &Sealing) -> Result<(), Error> {
    sqlx::query("UPDATE realm SET sealing_key = $1, retiring_key = $2")
        .bind(sealing.key.as_ref())
        .bind(sealing.retiring.as_ref().map(Digest::as_ref))
        .execute(connection)
        .await?;
    Ok(())
}

/// The number of the document.
pub(crate) async fn document_number(connection: &mut Connection) -> Result<u64, Error> {
    let row = sqlx::query("SELECT document_number FROM realm WHERE id = 1").fetch_optional(connection).await?;
    AT.number("document_number", row.ok_or_else(|| AT.damaged("row"))?.try_get(0)?)
}

pub(crate) async fn set_document(connection: &mut Connection, document: &[u8], number: u64) -> Result<(), Error> {
    sqlx::query("UPDATE realm SET document = $1, document_number = $2")
        .bind(document)
        .bind(i64::try_from(number).unwrap_or(i64::MAX))
        .execute(connection)
        .await?;
    Ok(())
}

/// Table and row, also for sealing.
pub(crate) const TABLE: &str = "realm";
const AT: At<'static> = At { table: TABLE, row: &1 };
