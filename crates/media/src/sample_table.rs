//! The sample tables of a progressive track (ISO/IEC 14496-12 sections 8.6 and 8.7), walked where they lie: nothing
//! is expanded, so memory does not grow with the number of samples.

use crate::sample::{NON_SYNC_FLAGS, SYNC_FLAGS};
use crate::tree::Node;
use crate::{Cursor, Error, FourCc, Location, Sample, fourcc};

/// The tables of one track.
#[derive(Debug, Clone)]
pub struct SampleTable<'a> {
    at: Location,
    count: u32,
    sizes: Sizes<'a>,
    durations: &'a [u8],
    composition: Option<&'a [u8]>,
    chunk_runs: &'a [u8],
    chunks: Chunks<'a>,
    sync: Option<&'a [u8]>,
}

#[derive(Debug, Clone, Copy)]
enum Sizes<'a> {
    Same(u32),
    /// Entries of 4, 8, 16 or 32 bits.
    Table {
        bits: u8,
        table: &'a [u8],
    },
}

#[derive(Debug, Clone, Copy)]
enum Chunks<'a> {
    Narrow(&'a [u8]),
    Wide(&'a [u8]),
}

impl<'a> SampleTable<'a> {
    /// Reads the tables in `stbl`.
    pub fn read(stbl: &Node<'a>) -> Result<Self, Error> {
        let (count, sizes) = read_sizes(stbl)?;
        let chunks = match stbl.child(fourcc::STCO) {
            Some(_) => Chunks::Narrow(need_table(stbl, fourcc::STCO, 4)?),
            None => Chunks::Wide(need_table(stbl, fourcc::CO64, 8)?),
        };
        Ok(Self {
            at: stbl.at,
            count,
            sizes,
            durations: need_table(stbl, fourcc::STTS, 8)?,
            composition: table(stbl, fourcc::CTTS, 8)?,
            chunk_runs: need_table(stbl, fourcc::STSC, 12)?,
            chunks,
            sync: table(stbl, fourcc::STSS, 4)?,
        })
    }

    /// How many samples there are.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.count
    }

    /// Whether there are none, as in the `moov` of a fragmented file.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// How many samples each chunk has.
    pub fn chunk_sizes(&self) -> impl Iterator<Item = u64> {
        let mut walk = ChunkWalk::default();
        std::iter::from_fn(move || walk.next_chunk(self).ok().map(|()| walk.left_in_chunk.into()))
    }

    /// The samples in decoding order.
    #[must_use]
    pub fn samples(&self) -> Samples<'a> {
        Samples {
            table: self.clone(),
            index: 0,
            decode_time: 0,
            durations: Runs::new(self.durations),
            composition: self.composition.map(Runs::new),
            chunk: ChunkWalk::default(),
            sync_position: 0,
        }
    }
}

/// Walks the samples of a track.
#[derive(Debug, Clone)]
pub struct Samples<'a> {
    table: SampleTable<'a>,
    index: u32,
    decode_time: u64,
    durations: Runs<'a>,
    composition: Option<Runs<'a>>,
    chunk: ChunkWalk,
    sync_position: usize,
}

impl Iterator for Samples<'_> {
    type Item = Result<Sample, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.index >= self.table.count {
            return None;
        }
        let sample = self.read();
        // After an error nothing that follows can be trusted.
        self.index = if sample.is_err() { self.table.count } else { self.index + 1 };
        Some(sample)
    }
}

