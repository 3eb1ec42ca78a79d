//! Table `token_uses`: how often tokens with a limit were used.

use std::collections::HashMap;

use admit_crypto::Digest;
use sqlx::Row as _;

use super::{At, Connection, rows};
use crate::Error;

/// How often each of these tokens was used.
pub(crate) async fn find(connection: &mut Connection, tokens: &[Digest]) -> Result<HashMap<Digest, u32>, Error> {
    let keys: Vec<&[u8]> = tokens.iter().map(AsRef::as_ref).collect();
    let rows = rows::select(connection, "SELECT token, used FROM token_uses WHERE token IN", &keys).await?;
    let at = At { table: "token_uses", row: &"token" };
    rows.iter()
        .map(|row| Ok((at.digest("token", row.try_get(0)?)?, at.number("used", row.try_get::<i64, _>(1)?)?)))
        .collect()
}

/// Writes down how often each of these tokens was used.
pub(crate) async fn set(connection: &mut Connection, uses: &[(Digest, u32)]) -> Result<(), Error> {
    let statement = "INSERT INTO token_uses (token, used) VALUES";
    let end = "ON CONFLICT (token) DO UPDATE SET used = excluded.used";
    rows::insert_or(connection, statement, end, 2, uses, |query, (token, used)| {
        query.bind(token.as_ref()).bind(i64::from(*used))
    })
    .await
}
