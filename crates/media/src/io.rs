//! The two ends of a stream: an input whose claims are checked against its length, and an output that takes whole
//! blocks so that buffers can be used again.

use std::io::{self, Read, Seek, SeekFrom, Write};

use crate::frame::{Header, MAX_HEADER};
use crate::{Error, FourCc, Location, fourcc};

/// `moov` and `moof` boxes larger than this are refused, for they are held in memory.
pub const MAX_TREE: u64 = 64 << 20;

/// Bytes in a block of output.
pub const BLOCK: usize = 512 << 10;

/// Bytes that are read at once where fewer are asked for.
const WINDOW: usize = 4 << 10;

/// Something to read from, of known length. What is short is read through a window, for a file may have a million boxes.
#[derive(Debug)]
pub struct Input<R> {
    reader: R,
    position: u64,
    length: u64,
    window: Vec<u8>,
    window_start: u64,
}

/// A box at the top level of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TopBox {
    /// Its type.
    pub kind: FourCc,
    /// Where it begins.
    pub offset: u64,
    /// Bytes in its header.
    pub header: u64,
    /// Bytes in all.
    pub size: u64,
}

impl TopBox {
    /// The first byte after the box.
    #[must_use]
    pub const fn end(&self) -> u64 {
        self.offset + self.size
    }

    /// Where it is, as errors say it.
    #[must_use]
    pub fn at(&self) -> Location {
        Location::within(self.kind, self.offset)
    }
}

impl<R: Read + Seek> Input<R> {
    /// Takes a reader and finds its length.
    pub fn new(mut reader: R) -> Result<Self, Error> {
        let read = |error: io::Error| Error::Read { offset: 0, kind: error.kind() };
        let length = reader.seek(SeekFrom::End(0)).map_err(read)?;
        reader.seek(SeekFrom::Start(0)).map_err(read)?;
        Ok(Self { reader, position: 0, length, window: Vec::new(), window_start: 0 })
    }

