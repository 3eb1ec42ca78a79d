//! The client's store in a SQLite file, with many licenses in it: opening it, also after a process that wrote to it was
//! killed, finding the licenses for a key, deciding, charging, and what it takes on disk and in memory. Run by
//! `cargo xtask bench store`; the argument is how many licenses.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark stops at the first surprise")]

mod client;
#[expect(dead_code, reason = "the program uses the rest")]
#[path = "../../src/system/sqlite.rs"]
mod sqlite;

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use admit_crypto::aws_lc;

use client::{Client, issued, key_id};

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [licenses] => {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("store.db");
            fill(&path, licenses.parse().expect("how many licenses"));
            print_size(folder.path(), licenses.parse().unwrap());
            // In a process of its own, so that its memory is not that of who filled the store.
            assert!(again(&[MEASURE, path.to_str().unwrap(), licenses]).status().unwrap().success());
        }
        [MEASURE, path, licenses] => measure(Path::new(path), licenses.parse().unwrap()),
        [WRITE_FOR_EVER, path, first] => write_for_ever(Path::new(path), first.parse().unwrap()),
        _ => panic!("how many licenses"),
    }
}

/// This program with other arguments.
fn again(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(arguments);
    command
}

/// Acquires licenses, as many at once as a response may hold, while another thread issues the next ones.
fn fill(path: &Path, licenses: u32) {
    let mut client = Client::enrol(path);
    let (started, recipient) = (Instant::now(), client.encryption_key());
    let (send, receive) = sync_channel(1);
    let issue = move || {
        for first in (0..licenses).step_by(AT_ONCE as usize) {
            send.send(issued(&recipient, first..licenses.min(first + AT_ONCE))).unwrap();
        }
    };
    let issuing = std::thread::spawn(issue);
    let stored: Vec<_> = receive.iter().map(|licenses| client.acquire(licenses)).collect();
    issuing.join().unwrap();
    println!("acquired {licenses} licenses in {:.0?}", started.elapsed());
    print("storing 500 at once", stored[stored.len() / 2..].to_vec());
}

fn print_size(folder: &Path, licenses: u32) {
    let bytes: u64 = folder.read_dir().unwrap().map(|file| file.unwrap().metadata().unwrap().len()).sum();
    println!("{licenses} licenses take {} bytes each on disk", bytes / u64::from(licenses));
}

fn measure(path: &Path, licenses: u32) {
    let mut some = (0..).map(|number: u32| number.wrapping_mul(2_654_435_761) % licenses);
    print("opening", (0..ROUNDS).map(|_| open(path).0).collect());
    let opened: Vec<_> = (0..ROUNDS).map(|round| open_after_kill(path, round, key_id(some.next().unwrap()))).collect();
    print("opening after SIGKILL", opened.iter().map(|(opening, _)| *opening).collect());
    print("the first find then", opened.iter().map(|(_, find)| *find).collect());
    let mut client = Client::open(path, &aws_lc::PROVIDER);
    let mut find = |_| {
        let key_id = key_id(some.next().unwrap());
        let started = Instant::now();
        let held = client.store.held(&key_id).unwrap();
        (started.elapsed(), held)
    };
    (0..FINDS).for_each(|number| drop(find(number)));
    let found = (0..FINDS).map(&mut find).inspect(|(_, held)| assert_eq!(held.len(), 1));
    print("finding a key id, warm", found.map(|(took, _)| took).collect());
    print_memory();
    let found: Vec<_> = (0..DECIDED).map(|number| find(number).1).collect();
    let decide = |held: &Vec<_>| {
        let started = Instant::now();
        for _ in 0..DECISIONS {
            assert!(client.decide(std::hint::black_box(held)));
        }
        started.elapsed() / DECISIONS
    };
    print("one decision", found.iter().map(decide).collect());
    let mut play = |number| {
        let started = Instant::now();
        client.play(number);
        started.elapsed()
    };
    print("playing once, two commits", some.take(PLAYS).map(&mut play).collect());
    print("for that, two syncs alone", (0..PLAYS).map(|_| sync_twice(path)).collect());
    let started = Instant::now();
    assert!(client.store.licenses().unwrap().len() >= licenses as usize);
    println!("looking through all: {:.2?}", started.elapsed());
}

/// How long opening the store takes with the identity and the clock in it, and the client.
fn open(path: &Path) -> (Duration, Client) {
    let started = Instant::now();
    let client = Client::open(path, &aws_lc::PROVIDER);
    (started.elapsed(), client)
}

/// Opens the store of a process that was killed while it wrote, and finds a key.
fn open_after_kill(path: &Path, round: u32, key_id: admit_license::KeyId) -> (Duration, Duration) {
    let first = (u32::MAX - (round + 1) * 100 * AT_ONCE).to_string();
    let mut writer = again(&[WRITE_FOR_EVER, path.to_str().unwrap(), &first]).stdout(Stdio::piped()).spawn().unwrap();
    let mut written = BufReader::new(writer.stdout.take().unwrap()).lines();
    for _ in 0..=2 * round {
        written.next().unwrap().unwrap();
    }
    writer.kill().unwrap();
    writer.wait().unwrap();
    let (opening, client) = open(path);
    let started = Instant::now();
    assert_eq!(client.store.held(&key_id).unwrap().len(), 1);
    (opening, started.elapsed())
}

/// What is killed: it acquires licenses and plays, in turn.
fn write_for_ever(path: &Path, first: u32) {
    let mut client = Client::open(path, &aws_lc::PROVIDER);
    for first in (first..).step_by(AT_ONCE as usize) {
        client.acquire(issued(&client.encryption_key(), first..first + AT_ONCE));
        println!("acquired");
        for number in first..first + 10 {
            client.play(number);
            println!("played");
        }
    }
}

/// What two commits cost at least: a page each that is on the disk.
fn sync_twice(path: &Path) -> Duration {
    let mut file = tempfile::tempfile_in(path.parent().unwrap()).unwrap();
    file.write_all(&[0; 8192]).and_then(|()| file.sync_all()).unwrap();
    let started = Instant::now();
    for _ in 0..2 {
        file.write_all(&[7; 4096]).and_then(|()| file.sync_data()).unwrap();
    }
    started.elapsed()
}

fn print(what: &str, mut took: Vec<Duration>) {
    took.sort();
    let (middle, tail) = (took[took.len() / 2], took[took.len() * 99 / 100]);
    println!("{what:<26} p50 {middle:>10.2?}   p99 {tail:>10.2?}   min {:>10.2?}", took[0]);
}

/// What the process has in memory.
fn print_memory() {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let lines = status.lines().filter(|line| line.starts_with("VmRSS") || line.starts_with("VmHWM"));
    println!("memory after {FINDS} finds: {}", lines.collect::<Vec<_>>().join(", ").replace('\t', " "));
}

const MEASURE: &str = "measure";
const WRITE_FOR_EVER: &str = "write-for-ever";
const AT_ONCE: u32 = 500;
const ROUNDS: u32 = 15;
const FINDS: u32 = 20_000;
const DECIDED: u32 = 2_000;
const DECISIONS: u32 = 100;
const PLAYS: usize = 200;
