//! Statements over many rows at once. Their texts differ only in how many rows they take; a few numbers are used, so that
//! databases can keep the prepared statements.

use sqlx::query::Query;
use sqlx::{Any, AssertSqlSafe};

use super::{Connection, Database, Row};
use crate::Error;

/// Arguments of a statement.
type Bound<'q> = Query<'q, Database, <Any as sqlx::Database>::Arguments>;

/// Inserts rows of so many columns; `bind` binds one row. The statement ends where its values begin.
pub(crate) async fn insert<T>(
    connection: &mut Connection,
    statement: &'static str,
    columns: usize,
    rows: &[T],
    bind: impl for<'q> Fn(Bound<'q>, &'q T) -> Bound<'q>,
) -> Result<(), Error> {
    insert_or(connection, statement, "", columns, rows, bind).await
}

/// The same, with an end behind the values that says what becomes of rows that are there already.
pub(crate) async fn insert_or<T>(
    connection: &mut Connection,
    statement: &'static str,
    end: &'static str,
    columns: usize,
    rows: &[T],
    bind: impl for<'q> Fn(Bound<'q>, &'q T) -> Bound<'q>,
) -> Result<(), Error> {
    let mut rest = rows;
    while let Some(size) = SIZES.into_iter().find(|size| *size <= rest.len()) {
        let (now, later) = rest.split_at(size);
        let row = |row: usize| format!("({})", list(row * columns, columns));
        let text = format!("{statement} {} {end}", (0..size).map(row).collect::<Vec<_>>().join(", "));
        let query = now.iter().fold(sqlx::query(AssertSqlSafe(text)), &bind);
        query.execute(&mut *connection).await?;
        rest = later;
    }
    Ok(())
}

/// Selects the rows whose key is among these; `statement` ends where the list of keys begins. A key may come several
/// times, and the order is the database's.
pub(crate) async fn select(
    connection: &mut Connection,
    statement: &'static str,
    keys: &[&[u8]],
) -> Result<Vec<Row>, Error> {
    let mut rows = Vec::with_capacity(keys.len());
    for keys in keys.chunks(SIZES[0]) {
        let Some(last) = keys.last() else { break };
        let size = SIZES.into_iter().rfind(|size| *size >= keys.len()).unwrap_or(SIZES[0]);
        let text = format!("{statement} ({})", list(0, size));
        let padded = keys.iter().chain(std::iter::repeat(last)).take(size);
        let query = padded.fold(sqlx::query(AssertSqlSafe(text)), |query, key| query.bind(*key));
        rows.extend(query.fetch_all(&mut *connection).await?);
    }
    Ok(rows)
}

/// `$4, $5, $6`.
fn list(after: usize, count: usize) -> String {
    (1..=count).map(|number| format!("${}", after + number)).collect::<Vec<_>>().join(", ")
}

/// How many rows a statement takes, the largest number first.
const SIZES: [usize; 7] = [64, 32, 16, 8, 4, 2, 1];
