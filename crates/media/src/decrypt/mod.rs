//! Protected MP4 in, clear MP4 out, in constant memory. The output has the length of the input and every byte stays
//! where it was: boxes that fall away leave a `free` box, so that no offset in any table changes.

mod clean;
mod landmarks;
mod lane;
mod lanes;
mod outlet;
mod ranges;
mod track;

use std::io::{Read, Seek};

use admit_crypto::CounterMode;

use crate::io::{Input, Sink, TopBox};
use crate::protection::Scheme;
use crate::sidx;
use crate::tree::Node;
use crate::{Error, KeyId, Location, Movie, fourcc};
use lane::{Ciphers, Lane};
use lanes::Source;
use outlet::Outlet;

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
    let mut source = Source::new(input, &moov, &movie)?;
    let tables = source.tables()?;
    let outlet = Outlet::new(sink, progress, ciphers, tables, source.input.len());
    let mut stream = Stream { source, outlet, moov: &moov };
    let run = stream.run(movie.fragmented);
    if run.is_err() {
        stream.outlet.put_clear_before_fault();
    }
    run?;
    let Stream { source, outlet: Outlet { ciphers, .. }, .. } = stream;
    Ok(Decrypted { bytes: source.input.len(), samples: ciphers.samples, key_ids: ciphers.key_ids() })
}

/// Everything that is needed while bytes pass through.
struct Stream<'s, 'k, 'a, R> {
    source: Source<'a, R>,
    outlet: Outlet<'s, 'k, 'a>,
    moov: &'a Node<'a>,
}

impl<R: Read + Seek> Stream<'_, '_, '_, R> {
    fn run(&mut self, fragmented: bool) -> Result<(), Error> {
        let mut next = self.copy_until_fragment(0, &mut Vec::new())?;
        // A file that ends where its fragments should begin is cut.
        if next.is_none() && fragmented && self.outlet.tables.is_empty() {
            return Err(Error::Missing { at: Location::top(self.source.input.len()), wanted: fourcc::MOOF });
        }
        while let Some(moof) = next {
            next = self.fragment(&moof)?;
        }
        self.outlet.finish(self.moov.at)
    }

    /// Handles a `moof` and what follows it; gives the next one.
    fn fragment(&mut self, place: &TopBox) -> Result<Option<TopBox>, Error> {
        let bytes = self.source.input.read_box(place)?;
        let moof = Node::parse(&bytes, place.offset)?;
        let mut lanes = self.source.fragments(&moof)?;
        self.outlet.put_clear(&clean::fragment(&moof), &mut lanes)?;
        let next = self.copy_until_fragment(place.end(), &mut lanes)?;
        lanes.iter().try_for_each(|lane| lane.finished(moof.at))?;
        Ok(next)
    }

    /// Passes boxes on until a `moof`, which is given, or the end.
    fn copy_until_fragment(&mut self, from: u64, lanes: &mut [Lane<'_>]) -> Result<Option<TopBox>, Error> {
        let mut offset = from;
        while let Some(found) = self.next_box(offset, lanes)? {
            match found.kind {
                fourcc::MOOF => {
                    self.outlet.open(lanes)?;
                    return Ok(Some(found));
                }
                fourcc::MOOV if offset == self.moov.at.offset => {
                    self.outlet.put_clear(&clean::movie(self.moov)?, lanes)?;
                }
                fourcc::SIDX => {
                    let index = self.source.input.read_box(&found)?;
                    sidx::check_extent(&index, &found, self.source.input.len())?;
                    self.outlet.put_clear(&index, lanes)?;
                }
                _ => self.outlet.copy(&mut self.source.input, &found, lanes)?,
            }
            offset = found.end();
        }
        self.outlet.open(lanes)?;
        Ok(None)
    }

    /// The box at an offset. Where there is something else, what came before it is made ready to be put out.
    fn next_box(&mut self, offset: u64, lanes: &mut [Lane<'_>]) -> Result<Option<TopBox>, Error> {
        let found = self.source.input.box_at(offset);
        if found.is_err() {
            self.outlet.open(lanes)?;
        }
        found
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
