//! Tables `acquisitions` and `licenses`: what was issued for which challenge, kept so that a retry gets the same.

use std::collections::{HashMap, HashSet};

use admit_crypto::Digest;
use admit_license::{KeyId, LicenseId};
use admit_time::Timestamp;
use sqlx::Row as _;

use super::{At, Connection, rows, secs};
use crate::Error;

/// A new row of `acquisitions` with its `licenses`.
#[derive(Debug)]
pub(crate) struct NewAcquisition {
    pub(crate) challenge_hash: Digest,
    pub(crate) client: Digest,
    pub(crate) token_id: Option<String>,
    pub(crate) issued_at: Timestamp,
    pub(crate) licenses: Vec<NewLicense>,
}

/// A new row of `licenses`.
#[derive(Debug)]
pub(crate) struct NewLicense {
    pub(crate) id: LicenseId,
    pub(crate) key_id: KeyId,
    pub(crate) bytes: Vec<u8>,
}

/// What was issued for a challenge.
#[derive(Debug, Clone)]
pub(crate) struct Issued {
    pub(crate) issued_at: Timestamp,
    pub(crate) licenses: Vec<Vec<u8>>,
}

/// Which of these challenges have been answered.
pub(crate) async fn answered(connection: &mut Connection, challenges: &[Digest]) -> Result<HashSet<Digest>, Error> {
    let keys: Vec<&[u8]> = challenges.iter().map(AsRef::as_ref).collect();
    let statement = "SELECT challenge_hash FROM acquisitions WHERE challenge_hash IN";
    let found = rows::select(connection, statement, &keys).await?;
    let at = At { table: "acquisitions", row: &"challenge" };
    found.iter().map(|row| at.digest("challenge_hash", row.try_get(0)?)).collect()
}

/// Inserts acquisitions, each under its number.
pub(crate) async fn insert(connection: &mut Connection, new: &[(u64, &NewAcquisition)]) -> Result<(), Error> {
    let statement = "INSERT INTO acquisitions (seq, challenge_hash, client, token_id, issued_at) VALUES";
    rows::insert(connection, statement, 5, new, |query, (seq, new)| {
        let query = query.bind(number(*seq)).bind(new.challenge_hash.as_ref()).bind(new.client.as_ref());
        query.bind(new.token_id.as_deref()).bind(secs(new.issued_at))
    })
    .await?;
    let mut all: Vec<(u64, i64, &NewLicense)> = Vec::new();
    for &(seq, acquisition) in new {
        all.extend((0..).zip(&acquisition.licenses).map(|(position, license)| (seq, position, license)));
    }
    let statement = "INSERT INTO licenses (acquisition, position, id, key_id, license) VALUES";
    rows::insert(connection, statement, 5, &all, |query, (seq, position, license)| {
        let query = query.bind(number(*seq)).bind(*position).bind(license.id.as_bytes().as_slice());
        query.bind(license.key_id.as_bytes().as_slice()).bind(license.bytes.as_slice())
    })
    .await
}

/// What was issued for each of these challenges that was answered.
pub(crate) async fn find(connection: &mut Connection, challenges: &[Digest]) -> Result<HashMap<Digest, Issued>, Error> {
    let keys: Vec<&[u8]> = challenges.iter().map(AsRef::as_ref).collect();
    let statement = "SELECT a.challenge_hash, a.issued_at, l.position, l.license FROM acquisitions a \
                     JOIN licenses l ON l.acquisition = a.seq WHERE a.challenge_hash IN";
    let mut rows = Vec::new();
    let at = At { table: "acquisitions", row: &"challenge" };
    for row in rows::select(connection, statement, &keys).await? {
        let position: i64 = row.try_get(2)?;
        let challenge = at.digest("challenge_hash", row.try_get(0)?)?;
        rows.push((challenge, position, at.time("issued_at", row.try_get(1)?)?, row.try_get(3)?));
    }
    rows.sort_by_key(|(_, position, ..)| *position);
    let mut found: HashMap<Digest, Issued> = HashMap::new();
    for (challenge, _, issued_at, license) in rows {
        let issued = found.entry(challenge).or_insert_with(|| Issued { issued_at, licenses: Vec::new() });
        issued.licenses.push(license);
    }
    Ok(found)
}

fn number(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}
