//! `sidx`, the segment index (ISO/IEC 14496-12 section 8.16.3).

use crate::frame::{RawBox, put_full_box};
use crate::io::TopBox;
use crate::{Error, fourcc};

/// One fragment in an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reference {
    /// Bytes in the fragment.
    pub size: u32,
    /// Its duration.
    pub duration: u32,
    /// Whether decoding can begin at its first sample.
    pub starts_with_sync: bool,
}

/// Bytes that an index of so many references takes.
#[must_use]
pub const fn size(references: usize) -> usize {
    40 + 12 * references
}

/// Appends an index of what directly follows it.
pub fn write(track: u32, timescale: u32, earliest: u64, references: &[Reference], out: &mut Vec<u8>) {
    put_full_box(out, fourcc::SIDX, 1, 0, |out| {
        out.extend_from_slice(&track.to_be_bytes());
        out.extend_from_slice(&timescale.to_be_bytes());
        out.extend_from_slice(&earliest.to_be_bytes());
        out.extend_from_slice(&[0; 8 + 2]);
        let count = u16::try_from(references.len()).expect("the caller keeps to 65,535 references");
        out.extend_from_slice(&count.to_be_bytes());
        for reference in references {
            out.extend_from_slice(&(reference.size & 0x7fff_ffff).to_be_bytes());
            out.extend_from_slice(&reference.duration.to_be_bytes());
            // Type 1: the first sample is a sync sample and the first in presentation order.
            out.extend_from_slice(&(u32::from(reference.starts_with_sync) * 0x9000_0000).to_be_bytes());
        }
    });
}

/// An error if the index names more bytes than the file has: how a file cut between two fragments is noticed.
pub fn check_extent(index: &[u8], place: &TopBox, file_length: u64) -> Result<(), Error> {
    starts(index, place, file_length).map(drop)
}

/// Where the index says that fragments begin. An error if it names more bytes than the file has.
pub fn starts(index: &[u8], place: &TopBox, file_length: u64) -> Result<Vec<u64>, Error> {
    let raw = RawBox::parse(index, crate::Location::top(place.offset))?;
    let mut cursor = raw.payload();
    let (version, _) = cursor.version_up_to(1)?;
    cursor.bytes(8)?;
    cursor.u32_or_u64(version == 1)?;
    let first = cursor.u32_or_u64(version == 1)?;
    let count = cursor.u32()? & 0xffff;
    let table = cursor.table(count, 12)?;
    let mut end = place.end().saturating_add(first);
    let mut starts = Vec::with_capacity(table.len() / 12);
    for entry in table.chunks_exact(12) {
        starts.push(end);
        end = end.saturating_add(u32::from_be_bytes([entry[0] & 0x7f, entry[1], entry[2], entry[3]]).into());
    }
    if end > file_length {
        return Err(Error::Truncated { at: raw.at, needed: end, available: file_length });
    }
    Ok(starts)
}
