//! A page that comes before a license (rows B03, B06): what a terminal asks, and what is told where there is none.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::process::{Child, Stdio};

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::world::World;

const PAGE: &str = "https://shop.example.org/sign-in";
const ASKS: &str =
    "if buyer.id == () { ask(\"Sign in first.\", \"https://shop.example.org/sign-in\"); } license.rights = \"play\";";

/// A command whose standard input and standard error are a terminal, and the other end of that.
struct AtTerminal {
    child: Child,
    terminal: File,
    seen: String,
}

impl AtTerminal {
    fn start(world: &World, words: &[&str]) -> Self {
        let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&terminal).unwrap();
        unlockpt(&terminal).unwrap();
        let name = ptsname(&terminal, Vec::new()).unwrap();
        let open = || rustix::fs::open(&name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty()).unwrap();
        let mut command = world.command(words);
        command.stdin(Stdio::from(open())).stderr(Stdio::from(open())).stdout(Stdio::null());
        let child = command.spawn().unwrap();
        Self { child, terminal: terminal.into(), seen: String::new() }
    }

    /// Reads until it asks, and says what it showed since it did so last.
    fn asked(&mut self) -> String {
        self.seen.clear();
        let mut buffer = [0; 1024];
        while !self.seen.ends_with("paste it before. ") {
            let length = self.terminal.read(&mut buffer).unwrap_or_else(|error| panic!("{error}: {}", self.seen));
            self.seen.push_str(&String::from_utf8_lossy(&buffer[..length]));
        }
        self.seen.clone()
    }

    fn answer(&mut self, text: &str) {
        self.terminal.write_all(text.as_bytes()).unwrap();
    }

    fn ended(mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

#[test]
fn b03_a_terminal_shows_the_page_and_each_answer_makes_a_fresh_challenge() {
    let world = World::with_policy(ASKS);
    let realm = world.package("film.mp4", "film", &["--open"]);
    let mut playing = AtTerminal::start(&world, &["play", "film.mp4", "-o", "clear.mp4", "--trust", &realm]);
    let shown = playing.asked();
    assert!(shown.contains("Sign in first") && shown.contains(&format!("Go to {PAGE}\r\n")), "{shown}");
    playing.answer("\n");
    assert!(playing.asked().contains(PAGE), "nothing has changed for the policy");
    // The store is nobody's while the user is away.
    world.admit(&["license", "list"]).succeeded();
    playing.answer(&format!("{}\n", world.token("film")));
    assert_eq!(playing.ended(), Some(0));
    assert!(world.path("clear.mp4").exists());
}

#[test]
fn b03_who_ends_the_question_gets_no_license() {
    let world = World::with_policy(ASKS);
    let realm = world.package("film.mp4", "film", &["--open"]);
    let mut acquiring = AtTerminal::start(&world, &["license", "acquire", "film.mp4", "--trust", &realm]);
    acquiring.asked();
    acquiring.answer("\u{4}");
    assert_eq!(acquiring.ended(), Some(1));
    assert!(!world.events().contains(&"licenses-issued".to_owned()));
}

#[test]
fn b06_without_a_terminal_the_address_is_told_with_the_code() {
    let world = World::with_policy(ASKS);
    let realm = world.package("film.mp4", "film", &["--open"]);
    let words = ["play", "film.mp4", "-o", "clear.mp4", "--trust", &realm];
    let line = world.admit(&words).refused("ADMIT_E_PAGE_FIRST");
    assert!(line.contains(PAGE), "{line}");
    let error = world.admit(&[&words[..], &["--json"]].concat()).stderr;
    let error: serde_json::Value = serde_json::from_str(&error).unwrap();
    assert_eq!((&error["error"], &error["page"]), (&"ADMIT_E_PAGE_FIRST".into(), &PAGE.into()));
}

#[test]
fn b06_a_page_that_the_service_does_not_name_is_the_one_of_the_contents_header() {
    let world = World::with_policy("if buyer.id == () { ask(\"Sign in first.\"); }");
    let page = "https://shop.example.org/film";
    let realm = world.package("film.mp4", "film", &["--open", "--license-page", page]);
    world.package("song.mp4", "song", &["--license-page", page]);
    for (file, code) in [("film.mp4", "ADMIT_E_PAGE_FIRST"), ("song.mp4", "ADMIT_E_TOKEN_REQUIRED")] {
        for words in [&["license", "acquire", file][..], &["play", file, "-o", "clear.mp4"]] {
            let line = world.admit(&[words, &["--trust", &realm]].concat()).refused(code);
            assert!(line.contains(page), "{line}");
        }
    }
}