impl Samples<'_> {
    fn read(&mut self) -> Result<Sample, Error> {
        let too_short = |table| Error::TableTooShort { at: self.table.at, table };
        let size = self.size().ok_or(too_short(fourcc::STSZ))?;
        let duration = self.durations.next().ok_or(too_short(fourcc::STTS))?;
        let composition = match &mut self.composition {
            None => 0,
            // Some writers leave the last entries out.
            Some(runs) => runs.next().unwrap_or(0),
        };
        let (offset, description) = self.chunk.next_sample(&self.table, size)?;
        let decode_time = self.decode_time;
        self.decode_time = decode_time.saturating_add(duration.into());
        let flags = if self.is_sync() { SYNC_FLAGS } else { NON_SYNC_FLAGS };
        let composition_offset = composition.cast_signed();
        Ok(Sample { offset, size, decode_time, duration, composition_offset, flags, description })
    }

    fn size(&self) -> Option<u32> {
        let index = usize::try_from(self.index).ok()?;
        match self.table.sizes {
            Sizes::Same(size) => Some(size),
            Sizes::Table { bits: 4, table } => {
                let byte = *table.get(index / 2)?;
                Some(u32::from(if index % 2 == 0 { byte >> 4 } else { byte & 15 }))
            }
            Sizes::Table { bits: 8, table } => table.get(index).map(|&byte| byte.into()),
            Sizes::Table { bits: 16, table } => {
                table.get(index * 2..index * 2 + 2).map(|bytes| u16::from_be_bytes([bytes[0], bytes[1]]).into())
            }
            Sizes::Table { table, .. } => word(table, index),
        }
    }

    fn is_sync(&mut self) -> bool {
        let Some(sync) = self.table.sync else { return true };
        let number = self.index + 1;
        while word(sync, self.sync_position).is_some_and(|entry| entry < number) {
            self.sync_position += 1;
        }
        word(sync, self.sync_position) == Some(number)
    }
}

/// Walks chunks and the samples in them.
#[derive(Debug, Clone, Default)]
struct ChunkWalk {
    /// Chunks begun.
    chunk: u32,
    /// Entries of `stsc` begun.
    run: usize,
    samples_per_chunk: u32,
    description: u32,
    left_in_chunk: u32,
    offset: u64,
}

impl ChunkWalk {
    fn next_sample(&mut self, table: &SampleTable<'_>, size: u32) -> Result<(u64, u32), Error> {
        while self.left_in_chunk == 0 {
            self.next_chunk(table)?;
        }
        self.left_in_chunk -= 1;
        let offset = self.offset;
        self.offset = offset.saturating_add(size.into());
        Ok((offset, self.description))
    }

    fn next_chunk(&mut self, table: &SampleTable<'_>) -> Result<(), Error> {
        let number = self.chunk + 1;
        while word(table.chunk_runs, self.run * 3).is_some_and(|first| first <= number) {
            let field = |index| word(table.chunk_runs, self.run * 3 + index);
            self.samples_per_chunk = field(1).unwrap_or(0);
            self.description = field(2).unwrap_or(0);
            self.run += 1;
        }
        let index = usize::try_from(self.chunk).unwrap_or(usize::MAX);
        let offset = match table.chunks {
            Chunks::Narrow(chunks) => word(chunks, index).map(u64::from),
            Chunks::Wide(chunks) => {
                chunks.chunks_exact(8).nth(index).map(|bytes| u64::from_be_bytes(bytes.try_into().expect("8 bytes")))
            }
        };
        self.offset = offset.ok_or(Error::TableTooShort { at: table.at, table: fourcc::STCO })?;
        self.left_in_chunk = self.samples_per_chunk;
        self.chunk = number;
        Ok(())
    }
}

/// Expands `(count, value)` pairs.
#[derive(Debug, Clone)]
struct Runs<'a> {
    table: &'a [u8],
    left: u32,
    value: u32,
}

impl<'a> Runs<'a> {
    fn new(table: &'a [u8]) -> Self {
        Self { table, left: 0, value: 0 }
    }
}

impl Iterator for Runs<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        while self.left == 0 {
            self.left = word(self.table, 0)?;
            self.value = word(self.table, 1)?;
            self.table = &self.table[8..];
        }
        self.left -= 1;
        Some(self.value)
    }
}

fn word(table: &[u8], index: usize) -> Option<u32> {
    let start = index.checked_mul(4)?;
    table.get(start..start.checked_add(4)?).map(|bytes| u32::from_be_bytes(bytes.try_into().expect("4 bytes")))
}

