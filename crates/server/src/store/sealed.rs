//! Every column that holds sealed records, for what is done to all of them.

use sqlx::{AssertSqlSafe, Row as _};

use super::Connection;
use crate::Error;

/// A column of sealed records.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) table: &'static str,
    pub(crate) column: &'static str,
    key: &'static str,
    kind: Kind,
}

/// The type of a primary key.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Number,
    Text,
    Bytes,
}

/// A row's primary key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Id {
    Number(i64),
    Text(String),
    Bytes(Vec<u8>),
}

impl Id {
    /// As it stands in the place that a record is sealed for.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Number(number) => number.to_string().into_bytes(),
            Self::Text(text) => text.clone().into_bytes(),
            Self::Bytes(bytes) => bytes.clone(),
        }
    }
}

impl Column {
    /// The most rows that are read at once.
    pub(crate) const PAGE: usize = 200;

    /// The rows behind this one, or the first.
    pub(crate) async fn after(
        &self,
        connection: &mut Connection,
        id: Option<&Id>,
    ) -> Result<Vec<(Id, Vec<u8>)>, Error> {
        let Self { table, column, key, .. } = self;
        let behind = if id.is_some() { format!("AND {key} > $1") } else { String::new() };
        let page = Self::PAGE;
        let text = format!(
            "SELECT {key}, {column} FROM {table} WHERE {column} IS NOT NULL {behind} ORDER BY {key} LIMIT {page}"
        );
        let query = sqlx::query(AssertSqlSafe(text));
        let query = match id.cloned() {
            None => query,
            Some(Id::Number(number)) => query.bind(number),
            Some(Id::Text(text)) => query.bind(text),
            Some(Id::Bytes(bytes)) => query.bind(bytes),
        };
        let rows = query.fetch_all(connection).await?;
        let read = |row: &super::Row| {
            let id = match self.kind {
                Kind::Number => Id::Number(row.try_get(0)?),
                Kind::Text => Id::Text(row.try_get(0)?),
                Kind::Bytes => Id::Bytes(row.try_get(0)?),
            };
            Ok((id, row.try_get(1)?))
        };
        rows.iter().map(read).collect()
    }

    pub(crate) async fn replace(&self, connection: &mut Connection, id: &Id, sealed: &[u8]) -> Result<(), Error> {
        let Self { table, column, key, .. } = self;
        let query = sqlx::query(AssertSqlSafe(format!("UPDATE {table} SET {column} = $1 WHERE {key} = $2")));
        let query = query.bind(sealed);
        let query = match id.clone() {
            Id::Number(number) => query.bind(number),
            Id::Text(text) => query.bind(text),
            Id::Bytes(bytes) => query.bind(bytes),
        };
        query.execute(connection).await?;
        Ok(())
    }
}

const fn column(table: &'static str, key: &'static str, kind: Kind, column: &'static str) -> Column {
    Column { table, column, key, kind }
}

/// All of them.
pub(crate) const COLUMNS: &[Column] = &[
    column(super::realm::TABLE, "id", Kind::Number, "sealed_root_key"),
    column(super::service_key::TABLE, "id", Kind::Text, "sealed_signing_key"),
    column(super::service_key::TABLE, "id", Kind::Text, "sealed_encryption_key"),
    column(super::challenge_key::TABLE, "thumbprint", Kind::Bytes, "sealed_key"),
    column(super::token_key::TABLE, "kid", Kind::Text, "sealed_secret"),
    column(super::content_key::TABLE, "key_id", Kind::Bytes, "sealed_key"),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// A column that is not listed would be lost with the old key.
    #[test]
    fn every_sealed_column_of_the_schema_is_listed() {
        let schema = include_str!("../../migrations/0001_initial.sql");
        let mut table = "";
        let mut found = Vec::new();
        for line in schema.lines().map(str::trim) {
            if let Some(rest) = line.strip_prefix("CREATE TABLE ") {
                table = rest.split_whitespace().next().unwrap();
            } else if line.starts_with("sealed_") {
                found.push((table, line.split_whitespace().next().unwrap()));
            }
        }
        let mut listed: Vec<_> = COLUMNS.iter().map(|column| (column.table, column.column)).collect();
        found.sort_unstable();
        listed.sort_unstable();
        assert_eq!(found, listed);
    }
}