    /// Bytes in the input.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.length
    }

    /// Whether the input has no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Fills `buffer` from `offset` on.
    pub fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> Result<(), Error> {
        let read = |error: io::Error| Error::Read { offset, kind: error.kind() };
        if buffer.len() >= WINDOW {
            self.go_to(offset).map_err(read)?;
            self.reader.read_exact(buffer).map_err(read)?;
            self.position += buffer.len() as u64;
            return Ok(());
        }
        if self.in_window(offset, buffer.len()).is_none() {
            self.move_window(offset, buffer.len()).map_err(read)?;
        }
        buffer.copy_from_slice(self.in_window(offset, buffer.len()).expect("the window was moved there"));
        Ok(())
    }

    /// Bytes from `offset` on that were read before; none where they are not all there.
    fn in_window(&self, offset: u64, length: usize) -> Option<&[u8]> {
        let from = usize::try_from(offset.checked_sub(self.window_start)?).ok()?;
        self.window.get(from..from.checked_add(length)?)
    }

    /// Reads what comes from `offset` on: `needed` bytes, and as many more as come with them at once.
    fn move_window(&mut self, offset: u64, needed: usize) -> io::Result<()> {
        self.go_to(offset)?;
        let mut bytes = std::mem::take(&mut self.window);
        bytes.resize(WINDOW, 0);
        let mut filled = 0;
        while filled < needed {
            match self.reader.read(&mut bytes[filled..]) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
                Err(error) => return Err(error),
            }
            self.position = offset + filled as u64;
        }
        bytes.truncate(filled);
        (self.window, self.window_start) = (bytes, offset);
        Ok(())
    }

    fn go_to(&mut self, offset: u64) -> io::Result<()> {
        if offset != self.position {
            self.reader.seek(SeekFrom::Start(offset))?;
            self.position = offset;
        }
        Ok(())
    }

    /// Reads `length` bytes into memory after checking that they are there and at most `limit`.
    pub fn read_vec(&mut self, at: Location, length: u64, limit: u64) -> Result<Vec<u8>, Error> {
        let available = self.length.saturating_sub(at.offset);
        if length > available {
            return Err(Error::Truncated { at, needed: length, available });
        }
        let over = Error::OverLimit { at, what: "size", size: length, limit };
        if length > limit {
            return Err(over);
        }
        let mut bytes = vec![0; usize::try_from(length).map_err(|_| over)?];
        self.read_at(at.offset, &mut bytes)?;
        Ok(bytes)
    }

    /// The box at `offset`, or `None` at the end. A file that does not even begin with a box is said to be none of MP4.
    pub fn box_at(&mut self, offset: u64) -> Result<Option<TopBox>, Error> {
        let available = self.length.saturating_sub(offset);
        if available == 0 {
            return if offset == 0 { Err(Error::Empty) } else { Ok(None) };
        }
        let mut bytes = [0; MAX_HEADER];
        let there = usize::try_from(available).map_or(MAX_HEADER, |there| there.min(MAX_HEADER));
        self.read_at(offset, &mut bytes[..there])?;
        let found = top_box(&bytes[..there], offset, available);
        let is_other = offset == 0 && bytes.get(4..8).is_none_or(|kind| !FIRST_BOXES.contains(&kind));
        found.map(Some).map_err(|error| if is_other { Error::NotMp4 } else { error })
    }

    /// The first box of a type at the top level.
    pub fn find(&mut self, kind: FourCc) -> Result<Option<TopBox>, Error> {
        let mut offset = 0;
        while let Some(found) = self.box_at(offset)? {
            if found.kind == kind {
                return Ok(Some(found));
            }
            offset = found.end();
        }
        Ok(None)
    }

    /// The box that describes the tracks, and where it is. Every file needs one.
    pub(crate) fn read_moov(&mut self) -> Result<(u64, Vec<u8>), Error> {
        let missing = Error::Missing { at: Location::top(0), wanted: fourcc::MOOV };
        let place = self.find(fourcc::MOOV)?.ok_or(missing)?;
        Ok((place.offset, self.read_box(&place)?))
    }

    /// A whole box in memory.
    pub fn read_box(&mut self, found: &TopBox) -> Result<Vec<u8>, Error> {
        self.read_vec(found.at(), found.size, MAX_TREE)
    }
}

fn top_box(head: &[u8], offset: u64, available: u64) -> Result<TopBox, Error> {
    let header = Header::parse(head, Location::top(offset))?;
    let size = header.size_within(available, Location::within(header.kind, offset))?;
    Ok(TopBox { kind: header.kind, offset, header: header.length, size })
}

/// What files begin with (ISO/IEC 14496-12 table 1 and QuickTime): of another box that does not fit either, it is more
/// likely that it is none.
const FIRST_BOXES: [&[u8]; 17] = [
    b"emsg", b"free", b"ftyp", b"mdat", b"meta", b"mfra", b"moof", b"moov", b"pdin", b"pnot", b"prft", b"sidx",
    b"skip", b"ssix", b"styp", b"uuid", b"wide",
];

/// Where blocks of output go. A block is put with the buffer that holds it; buffers come back to be used again.
pub trait Sink {
    /// Lends a buffer of [`BLOCK`] bytes or more, whatever is in it.
    fn buffer(&mut self) -> Vec<u8>;
    /// Takes the first `used` bytes of a buffer as the next of the output.
    fn put(&mut self, buffer: Vec<u8>, used: usize) -> io::Result<()>;
}

/// A [`Sink`] that writes at once.
#[derive(Debug)]
pub struct WriteSink<W> {
    writer: W,
    spare: Vec<u8>,
}

impl<W: Write> WriteSink<W> {
    /// Takes a writer.
    pub fn new(writer: W) -> Self {
        Self { writer, spare: Vec::new() }
    }
}

impl<W: Write> Sink for WriteSink<W> {
    fn buffer(&mut self) -> Vec<u8> {
        let mut buffer = std::mem::take(&mut self.spare);
        buffer.resize(BLOCK, 0);
        buffer
    }

