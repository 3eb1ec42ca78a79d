//! Sample auxiliary information: initialization vectors and subsamples (ISO/IEC 23001-7 section 7), kept in `senc` or
//! wherever `saiz` and `saio` (ISO/IEC 14496-12 sections 8.7.8 and 8.7.9) say.

use super::tenc::counter_block;
use crate::tree::Node;
use crate::{Cursor, Error, Location, fourcc};

/// The auxiliary information of samples in a row.
#[derive(Debug, Clone)]
pub enum AuxInfo<'a> {
    /// From a `senc` box, one entry after the other.
    Senc {
        /// The entries not read yet.
        entries: Cursor<'a>,
        /// How many they are.
        left: u32,
        /// Whether entries have subsamples.
        subsamples: bool,
    },
    /// Loaded from where `saio` points, with the sizes that `saiz` gives.
    Elsewhere {
        /// The information.
        bytes: Vec<u8>,
        /// Where in `bytes` the next entry begins.
        position: usize,
        /// The sizes of the entries not read yet.
        sizes: Sizes<'a>,
        /// Where it was loaded from.
        at: Location,
    },
}

/// The auxiliary information of one sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuxEntry<'e> {
    /// The counter block that the initialization vector begins; `None` if there is no vector.
    pub counter: Option<u128>,
    /// Subsamples: clear bytes (16 bits) and protected bytes (32 bits), 6 bytes each.
    pub subsamples: &'e [u8],
}

impl<'a> AuxInfo<'a> {
    /// Reads a `senc` box. One with no entries is as good as none.
    pub fn senc(mut cursor: Cursor<'a>) -> Result<Option<Self>, Error> {
        let (_, flags) = cursor.version_up_to(0)?;
        // Flag 1, of the format that came before, overrides the track's parameters.
        if flags & 1 != 0 {
            cursor.bytes(20)?;
        }
        let left = cursor.u32()?;
        Ok((left > 0).then_some(Self::Senc { entries: cursor, left, subsamples: flags & 2 != 0 }))
    }

    /// The entry of the next sample, whose vector has `iv_size` bytes.
    pub fn next_entry(&mut self, iv_size: u8) -> Result<AuxEntry<'_>, Error> {
        match self {
            Self::Senc { entries, left, subsamples } => {
                let at = entries.at();
                *left = left.checked_sub(1).ok_or(Error::TableTooShort { at, table: fourcc::SENC })?;
                read_entry(entries, iv_size, *subsamples)
            }
            Self::Elsewhere { bytes, position, sizes, at } => {
                let size = sizes.next().ok_or(Error::TableTooShort { at: *at, table: fourcc::SAIZ })?;
                let mut entry = Cursor::new(&bytes[(*position).min(bytes.len())..], *at);
                let mut entry = Cursor::new(entry.bytes(size.into())?, *at);
                *position += usize::from(size);
                read_entry(&mut entry, iv_size, size > iv_size)
            }
        }
    }
}

fn read_entry<'e>(cursor: &mut Cursor<'e>, iv_size: u8, subsamples: bool) -> Result<AuxEntry<'e>, Error> {
    let counter = counter_block(cursor.bytes(iv_size.into())?);
    let count = if subsamples { cursor.u16()? } else { 0 };
    Ok(AuxEntry { counter, subsamples: cursor.table(count.into(), 6)? })
}

/// The sizes in a `saiz` box.
#[derive(Debug, Clone)]
pub struct Sizes<'a> {
    default: u8,
    table: &'a [u8],
    left: u32,
}

impl<'a> Sizes<'a> {
    /// Reads a `saiz` box; `None` if it describes something other than protection.
    pub fn read(saiz: &Node<'a>) -> Result<Option<Self>, Error> {
        let Some(mut cursor) = saiz.payload() else { return Ok(None) };
        if !describes_protection(&mut cursor)? {
            return Ok(None);
        }
        let default = cursor.u8()?;
        let left = cursor.u32()?;
        let table = if default == 0 { cursor.table(left, 1)? } else { &[] };
        Ok(Some(Self { default, table, left }))
    }

