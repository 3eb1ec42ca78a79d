//! Table `recoveries`: to which clients a license was issued, where that was done more than once (row B14).

use std::collections::{HashMap, HashSet};

use admit_license::LicenseId;
use sqlx::Row as _;

use super::{At, Connection, rows};
use crate::Error;

/// The clients of licenses, by their signing keys.
pub(crate) type Holders = HashMap<LicenseId, HashSet<Vec<u8>>>;

/// The clients of those of these licenses that were issued again. One that is revoked has lost what it had.
pub(crate) async fn holders(connection: &mut Connection, licenses: &[LicenseId]) -> Result<Holders, Error> {
    let keys: Vec<&[u8]> = licenses.iter().map(|id| id.as_bytes().as_slice()).collect();
    let statement = "SELECT r.license, r.signing_key FROM recoveries r WHERE NOT EXISTS (SELECT 1 FROM clients c \
                     WHERE c.signing_key = r.signing_key AND c.revoked_at IS NOT NULL) AND r.license IN";
    let rows = rows::select(connection, statement, &keys).await?;
    let at = At { table: "recoveries", row: &"license" };
    let mut holders = Holders::new();
    for row in &rows {
        let id = <[u8; 16]>::try_from(row.try_get::<&[u8], _>(0)?).map_err(|_| at.damaged("license"))?;
        holders.entry(LicenseId::from_bytes(id)).or_default().insert(row.try_get(1)?);
    }
    Ok(holders)
}

/// Writes clients of licenses down. Those that are there already stay.
pub(crate) async fn insert(connection: &mut Connection, new: &[(LicenseId, Vec<u8>)]) -> Result<(), Error> {
    let statement = "INSERT INTO recoveries (license, signing_key) VALUES";
    let end = "ON CONFLICT (license, signing_key) DO NOTHING";
    rows::insert_or(connection, statement, end, 2, new, |query, (license, signing_key)| {
        query.bind(license.as_bytes().as_slice()).bind(signing_key.as_slice())
    })
    .await
}
