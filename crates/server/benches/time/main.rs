//! Answers about the time for each second of processor time: the real program beside roughenough-server over UDP, round by
//! round, and the real program over HTTP. Run by `cargo xtask bench time`; the arguments are the paths of the two programs.

#![expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
#![expect(clippy::unwrap_used, reason = "a benchmark stops at the first surprise")]

#[expect(dead_code, reason = "tests and other benchmarks use the rest")]
#[path = "../../tests/server/harness.rs"]
mod harness;
mod load;
#[expect(dead_code, reason = "other benchmarks use the rest")]
#[path = "../licenses/operator.rs"]
mod operator;
mod peer;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use admit_time::Timestamp;
use admit_trust::DateCheck;

use harness::PROVIDER;
use load::Measured;
use operator::Operator;
use peer::{Peer, Roughenough};

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1).map(PathBuf::from);
    let program = arguments.next().expect("the path of the program");
    let udp = peer::free_address();
    let settings = [
        ("ADMIT_TIME__LARGEST_ERROR_SECS", "1".to_owned()),
        ("ADMIT_TIME__UDP", udp.to_string()),
        ("ADMIT_TIME__UDP_PER_ADDRESS_PER_HOUR", "0".to_owned()),
    ];
    let operator = Operator::start_set(&program, &settings).await;
    let key = time_key(&operator);
    let ours = Peer { name: "admit serve", address: udp, key, process: operator.process() };
    let theirs = arguments.next().map(|program| Roughenough::start(&program));
    let mut peers: Vec<(&Peer, Vec<Measured>)> = vec![(&ours, Vec::new())];
    peers.extend(theirs.as_ref().map(|theirs| (&theirs.peer, Vec::new())));
    println!("{}", load::HEADING);
    for _ in 0..ROUNDS {
        for (peer, measured) in &mut peers {
            measured.push(load::over_udp(peer));
        }
    }
    for (peer, measured) in peers {
        load::print(&format!("{}, UDP", peer.name), measured);
    }
    let (mut measured, mut alone) = (Vec::new(), Vec::new());
    let on_one_core = start_on_one_core(&program).await;
    let single = Peer { address: udp, key: time_key(&on_one_core), process: on_one_core.process(), ..ours };
    for _ in 0..ROUNDS {
        measured.push(load::over_http(&single, on_one_core.address));
        alone.push(load::http_alone(&single, on_one_core.address));
    }
    load::print("admit serve, HTTP, one core", measured);
    load::print("GET /health, one core", alone);
    let before = operator.usage().0;
    for _ in 0..A_MILLION.div_ceil(load::REQUESTS) {
        load::over_udp(&ours);
    }
    println!("memory of admit serve: {before} MiB, and after a million nonces more {} MiB", operator.usage().0);
}

/// The key that the realm's first time service signs with.
fn time_key(operator: &Operator) -> [u8; 32] {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let dates = DateCheck::At(Timestamp::from_unix_secs(now.as_secs()));
    let services = operator.realm.time_services(PROVIDER, dates).unwrap();
    services[0].certificate.time_key().public_key
}

/// A server that has the first core and knows of no other. The load has the others from then on.
async fn start_on_one_core(program: &Path) -> Operator {
    let others = format!("1-{}", std::thread::available_parallelism().unwrap().get() - 1);
    pin_here("0");
    let operator = Operator::start_set(program, &[("ADMIT_TIME__LARGEST_ERROR_SECS", "1".to_owned())]).await;
    pin_here(&others);
    operator
}

/// Lets this process, and those that it starts, run on these cores only.
fn pin_here(cores: &str) {
    let process = std::process::id().to_string();
    let pinned = Command::new("taskset").args(["-a", "-c", "-p", cores, &process]).output().unwrap();
    assert!(pinned.status.success(), "{pinned:?}");
}

/// Processor time that a process has used.
fn used(process: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    Duration::from_millis((fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()) * 10)
}

const ROUNDS: usize = 5;
const A_MILLION: usize = 1_000_000;
