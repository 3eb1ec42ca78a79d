//! The lanes of a file: what `moov` and each `moof` say about samples that are protected.

use std::io::{Read, Seek};

use super::lane::Lane;
use crate::fragment::{TrackFragment, track_fragments};
use crate::io::Input;
use crate::protection::{AuxInfo, Groups, SharedDescriptions, Sizes, saio_offsets};
use crate::sample_table::SampleTable;
use crate::tree::Node;
use crate::{Error, FourCc, Location, Movie, Track, fourcc};

/// A protected file that is open.
pub(super) struct Source<'a, R> {
    pub(super) input: Input<R>,
    movie: &'a Movie,
    tracks: Vec<Boxes<'a>>,
    held: Held,
}

/// The boxes of a track.
struct Boxes<'a> {
    trak: &'a Node<'a>,
    shared: SharedDescriptions<'a>,
}

impl<'a, R: Read + Seek> Source<'a, R> {
    pub(super) fn new(input: Input<R>, moov: &'a Node<'a>, movie: &'a Movie) -> Result<Self, Error> {
        let boxes = |trak: &'a Node<'a>| {
            let stbl = trak.descend(&[fourcc::MDIA, fourcc::MINF, fourcc::STBL])?;
            Ok(Boxes { trak, shared: SharedDescriptions::new(stbl) })
        };
        let tracks = moov.all(fourcc::TRAK).map(boxes).collect::<Result<_, Error>>()?;
        let held = Held { limit: input.len(), ..Held::default() };
        Ok(Self { input, movie, tracks, held })
    }

    /// The `stbl` of a track.
    pub(super) fn stbl(&self, index: usize) -> &'a Node<'a> {
        self.tracks[index].shared.stbl()
    }

    /// Says that what was passed already is passed again.
    pub(super) fn begin_again(&mut self) {
        self.held.loaded = 0;
    }

    /// The protected samples that the sample tables describe, track by track.
    pub(super) fn tables(&mut self) -> Result<Vec<Lane<'a>>, Error> {
        self.held.begin_tree();
        let lanes = (0..self.tracks.len()).filter_map(|index| self.table(index).transpose());
        lanes.collect()
    }

    /// The protected samples that one track's own tables describe.
    pub(super) fn only_table(&mut self, index: usize) -> Result<Option<Lane<'a>>, Error> {
        self.held.begin_tree();
        self.table(index)
    }

    /// The protected samples that a track's own tables describe; none where it has none.
    fn table(&mut self, index: usize) -> Result<Option<Lane<'a>>, Error> {
        let Self { input, movie, tracks, held } = self;
        let (Boxes { trak, shared }, track) = (&tracks[index], &movie.tracks[index]);
        let stbl = shared.stbl();
        if !is_protected(track) || no_samples(stbl) {
            return Ok(None);
        }
        let table = SampleTable::read(stbl)?;
        if table.is_empty() {
            return Ok(None);
        }
        let senc = senc(trak)?.map_or_else(|| senc(stbl), |found| Ok(Some(found)))?;
        let info = match senc {
            Some(info) => Some(info),
            None => load_aux_info(input, stbl, 0, table.chunk_sizes(), held)?,
        };
        let groups = Groups::read(stbl, shared)?;
        held.lane(&groups, stbl.at)?;
        Ok(Some(Lane::new(track, Box::new(table.samples()), info, groups, input.len(), stbl.at)))
    }

    /// The protected samples of a fragment, `traf` by `traf`.
    pub(super) fn fragments<'m>(&mut self, moof: &Node<'m>) -> Result<Vec<Lane<'m>>, Error>
    where
        'a: 'm,
    {
        self.held.begin_tree();
        let mut lanes = Vec::new();
        let fragments = track_fragments(moof, |track| self.movie.defaults(track))?;
        for (traf, fragment) in moof.all(fourcc::TRAF).zip(fragments) {
            lanes.extend(self.fragment(traf, fragment)?);
        }
        Ok(lanes)
    }

    /// The track fragments of one track, each with the samples in it that are protected.
    pub(super) fn fragments_of<'m>(
        &mut self,
        track: u32,
        moof: &Node<'m>,
    ) -> Result<Vec<(TrackFragment<'m>, Option<Lane<'m>>)>, Error>
    where
        'a: 'm,
    {
        self.held.begin_tree();
        let fragments = track_fragments(moof, |track| self.movie.defaults(track))?;
        let trafs = moof.all(fourcc::TRAF).zip(fragments).filter(|(_, fragment)| fragment.track == track);
        trafs.map(|(traf, fragment)| Ok((fragment.clone(), self.fragment(traf, fragment)?))).collect()
    }

    /// The protected samples of one `traf`; none where its track is clear.
    fn fragment<'m>(&mut self, traf: &Node<'m>, fragment: TrackFragment<'m>) -> Result<Option<Lane<'m>>, Error>
    where
        'a: 'm,
    {
        let Self { input, movie, tracks, held } = self;
        let (at, field, value) = (traf.at, "track number", fragment.track.into());
        let index = movie.index(fragment.track).ok_or(Error::BadValue { at, field, value })?;
        let track = &movie.tracks[index];
        if !is_protected(track) {
            return Ok(None);
        }
        let info = match senc(traf)? {
            Some(info) => Some(info),
            None => {
                let runs = fragment.runs.iter().map(|run| run.count.into());
                load_aux_info(input, traf, fragment.base, runs, held)?
            }
        };
        let groups = Groups::read(traf, &tracks[index].shared)?;
        held.lane(&groups, traf.at)?;
        let samples = Box::new(fragment.runs.into_iter().flat_map(|run| run.samples(0)).map(Ok));
        Ok(Some(Lane::new(track, samples, info, groups, input.len(), traf.at)))
    }
}

