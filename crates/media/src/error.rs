//! What can go wrong, grouped by who is at fault. Everything wrong in a file says where: box path and byte offset.

use std::fmt;
use std::io;

use crate::{FourCc, KeyId};

/// Boxes deeper than this are refused; the deepest box in use (`tenc`) is at 10.
pub const MAX_DEPTH: usize = 12;

/// The names of the boxes that enclose a place, outermost first.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct BoxPath {
    names: [FourCc; MAX_DEPTH],
    depth: u8,
}

impl BoxPath {
    /// The path one box further down, or `None` at the depth limit.
    #[must_use]
    pub fn join(&self, kind: FourCc) -> Option<Self> {
        let mut path = *self;
        *path.names.get_mut(usize::from(self.depth))? = kind;
        path.depth += 1;
        Some(path)
    }

    /// The names on the path, outermost first.
    #[must_use]
    pub fn names(&self) -> &[FourCc] {
        &self.names[..usize::from(self.depth)]
    }
}

impl fmt::Display for BoxPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.depth == 0 {
            return f.write_str("file");
        }
        self.names().iter().enumerate().try_for_each(|(index, name)| match index {
            0 => write!(f, "{name}"),
            _ => write!(f, "/{name}"),
        })
    }
}

impl fmt::Debug for BoxPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A place in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Location {
    /// The boxes around it.
    pub path: BoxPath,
    /// Bytes from the beginning of the file.
    pub offset: u64,
}

impl Location {
    /// A place at the top level of a file.
    #[must_use]
    pub fn top(offset: u64) -> Self {
        Self { path: BoxPath::default(), offset }
    }

    /// A place inside a top-level box, such as sample data inside `mdat`.
    #[must_use]
    pub fn within(kind: FourCc, offset: u64) -> Self {
        Self { path: BoxPath::default().join(kind).unwrap_or_default(), offset }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.path, self.offset)
    }
}

/// Why a file could not be read, protected or decrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    // The file is wrong.
    /// The file has no bytes.
    #[error("the file is empty")]
    Empty,
    /// The file does not begin as MP4 does.
    #[error("this is no MP4 file")]
    NotMp4,
    /// A box, table or field runs past the end of what holds it.
    #[error("the file was cut or is damaged: {needed} bytes should be there from {at} on, and {available} are")]
    Truncated {
        /// Where.
        at: Location,
        /// Bytes that the file claims.
        needed: u64,
        /// Bytes that are there.
        available: u64,
    },
    /// A box is smaller than its own header.
    #[error("{at}: box size {size} is smaller than its header")]
    BadBoxSize {
        /// Where.
        at: Location,
        /// The size that was found.
        size: u64,
    },
    /// Boxes are nested deeper than any use for them.
    #[error("{at}: boxes nested more than {MAX_DEPTH} deep")]
    TooDeep {
        /// Where.
        at: Location,
    },
    /// There are more boxes, or a larger box, than can be held in memory for good reason.
    #[error("{at}: {what} {size} is over the limit of {limit}")]
    OverLimit {
        /// Where.
        at: Location,
        /// What is limited.
        what: &'static str,
        /// The number that was found.
        size: u64,
        /// The limit.
        limit: u64,
    },
    /// A box that must be there is not.
    #[error("{at}: no {wanted} box")]
    Missing {
        /// The box or file that lacks it.
        at: Location,
        /// The missing box.
        wanted: FourCc,
    },
    /// A box has a version that this program does not know.
    #[error("{at}: version {version} is unknown")]
    UnknownVersion {
        /// Where.
        at: Location,
        /// The version that was found.
        version: u8,
    },
    /// A field has a value that it cannot have.
    #[error("{at}: {field} cannot be {value}")]
    BadValue {
        /// Where.
        at: Location,
        /// The field.
        field: &'static str,
        /// The value that was found.
        value: u64,
    },
    /// The tables of a track do not agree with each other.
    #[error("{at}: {table} ends before the samples of the track do")]
    TableTooShort {
        /// The table's box.
        at: Location,
        /// The table.
        table: FourCc,
    },
    /// A sample is said to lie where the file has no bytes.
    #[error("track {track}: sample of {size} bytes at byte {offset} lies outside the file of {length} bytes")]
    SampleOutsideFile {
        /// The track.
        track: u32,
        /// Where the sample is said to begin.
        offset: u64,
        /// Its size.
        size: u64,
        /// Bytes in the file.
        length: u64,
    },
    /// The subsamples of a sample cover more bytes than it has.
    #[error("sample at byte {offset}: subsamples cover {covered} of {size} bytes")]
    BadSubsamples {
        /// Where the sample begins.
        offset: u64,
        /// Bytes covered by the subsamples.
        covered: u64,
        /// Bytes in the sample.
        size: u64,
    },

    // The file is right and this program does not do it.
    /// A protection scheme that is not implemented.
    #[error("protection scheme {scheme} is not supported")]
    UnsupportedScheme {
        /// The scheme.
        scheme: FourCc,
    },
    /// A codec that is not implemented.
    #[error("track {track}: codec {codec} is not supported")]
    UnsupportedCodec {
        /// The track.
        track: u32,
        /// The sample entry's name.
        codec: FourCc,
    },
    /// A layout that is not implemented.
    #[error("{at}: {what} is not supported")]
    UnsupportedLayout {
        /// Where.
        at: Location,
        /// What was found.
        what: &'static str,
    },

    // The caller asked for what cannot be done.
    /// A track is protected already.
    #[error("track {track} is protected already")]
    AlreadyProtected {
        /// The track.
        track: u32,
    },
    /// Nothing in the file is protected.
    #[error("nothing in the file is protected")]
    NotProtected,
    /// No key was given for a key id.
    #[error("no key for key id {key_id}")]
    NoKey {
        /// The key id.
        key_id: KeyId,
    },

    // The world around.
    /// The input could not be read.
    #[error("reading at byte {offset}: {kind}")]
    Read {
        /// Where.
        offset: u64,
        /// Why.
        kind: io::ErrorKind,
    },
    /// The output could not be written.
    #[error("writing: {kind}")]
    Write {
        /// Why.
        kind: io::ErrorKind,
    },
}

impl Error {
    /// Takes an error of the output.
    #[must_use]
    pub fn write(error: &io::Error) -> Self {
        Self::Write { kind: error.kind() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fourcc;

    #[test]
    fn places_print_path_and_offset() {
        let path = BoxPath::default().join(fourcc::MOOV).and_then(|path| path.join(fourcc::TRAK)).unwrap();
        assert_eq!(Location { path, offset: 48 }.to_string(), "moov/trak at byte 48");
        assert_eq!(Location::top(7).to_string(), "file at byte 7");
    }

    #[test]
    fn errors_are_small_enough_to_return() {
        assert!(size_of::<Error>() <= 128);
    }
}