    fn put(&mut self, buffer: Vec<u8>, used: usize) -> io::Result<()> {
        self.writer.write_all(&buffer[..used])?;
        self.spare = buffer;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fourcc;

    #[test]
    fn a_gigabyte_that_is_not_there_is_not_allocated() {
        let mut input = Input::new(io::Cursor::new(b"\0\0\0\x01moov\0\0\0\x10\0\0\0\0".to_vec())).unwrap();
        let at = Location::within(fourcc::MOOV, 0);
        assert_eq!(input.find(fourcc::MOOV), Err(Error::Truncated { at, needed: 0x10_0000_0000, available: 16 }));
    }

    /// Counts how often it is read from.
    struct Counted(io::Cursor<Vec<u8>>, usize);

    impl Read for Counted {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.1 += 1;
            self.0.read(buffer)
        }
    }

    impl Seek for Counted {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.0.seek(to)
        }
    }

    #[test]
    fn a_walk_over_many_small_boxes_reads_many_of_them_at_once() {
        let bytes = b"\0\0\0\x08free".repeat(100_000);
        let reads = bytes.len().div_ceil(WINDOW - MAX_HEADER);
        let mut input = Input::new(Counted(io::Cursor::new(bytes), 0)).unwrap();
        assert_eq!(input.find(fourcc::MOOV), Ok(None));
        assert!(input.reader.1 <= reads, "{} reads", input.reader.1);
    }

    #[test]
    fn what_is_read_is_what_is_there_whatever_was_read_before() {
        let bytes: Vec<u8> = (0..20_000u32).map(|index| (index % 251) as u8).collect();
        let mut input = Input::new(io::Cursor::new(bytes.clone())).unwrap();
        for (offset, length) in [(0, 16), (8, 16), (4090, 16), (9000, 5000), (4100, 4095), (13_990, 20), (19_990, 10)] {
            let mut buffer = vec![0; length];
            input.read_at(offset as u64, &mut buffer).unwrap();
            assert_eq!(buffer, bytes[offset..offset + length], "{length} bytes at {offset}");
        }
        let behind = Error::Read { offset: 19_990, kind: io::ErrorKind::UnexpectedEof };
        assert_eq!(input.read_at(19_990, &mut [0; 11]), Err(behind));
        assert_eq!(input.read_at(19_999, &mut [0; 1]), Ok(()), "and it can still be read from");
    }

    #[test]
    fn what_does_not_begin_as_mp4_is_told_from_what_was_cut() {
        let first = |bytes: &[u8]| Input::new(io::Cursor::new(bytes.to_vec())).unwrap().box_at(0);
        assert_eq!(first(b""), Err(Error::Empty));
        for other in [
            &b"# Ad"[..],
            b"# Admit\n\nText",
            b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR",
            b"\x1a\x45\xdf\xa3\x01\0\0\0\0\0\0\x1f",
        ] {
            assert_eq!(first(other), Err(Error::NotMp4), "{other:?}");
        }
        let at = Location::within(fourcc::FTYP, 0);
        assert_eq!(first(b"\0\0\0\x18ftypisom"), Err(Error::Truncated { at, needed: 24, available: 12 }));
        assert_eq!(first(b"\0\0\0\x03ftyp"), Err(Error::BadBoxSize { at: Location::top(0), size: 3 }));
        assert!(first(b"\0\0\0\x08abcd").is_ok(), "a box that is not known");
    }

    #[test]
    fn a_box_to_the_end_of_the_file() {
        let mut input = Input::new(io::Cursor::new(b"\0\0\0\x08free\0\0\0\0mdatXYZ".to_vec())).unwrap();
        let found = input.find(fourcc::MDAT).unwrap().unwrap();
        assert_eq!((found.offset, found.header, found.size), (8, 8, 11));
        assert_eq!(input.find(fourcc::MOOV), Ok(None));
    }
}
