//! The clear file from anywhere in it, for a player in the same process that seeks: the bytes that [`decrypt`](super::decrypt)
//! puts out, in the order in which somebody wants them.

use std::io::{self, Read, Seek};

use super::landmarks::Landmarks;
use super::lane::{Ciphers, Lane};
use super::{Decrypted, Keys, clean, fragment_lanes, load_track_ciphers, table_lanes};
use crate::io::{BLOCK, Input, TopBox};
use crate::tree::Node;
use crate::{Error, Location, Movie, fourcc};

/// Bytes of a clear file that somebody wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// Where they begin.
    pub offset: u64,
    /// How many at most. None are asked for by whoever only wants to be told that reading may go on.
    pub length: usize,
}

/// Who reads a clear file from anywhere in it.
pub trait Reader {
    /// What is wanted next; nothing ends the reading.
    fn next(&mut self) -> io::Result<Option<Wanted>>;
    /// Takes a true beginning of what was wanted last. It is empty at the end of the file, and where nothing was asked for.
    fn put(&mut self, bytes: &[u8]) -> io::Result<()>;
}

/// Decrypts what `reader` wants of `input`, for as long as it wants something. The clear file is as long as `input`, and is
/// never in memory whole.
///
/// All keys named in the file's head are asked for before anything is put out. Samples out of the order of the file are an
/// error where they are met in passing, and come out as they lie in the file where somebody seeks behind them.
pub fn decrypt_ranges<R: Read + Seek>(
    input: R,
    keys: &mut Keys<'_>,
    reader: &mut dyn Reader,
) -> Result<Decrypted, Error> {
    let mut input = Input::new(input)?;
    let (offset, bytes) = input.read_moov()?;
    let moov = Node::parse(&bytes, offset)?;
    let movie = Movie::read(&moov)?;
    let mut ciphers = Ciphers::new(keys);
    load_track_ciphers(&movie, &mut ciphers)?;
    let clear_moov = clean::movie(&moov)?;
    let is_empty = table_lanes(&mut input, &moov, &movie)?.is_empty();
    let mut landmarks = Landmarks::default();
    // A file that ends where its fragments should begin is cut.
    if movie.fragmented && is_empty && !landmarks.find_first(&mut input)? {
        return Err(Error::Missing { at: Location::top(input.len()), wanted: fourcc::MOOF });
    }
    let (moov, movie) = (&moov, &movie);
    let mut file = ClearFile { input, ciphers, moov, movie, clear_moov, landmarks, reader, bytes: 0 };
    let mut wanted = file.next()?;
    while let Some(next) = wanted {
        wanted = file.stretch(next)?;
    }
    Ok(Decrypted { bytes: file.bytes, samples: file.ciphers.samples, key_ids: file.ciphers.key_ids() })
}

/// A protected file that is read as a clear one.
struct ClearFile<'r, 'k, 'a, R> {
    input: Input<R>,
    ciphers: Ciphers<'k>,
    moov: &'a Node<'a>,
    movie: &'a Movie,
    clear_moov: Vec<u8>,
    landmarks: Landmarks,
    reader: &'r mut dyn Reader,
    bytes: u64,
}

impl<R: Read + Seek> ClearFile<'_, '_, '_, R> {
    /// What is wanted next inside the file; whatever else is wanted is answered with nothing.
    fn next(&mut self) -> Result<Option<Wanted>, Error> {
        loop {
            let wanted = self.reader.next().map_err(|error| Error::write(&error))?;
            match wanted {
                Some(Wanted { offset, length }) if length == 0 || offset >= self.input.len() => self.put(&[])?,
                wanted => return Ok(wanted),
            }
        }
    }

    /// Serves what is wanted between a `moof` (or the beginning of the file) and the next; gives what is wanted elsewhere.
    fn stretch(&mut self, wanted: Wanted) -> Result<Option<Wanted>, Error> {
        let Some(place) = self.landmarks.before(&mut self.input, wanted.offset)? else {
            let start = self.box_at(0)?;
            return self.within(start, None, wanted);
        };
        let bytes = self.input.read_box(&place)?;
        let moof = Node::parse(&bytes, place.offset)?;
        self.within(place, Some(&moof), wanted)
    }

    /// As [`Self::stretch`], for the one that begins with this box.
    fn within(&mut self, start: TopBox, moof: Option<&Node<'_>>, wanted: Wanted) -> Result<Option<Wanted>, Error> {
        let (mut next, mut place) = (wanted, start);
        let (mut lanes, mut passed) = (self.lanes(moof)?, start.offset);
        let clear_moof = moof.map(clean::fragment);
        loop {
            if next.offset < start.offset {
                return Ok(Some(next));
            }
            if next.offset < place.offset {
                place = start;
            }
            while next.offset >= place.end() {
                place = self.box_at(place.end())?;
                if place.kind == fourcc::MOOF {
                    self.landmarks.add(place.offset);
                    return Ok(Some(next));
                }
            }
            if next.offset < passed {
                lanes = self.lanes(moof)?;
            }
            passed = self.serve(next, &place, clear_moof.as_deref(), &mut lanes)?;
            match self.next()? {
                Some(wanted) => next = wanted,
                None => return Ok(None),
            }
        }
    }

    /// Puts out the beginning of what is wanted, which lies in the box at `place`; says where that ends.
    fn serve(
        &mut self,
        wanted: Wanted,
        place: &TopBox,
        clear_moof: Option<&[u8]>,
        lanes: &mut [Lane<'_>],
    ) -> Result<u64, Error> {
        let Wanted { offset, length } = wanted;
        let left = usize::try_from(place.end() - offset).unwrap_or(usize::MAX);
        let length = length.min(left).min(BLOCK);
        let mut block = vec![0; length];
        let clear = match clear_moof {
            Some(moof) if place.kind == fourcc::MOOF => Some(moof),
            _ if place.offset == self.moov.at.offset => Some(&*self.clear_moov),
            _ => None,
        };
        if let Some(clear) = clear {
            let from = usize::try_from(offset - place.offset).expect("inside a box in memory");
            block.copy_from_slice(&clear[from..from + length]);
        } else {
            self.input.read_at(offset, &mut block)?;
            for lane in lanes {
                lane.skip_to(offset, &mut self.ciphers)?;
                lane.decrypt(offset, &mut block, &mut self.ciphers)?;
            }
        }
        self.put(&block)?;
        Ok(offset + length as u64)
    }

    /// The protected samples that `moov` and this `moof` describe, from their beginnings.
    fn lanes<'m>(&mut self, moof: Option<&Node<'m>>) -> Result<Vec<Lane<'m>>, Error>
    where
        Self: 'm,
    {
        let mut lanes = table_lanes(&mut self.input, self.moov, self.movie)?;
        if let Some(moof) = moof {
            lanes.extend(fragment_lanes(&mut self.input, moof, self.moov, self.movie)?);
        }
        Ok(lanes)
    }

    /// The box that begins here, inside the file.
    fn box_at(&mut self, offset: u64) -> Result<TopBox, Error> {
        let missing = Error::Missing { at: Location::top(offset), wanted: fourcc::MDAT };
        self.input.box_at(offset)?.ok_or(missing)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.bytes += bytes.len() as u64;
        self.reader.put(bytes).map_err(|error| Error::write(&error))
    }
}
