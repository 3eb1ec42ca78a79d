//! The corpus reader: named files that carry their own verdict. A file is lines of `name: value`, then an empty
//! line, then the bytes in hexadecimal, 32 to a line.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// One file of a corpus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vector {
    /// The file's name without its extension.
    pub name: String,
    /// What the file is about, for people.
    pub about: String,
    /// Which reader it is for.
    pub format: String,
    /// What the reader says.
    pub verdict: Verdict,
    /// What is read.
    pub bytes: Vec<u8>,
}

/// What a reader says of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is accepted.
    Accept,
    /// It is refused with the error that prints like this.
    Refuse(String),
}

impl Verdict {
    /// The verdict that a reader's result amounts to.
    pub fn of<T, E: core::fmt::Debug>(result: Result<T, E>) -> Self {
        match result {
            Ok(_) => Self::Accept,
            Err(error) => Self::Refuse(format!("{error:?}")),
        }
    }
}

impl Vector {
    /// The file's text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let verdict = match &self.verdict {
            Verdict::Accept => "accept".into(),
            Verdict::Refuse(error) => format!("refuse {error}"),
        };
        let mut text = format!("about: {}\nformat: {}\nverdict: {verdict}\n\n", self.about, self.format);
        for line in self.bytes.chunks(32) {
            line.iter().for_each(|byte| write!(text, "{byte:02x}").expect(TO_A_STRING));
            text.push('\n');
        }
        text
    }

    fn parse(name: &str, text: &str) -> Option<Self> {
        let (header, body) = text.split_once("\n\n")?;
        let lines: BTreeMap<_, _> = header.lines().filter_map(|line| line.split_once(": ")).collect();
        let verdict = match *lines.get("verdict")? {
            "accept" => Verdict::Accept,
            refused => Verdict::Refuse(refused.strip_prefix("refuse ")?.into()),
        };
        let (about, format) = (lines.get("about")?.to_string(), lines.get("format")?.to_string());
        Some(Self { name: name.into(), about, format, verdict, bytes: from_hex(body)? })
    }
}

/// A folder of the project's `vectors`.
#[must_use]
pub fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors").join(name)
}

/// Every file of a folder, by name.
///
/// # Panics
///
/// When the folder or a file cannot be read, or a file is not as it must be.
#[must_use]
pub fn read(name: &str) -> Vec<Vector> {
    let entries = fs::read_dir(folder(name)).unwrap_or_else(|error| panic!("vectors/{name}: {error}"));
    let mut vectors: Vec<_> = entries.map(|entry| read_file(&entry.expect("a folder is listed").path())).collect();
    vectors.sort_by(|a, b| a.name.cmp(&b.name));
    vectors
}

/// Whether the folder holds exactly these vectors; otherwise the names of those that differ, are missing or are left
/// over.
///
/// # Panics
///
/// Like [`read`].
#[must_use]
pub fn stale(name: &str, expected: &[Vector]) -> Vec<String> {
    let by_name = |vectors: Vec<Vector>| vectors.into_iter().map(|it| (it.name.clone(), it)).collect();
    let found: BTreeMap<_, _> = by_name(read(name));
    let expected: BTreeMap<_, _> = by_name(expected.to_vec());
    let names = found.keys().chain(expected.keys());
    let mut stale: Vec<_> = names.filter(|name| found.get(*name) != expected.get(*name)).cloned().collect();
    stale.sort();
    stale.dedup();
    stale
}

/// Writes a folder anew.
///
/// # Panics
///
/// When the folder cannot be written.
pub fn write(name: &str, vectors: &[Vector]) {
    let folder = folder(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).expect("the folder can be removed");
    }
    fs::create_dir_all(&folder).expect("the folder can be made");
    for vector in vectors {
        let path = folder.join(&vector.name).with_extension("txt");
        fs::write(path, vector.to_text()).expect("a file can be written");
    }
}

fn read_file(path: &Path) -> Vector {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let name = path.file_stem().expect("a file has a name").to_string_lossy();
    Vector::parse(&name, &text).unwrap_or_else(|| panic!("{} is not a vector", path.display()))
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.chars().filter(|c| !c.is_whitespace()).map(hex_digit).collect::<Option<_>>()?;
    digits.len().is_multiple_of(2).then(|| digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

fn hex_digit(c: char) -> Option<u8> {
    c.to_digit(16).and_then(|digit| digit.try_into().ok())
}

const TO_A_STRING: &str = "writing to a string succeeds";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vector_is_read_as_it_was_written() {
        for verdict in [Verdict::Accept, Verdict::Refuse("Terms { position: 3 }".into())] {
            let vector = Vector {
                name: "name".into(),
                about: "what: it is".into(),
                format: "license".into(),
                verdict,
                bytes: (0..=255).collect(),
            };
            assert_eq!(Vector::parse("name", &vector.to_text()), Some(vector));
        }
    }

    #[test]
    fn a_file_without_verdict_or_with_half_a_byte_is_no_vector() {
        assert_eq!(Vector::parse("x", "about: x\nformat: y\n\n00\n"), None);
        assert_eq!(Vector::parse("x", "about: x\nformat: y\nverdict: maybe\n\n00\n"), None);
        assert_eq!(Vector::parse("x", "about: x\nformat: y\nverdict: accept\n\n000\n"), None);
    }
}
