//! The root key's passphrase: from a file, or asked for at the terminal.

use std::io::IsTerminal;
use std::path::Path;

use admit_protocol::Code;

use crate::failure::{Failure, Outcome};

/// For a new key: long enough, and asked for twice.
pub(super) fn new(file: Option<&Path>) -> Outcome<String> {
    if let Some(path) = file {
        return from_file(path).and_then(long_enough);
    }
    refuse_without_terminal("Name a file with --passphrase-file, or, for a demonstration, pass --demo-root-online")?;
    let first = ask("Passphrase for the root key: ").and_then(long_enough)?;
    if first == ask("The same again: ")? {
        Ok(first)
    } else {
        Err(Failure::new(Code::ADMIT_E_USAGE, "the two passphrases differ").with_action("Run the command again"))
    }
}

/// Of a key that is there.
pub(super) fn existing(file: Option<&Path>) -> Outcome<String> {
    if let Some(path) = file {
        return from_file(path);
    }
    refuse_without_terminal("Name a file with --passphrase-file")?;
    ask("Passphrase of the root key: ")
}

fn from_file(path: &Path) -> Outcome<String> {
    let text = std::fs::read_to_string(path).map_err(|error| Failure::file(path, &error))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

fn long_enough(text: String) -> Outcome<String> {
    if text.chars().count() >= SHORTEST_PASSPHRASE {
        return Ok(text);
    }
    let sentence = format!("the passphrase has fewer than {SHORTEST_PASSPHRASE} characters");
    Err(Failure::new(Code::ADMIT_E_USAGE, sentence).with_action("Choose a longer one: it protects the whole realm"))
}

fn refuse_without_terminal(action: &str) -> Outcome<()> {
    if std::io::stdin().is_terminal() {
        return Ok(());
    }
    let sentence = "there is no terminal to ask for the root key's passphrase at";
    Err(Failure::new(Code::ADMIT_E_USAGE, sentence).with_action(action))
}

fn ask(prompt: &str) -> Outcome<String> {
    rpassword::prompt_password(prompt)
        .map_err(|error| Failure::new(Code::ADMIT_E_FILE, format!("the terminal cannot be read: {error}")))
}

const SHORTEST_PASSPHRASE: usize = 12;
