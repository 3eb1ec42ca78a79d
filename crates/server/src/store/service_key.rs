//! Table `service_keys`: the keys and certificates of the realm's services, by the name of their role, and the time services by `time-1` and `time-2`.

use admit_time::Timestamp;
use sqlx::Row as _;

use super::{Connection, secs};
use crate::Error;

/// A row.
#[derive(Debug)]
pub(crate) struct ServiceKeyRow {
    pub(crate) id: String,
    pub(crate) certificate: Vec<u8>,
    pub(crate) sealed_signing_key: Vec<u8>,
    pub(crate) sealed_encryption_key: Option<Vec<u8>>,
    pub(crate) created_at: Timestamp,
}

pub(crate) async fn insert(connection: &mut Connection, row: &ServiceKeyRow) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO service_keys (id, certificate, sealed_signing_key, sealed_encryption_key, created_at) \
         VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(&row.id)
    .bind(&row.certificate)
    .bind(&row.sealed_signing_key)
    .bind(&row.sealed_encryption_key)
    .bind(secs(row.created_at))
    .execute(connection)
    .await?;
    Ok(())
}

/// Puts a row in the place of the one of the same role.
pub(crate) async fn replace(connection: &mut Connection, row: &ServiceKeyRow) -> Result<(), Error> {
    sqlx::query("DELETE FROM service_keys WHERE id = $1").bind(&row.id).execute(&mut *connection).await?;
    insert(connection, row).await
}

/// Certificate, sealed signing key and sealed encryption key of a role.
pub(crate) type StoredServiceKey = (Vec<u8>, Vec<u8>, Option<Vec<u8>>);

pub(crate) async fn find(connection: &mut Connection, id: &str) -> Result<Option<StoredServiceKey>, Error> {
    let row =
        sqlx::query("SELECT certificate, sealed_signing_key, sealed_encryption_key FROM service_keys WHERE id = $1")
            .bind(id)
            .fetch_optional(connection)
            .await?;
    row.map(|row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?))).transpose()
}

/// The table, also for sealing.
pub(crate) const TABLE: &str = "service_keys";