/// Whether some of a track's samples may be protected.
fn is_protected(track: &Track) -> bool {
    track.entries.iter().any(|entry| entry.protection.is_some())
}

/// Whether a track's tables are the empty ones of a fragmented file, some of which writers leave out.
pub(super) fn no_samples(stbl: &Node<'_>) -> bool {
    [fourcc::STSZ, fourcc::STZ2, fourcc::STTS].iter().all(|&kind| stbl.child(kind).is_none())
}

fn senc<'a>(holder: &Node<'a>) -> Result<Option<AuxInfo<'a>>, Error> {
    match holder.child(fourcc::SENC).and_then(Node::payload) {
        Some(cursor) => AuxInfo::senc(cursor),
        None => Ok(None),
    }
}

/// Loads what `saiz` and `saio` in `holder` point to; `runs` are the samples that each offset stands for.
fn load_aux_info<'a, R: Read + Seek>(
    input: &mut Input<R>,
    holder: &Node<'a>,
    base: u64,
    runs: impl Iterator<Item = u64>,
    held: &mut Held,
) -> Result<Option<AuxInfo<'a>>, Error> {
    let sizes = first(holder, fourcc::SAIZ, Sizes::read)?;
    let offsets = first(holder, fourcc::SAIO, saio_offsets)?;
    let (Some(sizes), Some(offsets)) = (sizes, offsets) else { return Ok(None) };
    let (mut bytes, mut left) = (Vec::new(), sizes.clone());
    let runs: &mut dyn Iterator<Item = u64> =
        if offsets.len() == 1 { &mut std::iter::once(u64::MAX) } else { &mut { runs } };
    for (offset, samples) in offsets.iter().zip(runs) {
        let at = Location { path: holder.at.path, offset: base.saturating_add(*offset) };
        let length = left.total(samples);
        held.load(length, holder.at)?;
        bytes.extend(input.read_vec(at, length, MAX_HELD)?);
        left.step_over(samples);
    }
    Ok(Some(AuxInfo::Elsewhere { bytes, position: 0, sizes, at: holder.at }))
}

/// The first box of a type that `read` makes something of.
fn first<'t, 'a, T>(
    holder: &'t Node<'a>,
    kind: FourCc,
    read: impl Fn(&'t Node<'a>) -> Result<Option<T>, Error>,
) -> Result<Option<T>, Error> {
    holder.all(kind).find_map(|node| read(node).transpose()).transpose()
}

/// What the lanes of one `moov` or `moof` hold in memory beside its tree. It is bounded for all of them together, for
/// thousands could point to the same bytes of a short file.
#[derive(Debug, Default)]
struct Held {
    bytes: u64,
    lanes: usize,
    /// Bytes of auxiliary information that were loaded for all trees since the file was begun. They are no more than it has,
    /// for a million fragments could point to the same bytes, too.
    loaded: u64,
    /// Bytes in the file.
    limit: u64,
}

impl Held {
    /// What the tree before held is gone.
    fn begin_tree(&mut self) {
        (self.bytes, self.lanes) = (0, 0);
    }

    /// Counts auxiliary information, before it is loaded.
    fn load(&mut self, bytes: u64, at: Location) -> Result<(), Error> {
        self.loaded = self.loaded.saturating_add(bytes);
        if self.loaded > self.limit {
            let (size, limit) = (self.loaded, self.limit);
            return Err(Error::OverLimit { at, what: "bytes of auxiliary information", size, limit });
        }
        self.hold(bytes, at)
    }

    /// Counts a lane and its groups.
    fn lane(&mut self, groups: &Groups<'_>, at: Location) -> Result<(), Error> {
        self.hold(groups.size(), at)?;
        self.lanes += 1;
        if self.lanes > MAX_LANES {
            let (size, limit) = (self.lanes as u64, MAX_LANES as u64);
            return Err(Error::OverLimit { at, what: "number of track fragments", size, limit });
        }
        Ok(())
    }

    fn hold(&mut self, bytes: u64, at: Location) -> Result<(), Error> {
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes > MAX_HELD {
            return Err(Error::OverLimit { at, what: "sample information", size: self.bytes, limit: MAX_HELD });
        }
        Ok(())
    }
}

/// Sample groups, and auxiliary information outside `senc`, are held in memory up to this.
const MAX_HELD: u64 = 64 << 20;
/// Protected tracks, and protected track fragments of one `moof`: each looks at every block that passes.
const MAX_LANES: usize = 1024;
