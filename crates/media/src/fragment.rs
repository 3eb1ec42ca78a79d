//! Movie fragments (ISO/IEC 14496-12 section 8.8): `moof` with its track fragments and runs, walked where they lie.

use crate::tree::Node;
use crate::{Cursor, Error, Location, Sample, fourcc};

/// What holds for a sample unless its fragment says otherwise (`trex`, section 8.8.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Defaults {
    /// The sample description, from 1.
    pub description: u32,
    /// The duration.
    pub duration: u32,
    /// The size.
    pub size: u32,
    /// The flags.
    pub flags: u32,
}

impl Defaults {
    /// Reads a `trex` box: the track and its defaults.
    pub fn parse(mut cursor: Cursor<'_>) -> Result<(u32, Self), Error> {
        cursor.version_up_to(0)?;
        let track = cursor.u32()?;
        let (description, duration) = (cursor.u32()?, cursor.u32()?);
        Ok((track, Self { description, duration, size: cursor.u32()?, flags: cursor.u32()? }))
    }
}

/// The runs of one `traf`.
#[derive(Debug, Clone)]
pub struct TrackFragment<'a> {
    /// The track.
    pub track: u32,
    /// Where the `traf` is.
    pub at: Location,
    /// The sample description of all its samples, from 1.
    pub description: u32,
    /// When its first sample is decoded, if it says so (`tfdt`).
    pub decode_time: Option<u64>,
    /// What `saio` offsets count from.
    pub base: u64,
    /// Its runs.
    pub runs: Vec<Run<'a>>,
}

/// A `trun` box with everything its samples need.
#[derive(Debug, Clone)]
pub struct Run<'a> {
    /// Where its first sample begins.
    pub offset: u64,
    /// How many samples it has.
    pub count: u32,
    entries: &'a [u8],
    flags: u32,
    first_flags: Option<u32>,
    defaults: Defaults,
}

/// The track fragments of a `moof` that begins at `moof.at`; `defaults` finds the `trex` of a track. One without a header
/// (`mfhd`, section 8.8.5) is no fragment.
pub fn track_fragments<'a>(
    moof: &Node<'a>,
    defaults: impl Fn(u32) -> Defaults,
) -> Result<Vec<TrackFragment<'a>>, Error> {
    moof.need(fourcc::MFHD)?;
    let mut fragments = Vec::new();
    let mut end_of_data = moof.at.offset;
    for traf in moof.all(fourcc::TRAF) {
        let fragment = read_traf(traf, moof.at.offset, &mut end_of_data, &defaults)?;
        fragments.push(fragment);
    }
    Ok(fragments)
}

fn read_traf<'a>(
    traf: &Node<'a>,
    moof: u64,
    end_of_data: &mut u64,
    defaults: impl Fn(u32) -> Defaults,
) -> Result<TrackFragment<'a>, Error> {
    let mut cursor = traf.need(fourcc::TFHD)?.fields();
    let (_, flags) = cursor.version_up_to(0)?;
    let track = cursor.u32()?;
    let mut defaults = defaults(track);
    let base = match flags {
        flags if flags & TFHD_BASE != 0 => cursor.u64()?,
        flags if flags & TFHD_BASE_IS_MOOF != 0 => moof,
        _ => *end_of_data,
    };
    for (flag, field) in [
        (0x02, &mut defaults.description),
        (0x08, &mut defaults.duration),
        (0x10, &mut defaults.size),
        (0x20, &mut defaults.flags),
    ] {
        if flags & flag != 0 {
            *field = cursor.u32()?;
        }
    }
    let decode_time = traf.child(fourcc::TFDT).map(|tfdt| read_tfdt(tfdt.fields())).transpose()?;
    *end_of_data = base;
    let runs = read_runs(traf, base, end_of_data, defaults)?;
    Ok(TrackFragment { track, at: traf.at, description: defaults.description, decode_time, base, runs })
}

fn read_tfdt(mut cursor: Cursor<'_>) -> Result<u64, Error> {
    let (version, _) = cursor.version_up_to(1)?;
    cursor.u32_or_u64(version == 1)
}

