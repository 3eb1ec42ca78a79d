//! Durable licenses a second: the real program serves from a database on this disk, and this one sends it challenges over
//! TCP, made in advance, all distinct, signed and encrypted. Every answer is a license that is on the disk. Run by
//! `cargo xtask bench licenses`; the first argument is the path of the program.

#![expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
#![expect(clippy::unwrap_used, reason = "a benchmark stops at the first surprise")]

#[expect(dead_code, reason = "tests use the rest")]
#[path = "../../tests/server/harness.rs"]
mod harness;
mod limit;
mod load;
#[expect(dead_code, reason = "other benchmarks use the rest")]
mod operator;

use std::path::{Path, PathBuf};

use admit_testkit::Postgres;

use load::{Asked, Clients, Load, Offered};
use operator::Operator;

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let program = PathBuf::from(arguments.next().expect("the path of the program"));
    let wanted: Vec<String> = arguments.collect();
    limit::print();
    println!("{}", Load::HEADING);
    for part in PARTS {
        if wanted.is_empty() || wanted.iter().any(|wanted| wanted == part) {
            measure(part, &program).await;
        }
    }
}

/// What can be measured by itself; their names are this program's further arguments.
const PARTS: [&str; 3] = ["sqlite", "million", "postgres"];

async fn measure(part: &str, program: &Path) {
    match part {
        "sqlite" => all(&Operator::start(program, None).await, "SQLite").await,
        "million" => {
            let full = Operator::start_with(program, None, ROWS, &[]).await;
            let clients = Clients::enrol(&full, 64, 64).await;
            let name = "SQLite, a million before";
            Load { name, asked: Asked::License, connections: 64, offered: Offered::AllTheyTake }
                .run(&full, &clients)
                .await;
        }
        _ => {
            let postgres = Postgres::start("");
            all(&Operator::start(program, Some(&postgres.database())).await, "PostgreSQL").await;
        }
    }
}

async fn all(operator: &Operator, database: &str) {
    warm(operator, database).await;
    cold(operator, database).await;
}

/// Clients and tokens that the server has seen before.
async fn warm(operator: &Operator, database: &str) {
    let clients = Clients::enrol(operator, 64, 64).await;
    let name = format!("{database}, known clients");
    for connections in [16, 64] {
        Load { name: &name, asked: Asked::License, connections, offered: Offered::AllTheyTake }
            .run(operator, &clients)
            .await;
    }
    for rate in [1000, 2000] {
        let name = format!("{database}, {rate}/s offered");
        Load { name: &name, asked: Asked::License, connections: 64, offered: Offered::PerSecond(rate) }
            .run(operator, &clients)
            .await;
    }
    for (asked, name) in [(Asked::ClearKey, "ClearKey"), (Asked::Health, "HTTP alone")] {
        let name = format!("{database}, {name}");
        Load { name: &name, asked, connections: 64, offered: Offered::AllTheyTake }.run(operator, &clients).await;
    }
}

/// Each challenge comes from a client, and with a token, that the server has never seen.
async fn cold(operator: &Operator, database: &str) {
    let name = format!("{database}, new clients");
    let load = Load { name: &name, asked: Asked::License, connections: 64, offered: Offered::AllTheyTake };
    let clients = Clients::enrol(operator, load::REQUESTS, load::REQUESTS).await;
    load.run_once(operator, &clients).await;
}

/// Licenses in the database before a measurement.
const ROWS: u32 = 1_000_000;
