//! Words that no file of the tree may hold: marks of unfinished work.

use std::fs;

use anyhow::{Context, Result};

use crate::workspace::Workspace;

/// Put together from halves, so that this file does not hold what it looks for.
const UNFINISHED: [&str; 5] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("to", "do!("),
    concat!("un", "implemented!("),
];

/// Every line of code, settings or documentation that marks unfinished work.
pub(super) fn faults(workspace: &Workspace) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    for path in workspace.files(&["rs", "toml", "md", "ts", "sql", "sh"])? {
        let shown = workspace.shown(&path);
        let text = fs::read_to_string(&path).with_context(|| format!("{shown} cannot be read"))?;
        faults.extend(faults_in(&shown, &text));
    }
    Ok(faults)
}

fn faults_in(path: &str, text: &str) -> Vec<String> {
    let lines = text.lines().enumerate();
    let marked = lines.filter_map(|(index, line)| {
        let mark = UNFINISHED.iter().find(|mark| !is_example(line, mark) && holds_word(line, mark))?;
        Some(format!("{path}:{}: {mark} marks unfinished work", index + 1))
    });
    marked.collect()
}

/// A macro that a comment names stands for nothing unfinished: examples that must not compile are full of it.
fn is_example(line: &str, mark: &str) -> bool {
    mark.ends_with('(') && line.trim_start().starts_with("//")
}

/// The line holds the word, and not only as a part of a longer one.
fn holds_word(line: &str, word: &str) -> bool {
    let is_part = |character: Option<char>| character.is_some_and(|c| c.is_alphanumeric() || c == '_');
    line.match_indices(word).any(|(at, _)| {
        let after = line[at + word.len()..].chars().next();
        !is_part(line[..at].chars().next_back()) && (word.ends_with('(') || !is_part(after))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_found_with_their_place() {
        let text = format!("fn f() {{\n    // {}: later\n    {}\"x\")\n}}\n", UNFINISHED[0], UNFINISHED[4]);
        let expected = [
            format!("a.rs:2: {} marks unfinished work", UNFINISHED[0]),
            format!("a.rs:3: {} marks unfinished work", UNFINISHED[4]),
        ];
        assert_eq!(faults_in("a.rs", &text), expected);
    }

    #[test]
    fn examples_in_comments_may_name_the_macros() {
        let text = format!("/// let x = {})\n    {})\n", UNFINISHED[4], UNFINISHED[4]);
        assert_eq!(faults_in("a.rs", &text), [format!("a.rs:2: {} marks unfinished work", UNFINISHED[4])]);
    }

    #[test]
    fn parts_of_longer_words_are_left_alone() {
        let text = format!("MAS{}N {}1 my{}\n", UNFINISHED[0], UNFINISHED[2], UNFINISHED[3]);
        assert_eq!(faults_in("a.rs", &text), [""; 0]);
    }
}