fn read_runs<'a>(traf: &Node<'a>, base: u64, end_of_data: &mut u64, defaults: Defaults) -> Result<Vec<Run<'a>>, Error> {
    let mut runs = Vec::new();
    for trun in traf.all(fourcc::TRUN) {
        let Some(cursor) = trun.payload() else { continue };
        let run = Run::read(cursor, base, *end_of_data, defaults)?;
        let beyond = Error::BadValue { at: trun.at, field: "end of the run's data", value: u64::MAX };
        *end_of_data = run.offset.checked_add(run.data_size()).ok_or(beyond)?;
        runs.push(run);
    }
    Ok(runs)
}

impl<'a> Run<'a> {
    fn read(mut cursor: Cursor<'a>, base: u64, end_of_data: u64, defaults: Defaults) -> Result<Self, Error> {
        let at = cursor.at();
        let (_, flags) = cursor.version_up_to(1)?;
        let count = cursor.u32()?;
        let offset = match flags & TRUN_DATA_OFFSET {
            0 => end_of_data,
            _ => {
                let relative = cursor.u32()?.cast_signed();
                let field = "data offset";
                base.checked_add_signed(relative.into()).ok_or(Error::BadValue { at, field, value: base })?
            }
        };
        let first_flags = if flags & TRUN_FIRST_FLAGS != 0 { Some(cursor.u32()?) } else { None };
        let fields = usize::try_from((flags & TRUN_FIELDS).count_ones()).expect("at most four");
        let entries = cursor.table(count, fields * 4)?;
        // Samples that cost the file nothing could be four thousand million.
        if fields == 0 && defaults.size == 0 && count > MAX_EMPTY_SAMPLES {
            return Err(Error::BadValue { at, field: "count of empty samples", value: count.into() });
        }
        Ok(Self { offset, count, entries, flags, first_flags, defaults })
    }

    /// Bytes in all samples together.
    #[must_use]
    pub fn data_size(&self) -> u64 {
        match self.flags & TRUN_SIZE {
            0 => u64::from(self.count) * u64::from(self.defaults.size),
            _ => self.samples(0).map(|sample| u64::from(sample.size)).sum(),
        }
    }

    /// The samples, the first of which is decoded at `decode_time`.
    #[must_use]
    pub fn samples(&self, decode_time: u64) -> RunSamples<'a> {
        RunSamples { run: self.clone(), index: 0, offset: self.offset, decode_time }
    }
}

/// Walks the samples of a run.
#[derive(Debug, Clone)]
pub struct RunSamples<'a> {
    run: Run<'a>,
    index: u32,
    offset: u64,
    decode_time: u64,
}

impl RunSamples<'_> {
    /// When the next sample is decoded.
    #[must_use]
    pub fn decode_time(&self) -> u64 {
        self.decode_time
    }

    fn field(&mut self, flag: u32) -> Option<u32> {
        if self.run.flags & flag == 0 {
            return None;
        }
        let (field, rest) = self.run.entries.split_first_chunk::<4>()?;
        self.run.entries = rest;
        Some(u32::from_be_bytes(*field))
    }
}

impl Iterator for RunSamples<'_> {
    type Item = Sample;

    fn next(&mut self) -> Option<Sample> {
        if self.index >= self.run.count {
            return None;
        }
        let defaults = self.run.defaults;
        let duration = self.field(TRUN_DURATION).unwrap_or(defaults.duration);
        let size = self.field(TRUN_SIZE).unwrap_or(defaults.size);
        let first_flags = if self.index == 0 { self.run.first_flags } else { None };
        let flags = self.field(TRUN_FLAGS).or(first_flags).unwrap_or(defaults.flags);
        let composition_offset = self.field(TRUN_COMPOSITION).unwrap_or(0).cast_signed();
        let (offset, decode_time) = (self.offset, self.decode_time);
        self.index += 1;
        self.offset = offset.saturating_add(size.into());
        self.decode_time = decode_time.saturating_add(duration.into());
        let description = defaults.description;
        Some(Sample { offset, size, decode_time, duration, composition_offset, flags, description })
    }
}

