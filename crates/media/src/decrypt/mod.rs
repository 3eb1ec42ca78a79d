//! Protected MP4 in, clear MP4 out, in constant memory. The output has the length of the input and every byte stays
//! where it was: boxes that fall away leave a `free` box, so that no offset in any table changes.

mod clean;
mod landmarks;
mod lane;
mod ranges;
mod track;

use std::io::{Read, Seek};

use admit_crypto::CounterMode;

use crate::fragment::{TrackFragment, track_fragments};
use crate::io::{Input, Sink, TopBox};
use crate::protection::{AuxInfo, Groups, Scheme, Sizes, saio_offsets};
use crate::sample_table::SampleTable;
use crate::sidx;
use crate::tree::Node;
use crate::{Error, FourCc, KeyId, Location, Movie, Track, fourcc};
use lane::{Ciphers, Lane};

pub use ranges::{Reader, Wanted, decrypt_ranges};
pub use track::{Put, decrypt_track};

/// Finds the cipher for a key id; asked once for each. `None` ends the decryption with [`Error::NoKey`].
pub type Keys<'k> = dyn FnMut(&KeyId) -> Option<Box<dyn CounterMode>> + 'k;

/// What was decrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decrypted {
    /// Bytes in the output, as many as in the input.
    pub bytes: u64,
    /// Samples that were protected.
    pub samples: u64,
    /// The keys that were used.
    pub key_ids: Vec<KeyId>,
}

/// Decrypts `input` into `sink`. `progress` is told bytes done and bytes in all.
///
/// All keys named in the file's head are asked for before anything is put out. What comes out before an error is a
/// true beginning of the clear file.
pub fn decrypt<R: Read + Seek>(
    input: R,
    sink: &mut dyn Sink,
    keys: &mut Keys<'_>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Decrypted, Error> {
    let mut input = Input::new(input)?;
    let (offset, bytes) = input.read_moov()?;
    let moov = Node::parse(&bytes, offset)?;
    let movie = Movie::read(&moov)?;
    let mut ciphers = Ciphers::new(keys);
    load_track_ciphers(&movie, &mut ciphers)?;
    let lanes = table_lanes(&mut input, &moov, &movie)?;
    let mut stream = Stream { input, sink, progress, ciphers, moov: &moov, movie: &movie, lanes };
    stream.run()?;
    let bytes = stream.input.len();
    Ok(Decrypted { bytes, samples: stream.ciphers.samples, key_ids: stream.ciphers.key_ids() })
}

/// Everything that is needed while bytes pass through.
struct Stream<'s, 'k, 'a, R> {
    input: Input<R>,
    sink: &'s mut dyn Sink,
    progress: &'s mut dyn FnMut(u64, u64),
    ciphers: Ciphers<'k>,
    moov: &'a Node<'a>,
    movie: &'a Movie,
    /// The samples that `moov` itself describes.
    lanes: Vec<Lane<'a>>,
}

impl<R: Read + Seek> Stream<'_, '_, '_, R> {
    fn run(&mut self) -> Result<(), Error> {
        let mut next = self.copy_until_fragment(0, &mut Vec::new())?;
        // A file that ends where its fragments should begin is cut.
        if next.is_none() && self.movie.fragmented && self.lanes.is_empty() {
            return Err(Error::Missing { at: Location::top(self.input.len()), wanted: fourcc::MOOF });
        }
        while let Some(moof) = next {
            next = self.fragment(&moof)?;
        }
        self.lanes.iter().try_for_each(|lane| lane.finished(self.moov.at))
    }

    /// Handles a `moof` and what follows it; gives the next one.
    fn fragment(&mut self, place: &TopBox) -> Result<Option<TopBox>, Error> {
        let bytes = self.input.read_box(place)?;
        let moof = Node::parse(&bytes, place.offset)?;
        let mut lanes = fragment_lanes(&mut self.input, &moof, self.moov, self.movie)?;
        self.put_all(&clean::fragment(&moof))?;
        (self.progress)(place.end(), self.input.len());
        let next = self.copy_until_fragment(place.end(), &mut lanes)?;
        lanes.iter().try_for_each(|lane| lane.finished(moof.at))?;
        Ok(next)
    }

    /// Passes boxes on until a `moof`, which is given, or the end.
    fn copy_until_fragment(&mut self, from: u64, lanes: &mut [Lane<'_>]) -> Result<Option<TopBox>, Error> {
        let mut offset = from;
        while let Some(found) = self.input.box_at(offset)? {
            match found.kind {
                fourcc::MOOF => return Ok(Some(found)),
                fourcc::MOOV if offset == self.moov.at.offset => self.put_all(&clean::movie(self.moov)?)?,
                fourcc::SIDX => {
                    let index = self.input.read_box(&found)?;
                    sidx::check_extent(&index, &found, self.input.len())?;
                    self.put_all(&index)?;
                }
                _ => self.copy(&found, lanes)?,
            }
            offset = found.end();
            (self.progress)(offset, self.input.len());
        }
        Ok(None)
    }

    /// Passes a box on, decrypting the samples in it.
    fn copy(&mut self, found: &TopBox, lanes: &mut [Lane<'_>]) -> Result<(), Error> {
        let mut offset = found.offset;
        while offset < found.end() {
            let mut buffer = self.sink.buffer();
            let used = usize::try_from(found.end() - offset).map_or(buffer.len(), |left| left.min(buffer.len()));
            let block = &mut buffer[..used];
            self.input.read_at(offset, block)?;
            self.lanes.iter_mut().try_for_each(|lane| lane.decrypt(offset, block, &mut self.ciphers))?;
            lanes.iter_mut().try_for_each(|lane| lane.decrypt(offset, block, &mut self.ciphers))?;
            self.sink.put(buffer, used).map_err(|error| Error::write(&error))?;
            offset += used as u64;
            (self.progress)(offset, self.input.len());
        }
        Ok(())
    }

    fn put_all(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        while !bytes.is_empty() {
            let mut buffer = self.sink.buffer();
            let (now, later) = bytes.split_at(bytes.len().min(buffer.len()));
            buffer[..now.len()].copy_from_slice(now);
            self.sink.put(buffer, now.len()).map_err(|error| Error::write(&error))?;
            bytes = later;
        }
        Ok(())
    }
}

/// Asks for the keys that the tracks name.
fn load_track_ciphers(movie: &Movie, ciphers: &mut Ciphers<'_>) -> Result<(), Error> {
    let entries = movie.tracks.iter().flat_map(|track| &track.entries);
    let protections: Vec<_> = entries.filter_map(|entry| entry.protection).collect();
    if protections.is_empty() {
        return Err(Error::NotProtected);
    }
    for protection in protections {
        Scheme::try_from(protection.scheme)?;
        if let Some(tenc) = protection.tenc.filter(|tenc| tenc.protected) {
            ciphers.index(tenc.key_id)?;
        }
    }
    Ok(())
}

/// The protected samples that the sample tables describe, track by track.
fn table_lanes<'a, R: Read + Seek>(
    input: &mut Input<R>,
    moov: &Node<'a>,
    movie: &'a Movie,
) -> Result<Vec<Lane<'a>>, Error> {
    let (mut lanes, mut held) = (Vec::new(), Held::default());
    for (trak, track) in moov.all(fourcc::TRAK).zip(&movie.tracks) {
        lanes.extend(table_lane(input, trak, track, &mut held)?);
    }
    Ok(lanes)
}