fn read_sizes<'a>(stbl: &Node<'a>) -> Result<(u32, Sizes<'a>), Error> {
    if let Some(mut cursor) = payload(stbl, fourcc::STSZ) {
        cursor.version_up_to(0)?;
        let same = cursor.u32()?;
        let count = cursor.u32()?;
        return match same {
            0 => Ok((count, Sizes::Table { bits: 32, table: cursor.table(count, 4)? })),
            same => Ok((count, Sizes::Same(same))),
        };
    }
    let missing = Error::Missing { at: stbl.at, wanted: fourcc::STSZ };
    let mut cursor = payload(stbl, fourcc::STZ2).ok_or(missing)?;
    cursor.version_up_to(0)?;
    let at = cursor.at();
    let bits = cursor.u32()?.to_be_bytes()[3];
    let count = cursor.u32()?;
    let table = match bits {
        4 => cursor.table(count.div_ceil(2), 1)?,
        8 => cursor.table(count, 1)?,
        16 => cursor.table(count, 2)?,
        bits => return Err(Error::BadValue { at, field: "sample size field size", value: bits.into() }),
    };
    Ok((count, Sizes::Table { bits, table }))
}

fn payload<'a>(stbl: &Node<'a>, kind: FourCc) -> Option<Cursor<'a>> {
    stbl.child(kind)?.payload()
}

fn table<'a>(stbl: &Node<'a>, kind: FourCc, entry: usize) -> Result<Option<&'a [u8]>, Error> {
    let Some(mut cursor) = payload(stbl, kind) else { return Ok(None) };
    cursor.version_up_to(1)?;
    let count = cursor.u32()?;
    cursor.table(count, entry).map(Some)
}

fn need_table<'a>(stbl: &Node<'a>, kind: FourCc, entry: usize) -> Result<&'a [u8], Error> {
    table(stbl, kind, entry)?.ok_or(Error::Missing { at: stbl.at, wanted: kind })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{put_box, put_full_box};

    fn words(kind: &[u8; 4], words: &[u32], out: &mut Vec<u8>) {
        put_full_box(out, FourCc(*kind), 0, 0, |out| {
            words.iter().for_each(|word| out.extend_from_slice(&word.to_be_bytes()));
        });
    }

    /// Five samples in three chunks, with composition offsets and two sync samples.
    fn stbl(stts: &[u32], stsc: &[u32], stco: &[u32]) -> Vec<u8> {
        let mut out = Vec::new();
        put_box(&mut out, fourcc::STBL, |out| {
            words(b"stts", stts, out);
            words(b"ctts", &[2, 2, 5, u32::MAX, 1], out);
            words(b"stsc", stsc, out);
            words(b"stsz", &[0, 5, 10, 20, 30, 40, 50], out);
            words(b"stco", stco, out);
            words(b"stss", &[2, 1, 4], out);
        });
        // The count of `ctts` says 2; its table is cut to two pairs.
        out
    }

    fn samples(bytes: &[u8]) -> Result<Vec<Sample>, Error> {
        SampleTable::read(&Node::parse(bytes, 0)?)?.samples().collect()
    }

    #[test]
    fn tables_are_expanded_together() {
        let bytes = stbl(&[2, 1, 100, 4, 50], &[2, 1, 2, 1, 3, 1, 1], &[3, 1000, 2000, 3000]);
        let samples = samples(&bytes).unwrap();
        let places: Vec<_> = samples.iter().map(|sample| (sample.offset, sample.size, sample.decode_time)).collect();
        assert_eq!(places, [(1000, 10, 0), (1010, 20, 100), (2000, 30, 150), (2030, 40, 200), (3000, 50, 250)]);
        assert_eq!(samples.iter().map(Sample::is_sync).collect::<Vec<_>>(), [true, false, false, true, false]);
        assert_eq!(samples.iter().map(|s| s.composition_offset).collect::<Vec<_>>()[..3], [5, 5, 1]);
    }

    #[test]
    fn tables_that_end_early_are_named() {
        let short_times = stbl(&[1, 4, 100], &[1, 1, 5, 1], &[1, 1000]);
        assert!(matches!(samples(&short_times), Err(Error::TableTooShort { table: fourcc::STTS, .. })));
        let short_chunks = stbl(&[1, 5, 100], &[1, 1, 2, 1], &[2, 1000, 2000]);
        assert!(matches!(samples(&short_chunks), Err(Error::TableTooShort { table: fourcc::STCO, .. })));
    }

    #[test]
    fn a_lying_count_is_refused_before_anything_is_read() {
        let bytes = stbl(&[0x4000_0000, 5, 100], &[1, 1, 5, 1], &[1, 1000]);
        assert!(matches!(samples(&bytes), Err(Error::Truncated { needed: 0x2_0000_0000, .. })));
    }
}
