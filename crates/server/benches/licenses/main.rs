//! Durable licenses a second: the real program serves from a database on this disk, and this one sends it challenges over
//! TCP, made in advance, all distinct, signed and encrypted. Every answer is a license that is on the disk. Run by
//! `cargo xtask bench licenses`; the argument is the path of the program.

#![expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
#![expect(clippy::unwrap_used, reason = "a benchmark stops at the first surprise")]

#[expect(dead_code, reason = "tests use the rest")]
#[path = "../../tests/server/harness.rs"]
mod harness;
mod load;
mod operator;

use std::path::PathBuf;

use admit_testkit::Postgres;

use load::{Clients, Load, Offered};
use operator::Operator;

#[tokio::main]
async fn main() {
    let program = PathBuf::from(std::env::args().nth(1).expect("the path of the program"));
    println!("{}", Load::HEADING);
    let sqlite = Operator::start(&program, None).await;
    warm(&sqlite, "SQLite").await;
    cold(&sqlite, "SQLite").await;
    drop(sqlite);
    let full = Operator::start_with(&program, None, ROWS).await;
    let clients = Clients::enrol(&full, 64, 64).await;
    Load { name: "SQLite, a million before", connections: 64, offered: Offered::AllTheyTake }
        .run(&full, &clients)
        .await;
    drop(full);
    let postgres = Postgres::start("");
    let operator = Operator::start(&program, Some(&postgres.database())).await;
    warm(&operator, "PostgreSQL").await;
    cold(&operator, "PostgreSQL").await;
}

/// Clients and tokens that the server has seen before.
async fn warm(operator: &Operator, database: &str) {
    let clients = Clients::enrol(operator, 64, 64).await;
    let name = format!("{database}, known clients");
    for connections in [16, 64] {
        Load { name: &name, connections, offered: Offered::AllTheyTake }.run(operator, &clients).await;
    }
    for rate in [1500, 2000] {
        let name = format!("{database}, {rate}/s offered");
        Load { name: &name, connections: 64, offered: Offered::PerSecond(rate) }.run(operator, &clients).await;
    }
}

/// Each challenge comes from a client, and with a token, that the server has never seen.
async fn cold(operator: &Operator, database: &str) {
    let name = format!("{database}, new clients");
    let load = Load { name: &name, connections: 64, offered: Offered::AllTheyTake };
    let clients = Clients::enrol(operator, load::CHALLENGES, load::CHALLENGES).await;
    load.run_once(operator, &clients).await;
}

/// Licenses in the database before a measurement.
const ROWS: u32 = 1_000_000;