/// The protected samples that a track's own tables describe; none where it has none.
fn table_lane<'a, R: Read + Seek>(
    input: &mut Input<R>,
    trak: &Node<'a>,
    track: &'a Track,
    held: &mut Held,
) -> Result<Option<Lane<'a>>, Error> {
    let stbl = trak.descend(&[fourcc::MDIA, fourcc::MINF, fourcc::STBL])?;
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
    let groups = Groups::read(stbl, stbl)?;
    held.lane(&groups, stbl.at)?;
    Ok(Some(Lane::new(track, Box::new(table.samples()), info, groups, input.len(), stbl.at)))
}

/// Whether some of a track's samples may be protected.
fn is_protected(track: &Track) -> bool {
    track.entries.iter().any(|entry| entry.protection.is_some())
}

/// Whether a track's tables are the empty ones of a fragmented file, some of which writers leave out.
fn no_samples(stbl: &Node<'_>) -> bool {
    [fourcc::STSZ, fourcc::STZ2, fourcc::STTS].iter().all(|&kind| stbl.child(kind).is_none())
}

/// The protected samples of a fragment, `traf` by `traf`.
fn fragment_lanes<'a, R: Read + Seek>(
    input: &mut Input<R>,
    moof: &Node<'a>,
    moov: &Node<'_>,
    movie: &'a Movie,
) -> Result<Vec<Lane<'a>>, Error> {
    let (mut lanes, mut held) = (Vec::new(), Held::default());
    let fragments = track_fragments(moof, |track| movie.defaults(track))?;
    for (traf, fragment) in moof.all(fourcc::TRAF).zip(fragments) {
        let field = "track number";
        let unknown = Error::BadValue { at: traf.at, field, value: fragment.track.into() };
        let index = movie.tracks.iter().position(|track| track.id == fragment.track).ok_or(unknown)?;
        let track = &movie.tracks[index];
        let trak = moov.all(fourcc::TRAK).nth(index).expect("tracks are read from these boxes");
        let stbl = trak.descend(&[fourcc::MDIA, fourcc::MINF, fourcc::STBL])?;
        lanes.extend(fragment_lane(input, traf, fragment, track, stbl, &mut held)?);
    }
    Ok(lanes)
}

/// The protected samples of one `traf`; none where its track is clear. `stbl` is the track's.
fn fragment_lane<'a, R: Read + Seek>(
    input: &mut Input<R>,
    traf: &Node<'a>,
    fragment: TrackFragment<'a>,
    track: &'a Track,
    stbl: &Node<'_>,
    held: &mut Held,
) -> Result<Option<Lane<'a>>, Error> {
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
    let groups = Groups::read(traf, stbl)?;
    held.lane(&groups, traf.at)?;
    let samples = Box::new(fragment.runs.into_iter().flat_map(|run| run.samples(0)).map(Ok));
    Ok(Some(Lane::new(track, samples, info, groups, input.len(), traf.at)))
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
        let read = input.read_vec(at, left.total(samples), MAX_HELD - held.bytes)?;
        held.bytes += read.len() as u64;
        bytes.extend(read);
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
}

impl Held {
    /// Counts a lane and its groups.
    fn lane(&mut self, groups: &Groups<'_>, at: Location) -> Result<(), Error> {
        self.bytes += groups.size();
        if self.bytes > MAX_HELD {
            return Err(Error::OverLimit { at, what: "sample information", size: self.bytes, limit: MAX_HELD });
        }
        self.lanes += 1;
        if self.lanes > MAX_LANES {
            let (size, limit) = (self.lanes as u64, MAX_LANES as u64);
            return Err(Error::OverLimit { at, what: "number of track fragments", size, limit });
        }
        Ok(())
    }
}

/// Sample groups, and auxiliary information outside `senc`, are held in memory up to this.
const MAX_HELD: u64 = 64 << 20;
/// Protected tracks, and protected track fragments of one `moof`: each looks at every block that passes.
const MAX_LANES: usize = 1024;
