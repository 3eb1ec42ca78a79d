//! A playlist as players write it (M3U): a line a track, comments, and in one of them the list's name.

use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Outcome};

/// What a playlist names.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Playlist {
    /// Its name, where it says one.
    pub(super) title: Option<String>,
    /// The tracks, found from where the list is.
    pub(super) files: Vec<PathBuf>,
}

impl Playlist {
    /// Reads a list.
    pub(super) fn open(path: &Path) -> Outcome<Self> {
        let bytes = fs::read(path).map_err(|error| Failure::file(path, &error))?;
        Ok(Self::read(&text(&bytes), path.parent().unwrap_or(Path::new(""))))
    }

    fn read(text: &str, folder: &Path) -> Self {
        let mut list = Self::default();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            match (line.strip_prefix("#PLAYLIST:"), line.starts_with('#')) {
                (Some(title), _) => list.title = Some(title.trim().to_owned()).filter(|title| !title.is_empty()),
                (None, true) => (),
                (None, false) if super::content::is_address(line) => list.files.push(line.into()),
                (None, false) => list.files.push(folder.join(line)),
            }
        }
        list
    }
}

/// UTF-8, or ISO 8859-1 where it is none, which was the first to be used.
fn text(bytes: &[u8]) -> String {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    String::from_utf8(bytes.to_vec()).unwrap_or_else(|_| bytes.iter().copied().map(char::from).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tracks_are_found_from_where_the_list_is() {
        let list =
            "#EXTM3U\r\n#PLAYLIST: Best of \r\n#EXTINF:3,A - B\r\none.mp4\r\n\r\n/two.mp4\nhttps://a/three.mp4\n";
        let files = ["music/one.mp4", "/two.mp4", "https://a/three.mp4"].map(PathBuf::from).to_vec();
        let expected = Playlist { title: Some("Best of".into()), files };
        assert_eq!(Playlist::read(list, Path::new("music")), expected);
    }

    #[test]
    fn lists_are_utf_8_or_latin_1() {
        assert_eq!(text("\u{feff}Träume".as_bytes()), "Träume");
        assert_eq!(text(b"Tr\xe4ume"), "Träume");
    }
}