    /// The bytes of the next `samples` entries together.
    #[must_use]
    pub fn total(&self, samples: u64) -> u64 {
        let samples = samples.min(self.left.into());
        match self.default {
            0 => self
                .table
                .iter()
                .take(usize::try_from(samples).unwrap_or(usize::MAX))
                .map(|&size| u64::from(size))
                .sum(),
            size => u64::from(size) * samples,
        }
    }

    /// Steps over the next `samples` entries.
    pub fn step_over(&mut self, samples: u64) {
        let samples = u32::try_from(samples).unwrap_or(u32::MAX).min(self.left);
        self.left -= samples;
        if self.default == 0 {
            self.table = &self.table[usize::try_from(samples).unwrap_or(usize::MAX).min(self.table.len())..];
        }
    }
}

impl Iterator for Sizes<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        self.left = self.left.checked_sub(1)?;
        if self.default != 0 {
            return Some(self.default);
        }
        let (&size, rest) = self.table.split_first()?;
        self.table = rest;
        Some(size)
    }
}

/// The offsets in a `saio` box; `None` if it describes something other than protection.
pub fn saio_offsets(saio: &Node<'_>) -> Result<Option<Vec<u64>>, Error> {
    let mut cursor = saio.fields();
    let (version, _) = cursor.clone().version_up_to(1)?;
    if !describes_protection(&mut cursor)? {
        return Ok(None);
    }
    let count = cursor.u32()?;
    let width = if version == 0 { 4 } else { 8 };
    let mut table = Cursor::new(cursor.table(count, width)?, cursor.at());
    (0..count).map(|_| table.u32_or_u64(version == 1)).collect::<Result<_, _>>().map(Some)
}

/// Reads version, flags and the optional type of `saiz` and `saio`; a type left out means the track's scheme.
fn describes_protection(cursor: &mut Cursor<'_>) -> Result<bool, Error> {
    let (_, flags) = cursor.version_and_flags()?;
    if flags & 1 == 0 {
        return Ok(true);
    }
    let kind = cursor.array::<4>()?;
    cursor.u32()?;
    Ok(matches!(&kind, b"cenc" | b"cens" | b"cbc1" | b"cbcs"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn senc_entries_one_by_one() {
        let mut bytes = vec![0, 0, 0, 2, 0, 0, 0, 2];
        bytes.extend_from_slice(&[0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 5, 0, 0, 0, 16]);
        bytes.extend_from_slice(&[0, 0, 0, 0, 0, 0, 0, 2, 0, 0]);
        let mut info = AuxInfo::senc(Cursor::new(&bytes, Location::top(0))).unwrap().unwrap();
        let first = AuxEntry { counter: Some(1 << 64), subsamples: &[0, 5, 0, 0, 0, 16] };
        assert_eq!(info.next_entry(8), Ok(first));
        assert_eq!(info.next_entry(8), Ok(AuxEntry { counter: Some(2 << 64), subsamples: &[] }));
        assert!(matches!(info.next_entry(8), Err(Error::TableTooShort { .. })));
    }

    #[test]
    fn an_empty_senc_is_none() {
        assert!(AuxInfo::senc(Cursor::new(&[0; 8], Location::top(0))).unwrap().is_none());
    }

    #[test]
    fn sizes_by_table_and_by_default() {
        let mut table = Sizes { default: 0, table: &[8, 16, 22], left: 3 };
        assert_eq!(table.total(2), 24);
        table.step_over(1);
        assert_eq!(table.collect::<Vec<_>>(), [16, 22]);
        let same = Sizes { default: 8, table: &[], left: 1000 };
        assert_eq!(same.total(u64::MAX), 8000);
    }
}
