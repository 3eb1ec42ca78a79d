//! Box framing (ISO/IEC 14496-12 section 4.2): 32- and 64-bit sizes, size 0 for "to the end", and `uuid`.

use crate::{Cursor, Error, FourCc, Location};

/// Longest header of a box: size, type, 64-bit size.
pub const MAX_HEADER: usize = 16;

/// The header of a box.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The type of the box; `uuid` boxes keep their extended type in the payload.
    pub kind: FourCc,
    /// Bytes in the header: 8, or 16 with a 64-bit size.
    pub length: u64,
    /// Bytes in the whole box; `None` when it goes to the end of what holds it.
    pub size: Option<u64>,
}

impl Header {
    /// Reads a header from the first bytes of a box at `at`.
    pub fn parse(bytes: &[u8], at: Location) -> Result<Self, Error> {
        let mut cursor = Cursor::new(bytes, at);
        let size = cursor.u32()?;
        let kind = FourCc(cursor.array()?);
        let (length, size) = match size {
            0 => (8, None),
            1 => (16, Some(cursor.u64()?)),
            size => (8, Some(u64::from(size))),
        };
        match size {
            Some(size) if size < length => Err(Error::BadBoxSize { at, size }),
            _ => Ok(Self { kind, length, size }),
        }
    }

    /// Bytes in the whole box when `available` bytes hold it, or an error when it does not fit.
    pub fn size_within(&self, available: u64, at: Location) -> Result<u64, Error> {
        match self.size {
            None => Ok(available),
            Some(size) if size <= available => Ok(size),
            Some(needed) => Err(Error::Truncated { at, needed, available }),
        }
    }
}

/// A box as it stands in a buffer.
#[derive(Debug, Clone, Copy)]
pub struct RawBox<'a> {
    /// Its type.
    pub kind: FourCc,
    /// Where it begins; the path ends with its own type.
    pub at: Location,
    /// The whole box, header included.
    pub raw: &'a [u8],
    /// Bytes in its header.
    pub header: usize,
}

impl<'a> RawBox<'a> {
    /// Reads the box at the start of `bytes`, which are inside the boxes that `at` names.
    pub fn parse(bytes: &'a [u8], at: Location) -> Result<Self, Error> {
        let header = Header::parse(bytes, at)?;
        let path = at.path.join(header.kind).ok_or(Error::TooDeep { at })?;
        let at = Location { path, offset: at.offset };
        let size = header.size_within(bytes.len() as u64, at)?;
        let size = usize::try_from(size).expect("no more than the bytes in a slice");
        Ok(Self { kind: header.kind, at, raw: &bytes[..size], header: if header.length == 16 { 16 } else { 8 } })
    }

    /// The payload.
    #[must_use]
    pub fn payload(&self) -> Cursor<'a> {
        let at = Location { path: self.at.path, offset: self.at.offset + self.header as u64 };
        Cursor::new(&self.raw[self.header..], at)
    }
}

/// Appends a box whose payload `fill` writes.
pub fn put_box(out: &mut Vec<u8>, kind: FourCc, fill: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&kind.0);
    fill(out);
    close_box(out, start);
}

/// Appends a full box (section 4.2.2) whose payload after version and flags `fill` writes.
pub fn put_full_box(out: &mut Vec<u8>, kind: FourCc, version: u8, flags: u32, fill: impl FnOnce(&mut Vec<u8>)) {
    put_box(out, kind, |out| {
        out.extend_from_slice(&(u32::from(version) << 24 | flags & 0x00ff_ffff).to_be_bytes());
        fill(out);
    });
}

/// Writes the size of the box that began at `start` and ends here.
fn close_box(out: &mut [u8], start: usize) {
    let size = u32::try_from(out.len() - start).expect("boxes built in memory are far below 4 GiB");
    out[start..start + 4].copy_from_slice(&size.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fourcc;

    #[test]
    fn sizes_of_32_and_64_bits_and_to_the_end() {
        let small = RawBox::parse(b"\0\0\0\x09freeXrest", Location::top(0)).unwrap();
        assert_eq!((small.kind, small.payload().rest()), (fourcc::FREE, &b"X"[..]));
        let large = RawBox::parse(b"\0\0\0\x01free\0\0\0\0\0\0\0\x11Xrest", Location::top(0)).unwrap();
        assert_eq!(large.payload().rest(), b"X");
        let open = RawBox::parse(b"\0\0\0\0freeXrest", Location::top(0)).unwrap();
        assert_eq!(open.payload().rest(), b"Xrest");
    }

    #[test]
    fn a_size_below_the_header_is_refused() {
        let error = RawBox::parse(b"\0\0\0\x07free", Location::top(3)).unwrap_err();
        assert_eq!(error, Error::BadBoxSize { at: Location::top(3), size: 7 });
        let error = RawBox::parse(b"\0\0\0\x01free\0\0\0\0\0\0\0\x0f", Location::top(3)).unwrap_err();
        assert_eq!(error, Error::BadBoxSize { at: Location::top(3), size: 15 });
    }

    #[test]
    fn a_size_past_the_end_names_the_box() {
        let error = RawBox::parse(b"\0\0\0\x01mdat\xff\0\0\0\0\0\0\x11X", Location::top(3)).unwrap_err();
        let at = Location::within(fourcc::MDAT, 3);
        assert_eq!(error, Error::Truncated { at, needed: 0xff00_0000_0000_0011, available: 17 });
    }
}
