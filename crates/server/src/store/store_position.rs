//! Table `store_positions`: where the store of each client stood when it was last issued a license.

use std::collections::HashMap;

use admit_crypto::Digest;
use admit_protocol::acquire::StorePosition;
use sqlx::Row as _;

use super::{At, Connection, rows};
use crate::Error;

/// Where the stores of these clients stood, by the fingerprints of their certificates.
pub(crate) async fn find(
    connection: &mut Connection,
    clients: &[Digest],
) -> Result<HashMap<Digest, StorePosition>, Error> {
    let keys: Vec<&[u8]> = clients.iter().map(AsRef::as_ref).collect();
    let statement = "SELECT client, epoch, sequence, head FROM store_positions WHERE client IN";
    let mut found = HashMap::with_capacity(keys.len());
    for row in rows::select(connection, statement, &keys).await? {
        let client = hex::encode(row.try_get::<&[u8], _>(0)?);
        let at = At { table: "store_positions", row: &client };
        let epoch: [u8; 16] = row.try_get::<&[u8], _>(1)?.try_into().map_err(|_| at.damaged("epoch"))?;
        let sequence = at.number("sequence", row.try_get::<i64, _>(2)?)?;
        let head = at.digest("head", row.try_get(3)?)?;
        found.insert(at.digest("client", row.try_get(0)?)?, StorePosition { epoch: epoch.into(), sequence, head });
    }
    Ok(found)
}

/// Writes down where these clients' stores stand now.
pub(crate) async fn set(connection: &mut Connection, positions: &[(Digest, StorePosition)]) -> Result<(), Error> {
    let statement = "INSERT INTO store_positions (client, epoch, sequence, head) VALUES";
    let end = "ON CONFLICT (client) DO UPDATE SET \
               epoch = excluded.epoch, sequence = excluded.sequence, head = excluded.head";
    rows::insert_or(connection, statement, end, 4, positions, |query, (client, position)| {
        let sequence = i64::try_from(position.sequence).unwrap_or(i64::MAX);
        query.bind(client.as_ref()).bind(position.epoch.as_slice()).bind(sequence).bind(position.head.as_ref())
    })
    .await
}
