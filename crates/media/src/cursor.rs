//! Reads big-endian fields of a box one after the other; an error says in which box and at which byte.

use crate::{Error, Location};

/// A place in the payload of a box.
#[derive(Debug, Clone)]
pub struct Cursor<'a> {
    rest: &'a [u8],
    at: Location,
}

impl<'a> Cursor<'a> {
    /// Begins at the first byte of `bytes`, which is at `at` in the file.
    #[must_use]
    pub fn new(bytes: &'a [u8], at: Location) -> Self {
        Self { rest: bytes, at }
    }

    /// Where the next byte is.
    #[must_use]
    pub fn at(&self) -> Location {
        self.at
    }

    /// The bytes not read yet.
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Takes the next `length` bytes.
    pub fn bytes(&mut self, length: usize) -> Result<&'a [u8], Error> {
        let Some((taken, rest)) = self.rest.split_at_checked(length) else {
            let (needed, available) = (length as u64, self.rest.len() as u64);
            return Err(Error::Truncated { at: self.at, needed, available });
        };
        self.rest = rest;
        self.at.offset += length as u64;
        Ok(taken)
    }

    /// Takes the next `N` bytes.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        Ok(self.bytes(N)?.try_into().expect("that many bytes were taken"))
    }

    /// Takes a table of `count` entries of `entry` bytes, or says that it does not fit.
    pub fn table(&mut self, count: u32, entry: usize) -> Result<&'a [u8], Error> {
        let needed = u64::from(count) * entry as u64;
        let truncated = Error::Truncated { at: self.at, needed, available: self.rest.len() as u64 };
        self.bytes(usize::try_from(needed).map_err(|_| truncated)?)
    }

    /// Takes a byte.
    pub fn u8(&mut self) -> Result<u8, Error> {
        self.array().map(u8::from_be_bytes)
    }

    /// Takes two bytes.
    pub fn u16(&mut self) -> Result<u16, Error> {
        self.array().map(u16::from_be_bytes)
    }

    /// Takes four bytes.
    pub fn u32(&mut self) -> Result<u32, Error> {
        self.array().map(u32::from_be_bytes)
    }

    /// Takes eight bytes.
    pub fn u64(&mut self) -> Result<u64, Error> {
        self.array().map(u64::from_be_bytes)
    }

    /// Takes four bytes, or eight if `wide`: how version 1 of a box differs from version 0.
    pub fn u32_or_u64(&mut self, wide: bool) -> Result<u64, Error> {
        if wide { self.u64() } else { self.u32().map(u64::from) }
    }

    /// Takes the version and flags of a full box (ISO/IEC 14496-12 section 4.2.2).
    pub fn version_and_flags(&mut self) -> Result<(u8, u32), Error> {
        let word = self.u32()?;
        Ok((word.to_be_bytes()[0], word & 0x00ff_ffff))
    }

    /// As [`Self::version_and_flags`], and refuses versions above `newest`.
    pub fn version_up_to(&mut self, newest: u8) -> Result<(u8, u32), Error> {
        let at = self.at;
        let (version, flags) = self.version_and_flags()?;
        if version > newest { Err(Error::UnknownVersion { at, version }) } else { Ok((version, flags)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_longer_than_the_box_is_an_error_and_no_allocation() {
        let mut cursor = Cursor::new(&[0; 12], Location::top(100));
        cursor.u32().unwrap();
        let error = cursor.table(u32::MAX, 8).unwrap_err();
        let needed = u64::from(u32::MAX) * 8;
        assert_eq!(error, Error::Truncated { at: Location::top(104), needed, available: 8 });
    }

    #[test]
    fn an_unknown_version_is_named() {
        let error = Cursor::new(&[9, 0, 0, 0], Location::top(8)).version_up_to(1).unwrap_err();
        assert_eq!(error, Error::UnknownVersion { at: Location::top(8), version: 9 });
    }
}
