//! Table `content_keys`: the content keys that licenses may be issued for, and what is said of their content.

use std::collections::HashMap;
use std::sync::Arc;

use admit_license::KeyId;
use admit_time::Timestamp;
use admit_trust::ComponentVersion;
use sqlx::Row as _;

use super::{At, Connection, Row, rows, secs};
use crate::Error;
use crate::content::{Content, KeyClass};

/// A row: what is said openly of a content key, and the key, sealed.
#[derive(Debug)]
pub(crate) struct ContentKeyRow {
    pub(crate) content: Content,
    pub(crate) sealed_key: Vec<u8>,
}

pub(crate) async fn insert(connection: &mut Connection, row: &ContentKeyRow, now: Timestamp) -> Result<(), Error> {
    let content = &row.content;
    sqlx::query(
        "INSERT INTO content_keys (key_id, class, content_id, title, is_open, minimum_individualized_version, \
         minimum_application_level, sealed_key, registered_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(content.key_id.as_bytes().as_slice())
    .bind(content.class.name())
    .bind(&content.content_id)
    .bind(&content.title)
    .bind(i64::from(content.open))
    .bind(content.minimum_individualized_version.map(|version| version.to_string()))
    .bind(content.minimum_application_level.map(i64::from))
    .bind(&row.sealed_key)
    .bind(secs(now))
    .execute(connection)
    .await?;
    Ok(())
}

/// What is registered for these key ids.
pub(crate) async fn find_all(
    connection: &mut Connection,
    key_ids: &[KeyId],
) -> Result<HashMap<KeyId, Arc<ContentKeyRow>>, Error> {
    let keys: Vec<&[u8]> = key_ids.iter().map(|key_id| key_id.as_bytes().as_slice()).collect();
    let statement = "SELECT class, content_id, title, is_open, minimum_individualized_version, \
                     minimum_application_level, sealed_key, key_id FROM content_keys WHERE key_id IN";
    let mut found = HashMap::with_capacity(keys.len());
    for row in rows::select(connection, statement, &keys).await? {
        let id: &[u8] = row.try_get(7)?;
        let key_id =
            KeyId::from_slice(id).ok_or_else(|| At { table: TABLE, row: &hex::encode(id) }.damaged("key_id"))?;
        found.insert(key_id, Arc::new(read(key_id, &row)?));
    }
    Ok(found)
}

pub(crate) async fn find(connection: &mut Connection, key_id: KeyId) -> Result<Option<ContentKeyRow>, Error> {
    let row = sqlx::query(
        "SELECT class, content_id, title, is_open, minimum_individualized_version, minimum_application_level, \
         sealed_key FROM content_keys WHERE key_id = $1",
    )
    .bind(key_id.as_bytes().as_slice())
    .fetch_optional(connection)
    .await?;
    row.map(|row| read(key_id, &row)).transpose()
}

fn read(key_id: KeyId, row: &Row) -> Result<ContentKeyRow, Error> {
    let at = At { table: TABLE, row: &key_id };
    let version: Option<String> = row.try_get(4)?;
    let level: Option<i64> = row.try_get(5)?;
    let parse = |version: String| version.parse::<ComponentVersion>();
    let content = Content {
        key_id,
        class: KeyClass::from_name(row.try_get(0)?).ok_or_else(|| at.damaged("class"))?,
        content_id: row.try_get(1)?,
        title: row.try_get(2)?,
        open: row.try_get::<i64, _>(3)? == 1,
        minimum_individualized_version: version
            .map(parse)
            .transpose()
            .map_err(|_| at.damaged("minimum_individualized_version"))?,
        minimum_application_level: level.map(|level| at.number("minimum_application_level", level)).transpose()?,
    };
    Ok(ContentKeyRow { content, sealed_key: row.try_get(6)? })
}

/// The table, also for sealing.
pub(crate) const TABLE: &str = "content_keys";