const TFHD_BASE: u32 = 0x01;
const TFHD_BASE_IS_MOOF: u32 = 0x02_0000;
const TRUN_DATA_OFFSET: u32 = 0x01;
const TRUN_FIRST_FLAGS: u32 = 0x04;
const TRUN_DURATION: u32 = 0x100;
const TRUN_SIZE: u32 = 0x200;
const TRUN_FLAGS: u32 = 0x400;
const TRUN_COMPOSITION: u32 = 0x800;
const TRUN_FIELDS: u32 = TRUN_DURATION | TRUN_SIZE | TRUN_FLAGS | TRUN_COMPOSITION;
const MAX_EMPTY_SAMPLES: u32 = 1 << 16;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{put_box, put_full_box};

    fn put_words(words: &[u32], out: &mut Vec<u8>) {
        words.iter().for_each(|word| out.extend_from_slice(&word.to_be_bytes()));
    }

    /// A `moof` with one `traf` of the given `tfhd` and `trun` fields.
    fn moof(tfhd: (u32, &[u32]), truns: &[(u32, &[u32])]) -> Vec<u8> {
        let mut out = Vec::new();
        put_box(&mut out, fourcc::MOOF, |out| {
            put_full_box(out, fourcc::MFHD, 0, 0, |out| put_words(&[1], out));
            put_box(out, fourcc::TRAF, |out| {
                put_full_box(out, fourcc::TFHD, 0, tfhd.0, |out| put_words(tfhd.1, out));
                truns.iter().for_each(|(flags, words)| {
                    put_full_box(out, fourcc::TRUN, 0, *flags, |out| put_words(words, out));
                });
            });
        });
        out
    }

    fn samples(bytes: &[u8]) -> Result<Vec<Sample>, Error> {
        let defaults = Defaults { description: 1, duration: 10, size: 100, flags: 0x10000 };
        let fragments = track_fragments(&Node::parse(bytes, 1000)?, |_| defaults)?;
        Ok(fragments.iter().flat_map(|fragment| &fragment.runs).flat_map(|run| run.samples(0)).collect())
    }

    #[test]
    fn one_without_a_header_is_refused() {
        let at = Location::within(fourcc::MOOF, 1000);
        assert_eq!(samples(b"\0\0\0\x08moof"), Err(Error::Missing { at, wanted: fourcc::MFHD }));
    }

    #[test]
    fn several_runs_follow_each_other() {
        let bytes = moof((0x2_0000, &[7]), &[(0x205, &[2, 500, 0, 11, 22]), (0x200, &[1, 33])]);
        let samples = samples(&bytes).unwrap();
        let places: Vec<_> = samples.iter().map(|sample| (sample.offset, sample.size, sample.is_sync())).collect();
        assert_eq!(places, [(1500, 11, true), (1511, 22, false), (1533, 33, false)]);
    }

    #[test]
    fn an_absolute_base_and_defaults_of_the_fragment() {
        let bytes = moof((0x19, &[7, 0, 9000, 5, 6]), &[(1, &[2, 0xffff_fff8])]);
        let samples = samples(&bytes).unwrap();
        assert_eq!(
            samples.iter().map(|s| (s.offset, s.size, s.duration)).collect::<Vec<_>>(),
            [(8992, 6, 5), (8998, 6, 5)]
        );
    }

    #[test]
    fn lying_counts_are_refused() {
        let bytes = moof((0x2_0000, &[7]), &[(0x200, &[u32::MAX, 11])]);
        assert!(matches!(samples(&bytes), Err(Error::Truncated { needed: 0x3_ffff_fffc, available: 4, .. })));
        let bytes = moof((0x2_0010, &[7, 0]), &[(0, &[u32::MAX])]);
        assert!(matches!(samples(&bytes), Err(Error::BadValue { field: "count of empty samples", .. })));
    }
}
