//! Table `clients`: every certificate that the enrolment authority gave out, and whether it was revoked.

use std::collections::HashMap;

use admit_crypto::{Digest, PublicKey};
use admit_time::Timestamp;
use sqlx::Row as _;

use super::{At, Connection, Row, rows, secs};
use crate::Error;

/// A new row.
#[derive(Debug)]
pub(crate) struct NewClient<'a> {
    pub(crate) fingerprint: Digest,
    pub(crate) signing_key: &'a PublicKey,
    pub(crate) encryption_key: &'a PublicKey,
    pub(crate) renewal: u32,
    pub(crate) certificate: &'a [u8],
    pub(crate) enrolled_at: Timestamp,
    pub(crate) not_after: Timestamp,
}

/// What is known of a client.
#[derive(Debug)]
pub(crate) struct ClientRow {
    pub(crate) certificate: Vec<u8>,
    pub(crate) renewal: u32,
    pub(crate) not_after: Timestamp,
    pub(crate) revoked_at: Option<Timestamp>,
}

pub(crate) async fn insert(connection: &mut Connection, client: &NewClient<'_>) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO clients (fingerprint, signing_key, encryption_key, renewal, certificate, enrolled_at, not_after) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(client.fingerprint.as_ref())
    .bind(client.signing_key.as_bytes().as_slice())
    .bind(client.encryption_key.as_bytes().as_slice())
    .bind(i64::from(client.renewal))
    .bind(client.certificate)
    .bind(secs(client.enrolled_at))
    .bind(secs(client.not_after))
    .execute(connection)
    .await?;
    Ok(())
}

/// The client of a certificate.
pub(crate) async fn find(connection: &mut Connection, fingerprint: &Digest) -> Result<Option<ClientRow>, Error> {
    let row = sqlx::query(
        "SELECT certificate, renewal, not_after, revoked_at, fingerprint FROM clients WHERE fingerprint = $1",
    )
    .bind(fingerprint.as_ref())
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(read).transpose()
}

/// Of these certificates, those that are a client's, and when they were revoked.
pub(crate) async fn find_all(
    connection: &mut Connection,
    fingerprints: &[Digest],
) -> Result<HashMap<Digest, Option<Timestamp>>, Error> {
    let keys: Vec<&[u8]> = fingerprints.iter().map(AsRef::as_ref).collect();
    let statement = "SELECT fingerprint, revoked_at FROM clients WHERE fingerprint IN";
    let mut found = HashMap::with_capacity(keys.len());
    for row in rows::select(connection, statement, &keys).await? {
        let fingerprint = hex::encode(row.try_get::<&[u8], _>(0)?);
        let at = At { table: "clients", row: &fingerprint };
        let revoked_at: Option<i64> = row.try_get(1)?;
        let revoked_at = revoked_at.map(|secs| at.time("revoked_at", secs)).transpose()?;
        found.insert(at.digest("fingerprint", row.try_get(0)?)?, revoked_at);
    }
    Ok(found)
}

/// The newest certificate of a client's keys.
pub(crate) async fn newest(
    connection: &mut Connection,
    signing_key: &PublicKey,
    encryption_key: &PublicKey,
) -> Result<Option<ClientRow>, Error> {
    let row = sqlx::query(
        "SELECT certificate, renewal, not_after, revoked_at, fingerprint FROM clients \
         WHERE signing_key = $1 AND encryption_key = $2 ORDER BY renewal DESC LIMIT 1",
    )
    .bind(signing_key.as_bytes().as_slice())
    .bind(encryption_key.as_bytes().as_slice())
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(read).transpose()
}

/// Whether any client with this signing key was revoked: a revoked client does not come back with another
/// encryption key.
pub(crate) async fn is_revoked(connection: &mut Connection, signing_key: &PublicKey) -> Result<bool, Error> {
    let query = "SELECT 1 FROM clients WHERE signing_key = $1 AND revoked_at IS NOT NULL LIMIT 1";
    let row = sqlx::query(query).bind(signing_key.as_bytes().as_slice()).fetch_optional(connection).await?;
    Ok(row.is_some())
}

/// Marks a client as revoked, for good, with every certificate of its signing key: a client cannot keep one in reserve
/// under another encryption key. Says whether there was one that was not revoked yet.
pub(crate) async fn revoke(connection: &mut Connection, fingerprint: &Digest, now: Timestamp) -> Result<bool, Error> {
    let statement = "UPDATE clients SET revoked_at = $1 WHERE revoked_at IS NULL \
                     AND signing_key = (SELECT signing_key FROM clients WHERE fingerprint = $2)";
    let done = sqlx::query(statement).bind(secs(now)).bind(fingerprint.as_ref()).execute(connection).await?;
    Ok(done.rows_affected() > 0)
}

fn read(row: &Row) -> Result<ClientRow, Error> {
    let fingerprint = hex::encode(row.try_get::<&[u8], _>(4)?);
    let at = At { table: "clients", row: &fingerprint };
    let revoked_at: Option<i64> = row.try_get(3)?;
    Ok(ClientRow {
        certificate: row.try_get(0)?,
        renewal: at.number("renewal", row.try_get(1)?)?,
        not_after: at.time("not_after", row.try_get(2)?)?,
        revoked_at: revoked_at.map(|secs| at.time("revoked_at", secs)).transpose()?,
    })
}
