//! Table `acquisitions`: what was issued for which challenge, kept so that a retry gets the same.

use std::collections::{HashMap, HashSet};

use admit_crypto::{Digest, PublicKey};
use admit_time::Timestamp;
use sqlx::Row as _;

use super::{At, Connection, Row, rows, secs};
use crate::Error;

/// A new row.
#[derive(Debug)]
pub(crate) struct NewAcquisition {
    pub(crate) challenge_hash: Digest,
    pub(crate) client: Digest,
    pub(crate) token_id: Option<String>,
    /// [`crate::token::Claims::owner`].
    pub(crate) owner: Option<Digest>,
    pub(crate) issued_at: Timestamp,
    /// At least one.
    pub(crate) licenses: Vec<Vec<u8>>,
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
    let statement =
        "INSERT INTO acquisitions (seq, challenge_hash, client, token_id, owner, issued_at, licenses) VALUES";
    rows::insert(connection, statement, 7, new, |query, (seq, new)| {
        let query = query.bind(number(*seq)).bind(new.challenge_hash.as_ref()).bind(new.client.as_ref());
        let query = query.bind(new.token_id.as_deref()).bind(new.owner.as_ref().map(AsRef::<[u8]>::as_ref));
        query.bind(secs(new.issued_at)).bind(encode(&new.licenses))
    })
    .await
}

/// What was issued for each of these challenges that was answered.
pub(crate) async fn find(connection: &mut Connection, challenges: &[Digest]) -> Result<HashMap<Digest, Issued>, Error> {
    let keys: Vec<&[u8]> = challenges.iter().map(AsRef::as_ref).collect();
    let statement = "SELECT challenge_hash, issued_at, licenses FROM acquisitions WHERE challenge_hash IN";
    let found = rows::select(connection, statement, &keys).await?;
    found.iter().map(read).collect()
}

/// What was issued to somebody at some time.
#[derive(Debug)]
pub(crate) struct Owned {
    /// The signing key of the client.
    pub(crate) signing_key: Vec<u8>,
    pub(crate) client_is_revoked: bool,
    pub(crate) licenses: Vec<Vec<u8>>,
}

/// The newest acquisitions of a buyer, the oldest of them first.
pub(crate) async fn of_owner(connection: &mut Connection, owner: &Digest, limit: u32) -> Result<Vec<Owned>, Error> {
    let statement = "SELECT c.signing_key, c.revoked_at, a.licenses FROM acquisitions a \
                     JOIN clients c ON c.fingerprint = a.client WHERE a.owner = $1 ORDER BY a.seq DESC LIMIT $2";
    owned(connection, statement, owner.as_ref(), limit).await
}

/// The newest acquisitions of a client, by its signing key and so under any certificate of it, the oldest of them first.
pub(crate) async fn of_client(
    connection: &mut Connection,
    signing_key: &PublicKey,
    limit: u32,
) -> Result<Vec<Owned>, Error> {
    let statement = "SELECT c.signing_key, c.revoked_at, a.licenses FROM clients c \
                     JOIN acquisitions a ON a.client = c.fingerprint WHERE c.signing_key = $1 \
                     ORDER BY a.seq DESC LIMIT $2";
    owned(connection, statement, signing_key.as_bytes(), limit).await
}

async fn owned(
    connection: &mut Connection,
    statement: &'static str,
    key: &[u8],
    limit: u32,
) -> Result<Vec<Owned>, Error> {
    let rows = sqlx::query(statement).bind(key).bind(i64::from(limit)).fetch_all(connection).await?;
    rows.iter().rev().map(read_owned).collect()
}

fn read_owned(row: &Row) -> Result<Owned, Error> {
    let at = At { table: "acquisitions", row: &"owner" };
    let revoked_at: Option<i64> = row.try_get(1)?;
    Ok(Owned {
        signing_key: row.try_get(0)?,
        client_is_revoked: revoked_at.is_some(),
        licenses: decode(row.try_get(2)?).ok_or_else(|| at.damaged("licenses"))?,
    })
}

fn read(row: &Row) -> Result<(Digest, Issued), Error> {
    let challenge = hex::encode(row.try_get::<&[u8], _>(0)?);
    let at = At { table: "acquisitions", row: &challenge };
    let licenses = decode(row.try_get(2)?).ok_or_else(|| at.damaged("licenses"))?;
    let issued = Issued { issued_at: at.time("issued_at", row.try_get(1)?)?, licenses };
    Ok((at.digest("challenge_hash", row.try_get(0)?)?, issued))
}

/// A CBOR array of byte strings.
fn encode(licenses: &[Vec<u8>]) -> Vec<u8> {
    let length: usize = licenses.iter().map(|license| license.len() + 5).sum();
    let mut encoder = minicbor::Encoder::new(Vec::with_capacity(length + 5));
    let written = (|| {
        encoder.array(licenses.len() as u64)?;
        licenses.iter().try_for_each(|license| encoder.bytes(license).map(drop))
    })();
    let infallible: Result<(), minicbor::encode::Error<core::convert::Infallible>> = written;
    infallible.expect("writing to memory succeeds");
    encoder.into_writer()
}

fn decode(bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
    let licenses: Vec<minicbor::bytes::ByteVec> = minicbor::decode(bytes).ok()?;
    Some(licenses.into_iter().map(Into::into).collect())
}

fn number(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}
