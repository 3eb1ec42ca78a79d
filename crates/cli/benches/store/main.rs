//! The client's store in a SQLite file, with many licenses in it: opening it, also after a process that wrote to it was
//! killed, finding the licenses for a key, deciding, and what it takes on disk. Run by `cargo xtask bench store`; the argument is
//! how many licenses.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark stops at the first surprise")]

mod client;
#[expect(dead_code, reason = "the program uses the rest")]
#[path = "../../src/system/sqlite.rs"]
mod sqlite;

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use admit_crypto::rustcrypto;
use admit_license::KeyId;

use client::Client;

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let first = arguments.next().expect("how many licenses");
    if first == WRITER {
        return write_for_ever(Path::new(&arguments.next().expect("the store's path")));
    }
    let licenses: u32 = first.parse().expect("how many licenses");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    fill(&path, licenses);
    let bytes = size_of(folder.path());
    println!("{licenses} licenses take {} bytes each on disk", bytes / u64::from(licenses));
    print("opening", (0..ROUNDS).map(|_| open(&path)).collect());
    print("opening after SIGKILL", (0..ROUNDS).map(|_| open_after_kill(&path)).collect());
    let client = Client::open(&path, &rustcrypto::PROVIDER);
    let find = |number: u32| {
        let key_id = key_id(number.wrapping_mul(2_654_435_761) % licenses);
        let started = Instant::now();
        let held = client.store.held(&key_id).unwrap();
        (started.elapsed(), held)
    };
    (0..FINDS).for_each(|number| drop(find(number)));
    let found: Vec<_> = (0..FINDS).map(find).collect();
    assert!(found.iter().all(|(_, held)| held.len() == 1));
    print("finding a key id, warm", found.iter().map(|(took, _)| *took).collect());
    let decide = |held: &Vec<_>| {
        let started = Instant::now();
        for _ in 0..DECISIONS {
            assert!(client.decide(std::hint::black_box(held)));
        }
        started.elapsed() / DECISIONS
    };
    print("one decision", found.iter().map(|(_, held)| decide(held)).collect());
}

/// The key of the license of this number.
fn key_id(number: u32) -> KeyId {
    let mut bytes = [7; 16];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    KeyId::from_bytes(bytes)
}

/// Acquires licenses, as many at once as a response may hold.
fn fill(path: &Path, licenses: u32) {
    let mut client = Client::enrol(path);
    let started = Instant::now();
    for first in (0..licenses).step_by(AT_ONCE as usize) {
        client.acquire((first..licenses.min(first + AT_ONCE)).map(key_id));
    }
    println!("acquired {licenses} licenses in {:.0?}", started.elapsed());
}

fn open(path: &Path) -> Duration {
    let started = Instant::now();
    drop(Client::open(path, &rustcrypto::PROVIDER));
    started.elapsed()
}

/// Opens the store of a process that was killed while it wrote.
fn open_after_kill(path: &Path) -> Duration {
    let mut writer = Command::new(std::env::current_exe().unwrap());
    let mut writer = writer.arg(WRITER).arg(path).stdout(Stdio::piped()).spawn().unwrap();
    let mut written = BufReader::new(writer.stdout.take().unwrap()).lines();
    for _ in 0..3 {
        written.next().unwrap().unwrap();
    }
    writer.kill().unwrap();
    writer.wait().unwrap();
    open(path)
}

/// What is killed.
fn write_for_ever(path: &Path) {
    let mut client = Client::open(path, &admit_crypto::aws_lc::PROVIDER);
    for round in (0..).step_by(AT_ONCE as usize) {
        client.acquire((round..round + AT_ONCE).map(|number| key_id(u32::MAX - number)));
        println!("{round}");
    }
}

fn size_of(folder: &Path) -> u64 {
    folder.read_dir().unwrap().map(|file| file.unwrap().metadata().unwrap().len()).sum()
}

fn print(what: &str, mut took: Vec<Duration>) {
    took.sort();
    let (middle, tail) = (took[took.len() / 2], took[took.len() * 99 / 100]);
    println!("{what:<24} p50 {middle:>10.2?}   p99 {tail:>10.2?}   min {:>10.2?}", took[0]);
}

const WRITER: &str = "write-for-ever";
const AT_ONCE: u32 = 500;
const ROUNDS: u32 = 15;
const FINDS: u32 = 2_000;
const DECISIONS: u32 = 100;
