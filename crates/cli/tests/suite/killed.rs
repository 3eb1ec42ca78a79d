//! Row B09: `admit play` is killed before every write and every sync that it makes, one after the other. Whatever the
//! instant, a use that was not charged can be had again, one that was charged is charged once, and nothing of a sample
//! leaves before it is.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Command;

use crate::burning::{licensing, protect};
use crate::world::World;

#[test]
fn b09_a_play_killed_at_any_write_or_sync_is_counted_once_or_not_at_all() {
    let (world, clear) = song("license.rights = \"play\"; license.play_count = 10000;");
    let used = || world.admit(&["license", "list", "--json"]).json()["licenses"][0]["plays"]["used"].as_u64().unwrap();
    for call in CALLS {
        let mut before = used();
        each_death(&world, call, |came| {
            let now = used();
            let charged = came.check(now - before, &clear);
            before = now;
            charged
        });
    }
}

#[test]
fn b09_a_one_time_license_outlives_every_death_before_it_is_charged() {
    let (world, clear) = song("license.rights = \"play\"; license.one_time = true;");
    let held = || world.admit(&["license", "list", "--json"]).json()["licenses"].as_array().unwrap().len() as u64;
    for call in CALLS {
        each_death(&world, call, |came| {
            // Where the license was spent another one is acquired; one that is there must do for the next play.
            let charged = came.check(1 - held(), &clear);
            if charged {
                world.admit(&["license", "acquire", "song.mp4"]).succeeded();
            } else {
                world.admit(&["why", "play", "song.mp4"]).succeeded();
            }
            assert_eq!(held(), 1);
            charged
        });
    }
}

#[test]
fn licenses_are_shown_also_where_what_was_reserved_cannot_be_given_back() {
    let (world, _) = song("license.rights = \"play\"; license.play_count = 5;");
    let used = || world.admit(&["license", "list", "--json"]).json()["licenses"][0]["plays"]["used"].as_u64().unwrap();
    let store = world.realm_folder("client").join("store.db");
    let reserved = || {
        let connection = rusqlite::Connection::open(&store).unwrap();
        connection.query_row("SELECT count(*) FROM record WHERE key = x'72'", [], |row| row.get::<_, u32>(0)).unwrap()
    };
    let before = used();
    let left = (1..).find(|&number| play(&world, "pwrite64", number).lived || reserved() == 1);
    assert_eq!(reserved(), 1, "{left:?}");
    let set = |statement| rusqlite::Connection::open(&store).unwrap().execute_batch(statement).unwrap();
    set("CREATE TRIGGER refuse BEFORE UPDATE ON record BEGIN SELECT RAISE(ABORT, 'no'); END");
    assert_eq!(used(), before + 1, "what is reserved is shown as used");
    set("DROP TRIGGER refuse");
    assert_eq!((used(), reserved()), (before, 0));
}

/// A song for which a client has a license by this policy, and its clear media.
fn song(policy: &str) -> (World, Vec<u8>) {
    let world = licensing(policy);
    let realm = protect(&world, "song", "sine=440:d=1", &["aac"], &[]);
    world.admit(&["play", "song.mp4", "-o", "clear.mp4", "--trust", &realm]).succeeded();
    if world.admit(&["why", "play", "song.mp4"]).code != Some(0) {
        world.admit(&["license", "acquire", "song.mp4"]).succeeded();
    }
    let clear = fs::read(world.path("clear.mp4")).unwrap();
    (world, clear)
}

/// What came of a play that was to be killed.
struct Came {
    lived: bool,
    /// What it gave out.
    bytes: Vec<u8>,
}

impl Came {
    /// Whether a use was charged, which a play is for that gave out the first byte of a sample.
    fn check(&self, charged: u64, clear: &[u8]) -> bool {
        assert!(charged == 1 || !self.lived, "a whole play for nothing");
        let first_sample = clear.windows(4).position(|kind| kind == b"mdat").unwrap() + 4;
        assert!(clear.starts_with(&self.bytes) && (!self.lived || clear.len() == self.bytes.len()));
        assert!(charged <= 1, "{charged} uses for one play");
        assert!(charged == 1 || self.bytes.len() <= first_sample, "{} bytes came for nothing", self.bytes.len());
        charged == 1
    }
}

/// Plays and dies before the first of these calls, then before the second and so on, until a play lives through. `look` says
/// whether a use was charged. One that is charged for nothing is between its charge and the first write of what came of
/// it, where no other call is made than the charge's own sync or that write: a single death for each kind of call.
fn each_death(world: &World, call: &str, mut look: impl FnMut(&Came) -> bool) {
    let mut for_nothing = Vec::new();
    for number in 1.. {
        let came = play(world, call, number);
        if look(&came) && came.bytes.is_empty() {
            for_nothing.push(number);
            assert!(for_nothing.len() == 1, "charged for nothing before {call} {for_nothing:?}");
        }
        if came.lived {
            assert!(number > 1 || call == "ftruncate", "nothing dies in {call}");
            return;
        }
    }
}

fn play(world: &World, call: &str, number: u32) -> Came {
    let admit = world.command(&["play", "song.mp4", "-o", "-"]);
    let inject = format!("inject={call}:signal=SIGKILL:when={number}");
    let mut strace = Command::new("strace");
    strace.args(["-f", "-o", "/dev/null", "-e", &format!("trace={call}"), "-e", &inject]);
    strace.arg(admit.get_program()).args(admit.get_args()).current_dir(world.folder.path());
    strace.envs(admit.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = strace.env("ADMIT_CLIENT", world.path("client")).output().expect("strace is installed");
    let lived = output.status.success();
    assert!(lived || output.status.signal() == Some(9), "{}", String::from_utf8_lossy(&output.stderr));
    Came { lived, bytes: output.stdout }
}

/// What changes files.
const CALLS: [&str; 4] = ["pwrite64", "fsync,fdatasync", "write", "ftruncate"];
