//! Tables `acquisitions` and `licenses`: what was issued for which challenge, kept so that a retry gets the same.

use admit_crypto::Digest;
use admit_license::{KeyId, LicenseId};
use admit_time::Timestamp;
use sqlx::Row as _;

use super::{At, Connection, secs};
use crate::Error;

/// A new row of `acquisitions` with its `licenses`.
#[derive(Debug)]
pub(crate) struct NewAcquisition<'a> {
    pub(crate) challenge_hash: Digest,
    pub(crate) client: Digest,
    pub(crate) token_id: Option<&'a str>,
    pub(crate) issued_at: Timestamp,
    pub(crate) licenses: &'a [NewLicense],
}

/// A new row of `licenses`.
#[derive(Debug)]
pub(crate) struct NewLicense {
    pub(crate) id: LicenseId,
    pub(crate) key_id: KeyId,
    pub(crate) bytes: Vec<u8>,
}

/// What was issued for a challenge.
#[derive(Debug)]
pub(crate) struct Issued {
    pub(crate) issued_at: Timestamp,
    pub(crate) licenses: Vec<Vec<u8>>,
}

/// Inserts an acquisition. Says whether it is new: one challenge is answered once.
pub(crate) async fn insert(connection: &mut Connection, new: &NewAcquisition<'_>) -> Result<bool, Error> {
    let done = sqlx::query(
        "INSERT INTO acquisitions (challenge_hash, client, token_id, issued_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (challenge_hash) DO NOTHING",
    )
    .bind(new.challenge_hash.as_ref())
    .bind(new.client.as_ref())
    .bind(new.token_id)
    .bind(secs(new.issued_at))
    .execute(&mut *connection)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    for (position, license) in (0i64..).zip(new.licenses) {
        sqlx::query("INSERT INTO licenses (id, challenge_hash, position, key_id, license) VALUES ($1, $2, $3, $4, $5)")
            .bind(license.id.as_bytes().as_slice())
            .bind(new.challenge_hash.as_ref())
            .bind(position)
            .bind(license.key_id.as_bytes().as_slice())
            .bind(&license.bytes)
            .execute(&mut *connection)
            .await?;
    }
    Ok(true)
}

pub(crate) async fn find(connection: &mut Connection, challenge_hash: &Digest) -> Result<Option<Issued>, Error> {
    let acquisition = sqlx::query("SELECT issued_at FROM acquisitions WHERE challenge_hash = $1")
        .bind(challenge_hash.as_ref())
        .fetch_optional(&mut *connection)
        .await?;
    let Some(acquisition) = acquisition else { return Ok(None) };
    let at = At { table: "acquisitions", row: challenge_hash };
    let licenses = sqlx::query("SELECT license FROM licenses WHERE challenge_hash = $1 ORDER BY position")
        .bind(challenge_hash.as_ref())
        .fetch_all(connection)
        .await?;
    let licenses = licenses.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    Ok(Some(Issued { issued_at: at.time("issued_at", acquisition.try_get(0)?)?, licenses }))
}
