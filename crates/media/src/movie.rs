//! What `moov` says about the movie and its tracks (ISO/IEC 14496-12 sections 8.2 to 8.5).

use std::collections::HashMap;

use crate::fragment::Defaults;
use crate::tree::Node;
use crate::{Cursor, Error, FourCc, SampleEntryProtection, fourcc};

/// A movie with its tracks.
#[derive(Debug, Clone)]
pub struct Movie {
    /// Units per second of the movie's own times.
    pub timescale: u32,
    /// Its duration in those units.
    pub duration: u64,
    /// Whether it may have fragments (`mvex`).
    pub fragmented: bool,
    /// The tracks, in the order of their boxes.
    pub tracks: Vec<Track>,
    defaults: HashMap<u32, Defaults>,
    /// The first track of each number.
    numbers: HashMap<u32, usize>,
}

/// A track.
#[derive(Debug, Clone)]
pub struct Track {
    /// Its number.
    pub id: u32,
    /// What kind of media it has: `vide`, `soun` and others.
    pub handler: FourCc,
    /// Units per second of its times.
    pub timescale: u32,
    /// Its duration in those units.
    pub duration: u64,
    /// Where the edit list lets the media begin, in those units; 0 without an edit list.
    pub media_start: u64,
    /// Its sample descriptions.
    pub entries: Vec<SampleEntry>,
}

/// A sample description.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SampleEntry {
    /// Its type as it stands.
    pub kind: FourCc,
    /// How samples that use it are protected.
    pub protection: Option<SampleEntryProtection>,
}

impl SampleEntry {
    /// The codec: the type that the entry has or had before it was protected.
    #[must_use]
    pub fn codec(&self) -> FourCc {
        self.protection.map_or(self.kind, |protection| protection.original_format)
    }
}

impl Movie {
    /// Reads a `moov` box.
    pub fn read(moov: &Node<'_>) -> Result<Self, Error> {
        let (timescale, duration) = read_times(moov.need(fourcc::MVHD)?.fields())?;
        let mvex = moov.child(fourcc::MVEX);
        let boxes = mvex.iter().flat_map(|mvex| mvex.all(fourcc::TREX));
        let defaults = boxes.map(|trex| Defaults::parse(trex.fields())).collect::<Result<Vec<_>, _>>()?;
        let tracks = moov.all(fourcc::TRAK).map(Track::read).collect::<Result<Vec<_>, _>>()?;
        let numbers = tracks.iter().enumerate().map(|(index, track)| (track.id, index));
        // Of several for one number the first holds, which is put in last.
        let (defaults, numbers) = (defaults.into_iter().rev().collect(), numbers.rev().collect());
        Ok(Self { timescale, duration, fragmented: mvex.is_some(), tracks, defaults, numbers })
    }

    /// A track by its number.
    #[must_use]
    pub fn track(&self, id: u32) -> Option<&Track> {
        self.tracks.get(self.index(id)?)
    }

    /// Where a track is among the others, by its number.
    pub(crate) fn index(&self, id: u32) -> Option<usize> {
        self.numbers.get(&id).copied()
    }

    /// What holds for samples of a track in fragments that do not say.
    #[must_use]
    pub fn defaults(&self, track: u32) -> Defaults {
        let found = self.defaults.get(&track).copied();
        found.unwrap_or(Defaults { description: 1, ..Defaults::default() })
    }
}

impl Track {
    fn read(trak: &Node<'_>) -> Result<Self, Error> {
        let mdia = trak.need(fourcc::MDIA)?;
        let (timescale, duration) = read_times(mdia.need(fourcc::MDHD)?.fields())?;
        let mut hdlr = mdia.need(fourcc::HDLR)?.fields();
        hdlr.bytes(8)?;
        let stsd = mdia.descend(&[fourcc::MINF, fourcc::STBL, fourcc::STSD])?;
        let entries = stsd
            .children()
            .iter()
            .map(|entry| Ok(SampleEntry { kind: entry.kind, protection: SampleEntryProtection::read(entry)? }));
        Ok(Self {
            id: track_id(trak)?,
            handler: FourCc(hdlr.array()?),
            timescale,
            duration,
            media_start: media_start(trak)?,
            entries: entries.collect::<Result<_, _>>()?,
        })
    }

    /// The sample description with a number, from 1.
    #[must_use]
    pub fn entry(&self, description: u32) -> Option<&SampleEntry> {
        self.entries.get(usize::try_from(description.checked_sub(1)?).ok()?)
    }
}

/// The number of a `trak`.
pub fn track_id(trak: &Node<'_>) -> Result<u32, Error> {
    let mut tkhd = trak.need(fourcc::TKHD)?.fields();
    let (version, _) = tkhd.version_up_to(1)?;
    tkhd.bytes(if version == 1 { 16 } else { 8 })?;
    tkhd.u32()
}

/// Timescale and duration of `mvhd` or `mdhd`, which begin alike.
fn read_times(mut cursor: Cursor<'_>) -> Result<(u32, u64), Error> {
    let (version, _) = cursor.version_up_to(1)?;
    cursor.bytes(if version == 1 { 16 } else { 8 })?;
    let at = cursor.at();
    let timescale = cursor.u32()?;
    if timescale == 0 {
        return Err(Error::BadValue { at, field: "timescale", value: 0 });
    }
    Ok((timescale, cursor.u32_or_u64(version == 1)?))
}

/// The media time of the first edit that is not empty (ISO/IEC 14496-12 section 8.6.6).
fn media_start(trak: &Node<'_>) -> Result<u64, Error> {
    let Some(elst) = trak.child(fourcc::EDTS).and_then(|edts| edts.child(fourcc::ELST)) else { return Ok(0) };
    let mut cursor = elst.fields();
    let (version, _) = cursor.version_up_to(1)?;
    for _ in 0..cursor.u32()? {
        cursor.u32_or_u64(version == 1)?;
        let start = if version == 1 { cursor.u64()?.cast_signed() } else { cursor.u32()?.cast_signed().into() };
        cursor.u32()?;
        if let Ok(start) = u64::try_from(start) {
            return Ok(start);
        }
    }
    Ok(0)
}
