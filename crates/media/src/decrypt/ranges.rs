//! The clear file from anywhere in it, for a player in the same process that seeks: the bytes that [`decrypt`](super::decrypt)
//! puts out, in the order in which somebody wants them.

use std::io::{self, Read, Seek};

use super::landmarks::Landmarks;
use super::lane::{Ciphers, Lane};
use super::lanes::Source;
use super::outlet::ENOUGH;
use super::{Decrypted, Keys, clean, load_track_ciphers};
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
    let mut landmarks = Landmarks::new(input.len());
    let mut source = Source::new(input, &moov, &movie)?;
    let tables = source.tables()?;
    // A file that ends where its fragments should begin is cut.
    if movie.fragmented && tables.is_empty() && !landmarks.find_first(&mut source.input)? {
        return Err(Error::Missing { at: Location::top(source.input.len()), wanted: fourcc::MOOF });
    }
    let (request, moov_offset) = (Request::default(), moov.at.offset);
    let mut file =
        ClearFile { source, ciphers, tables, passed: 0, clear_moov, moov_offset, landmarks, reader, request, bytes: 0 };
    let read = file.run();
    // What was gathered before something broken is given, where something was before: a use that gives next to nothing is not
    // charged. What is broken is what is told.
    if read.is_err() && file.bytes > 0 {
        let _ = file.give();
    }
    read.map(|()| Decrypted { bytes: file.bytes, samples: file.ciphers.samples, key_ids: file.ciphers.key_ids() })
}

/// A protected file that is read as a clear one.
struct ClearFile<'r, 'k, 'a, R> {
    source: Source<'a, R>,
    ciphers: Ciphers<'k>,
    /// The samples that `moov` itself describes.
    tables: Vec<Lane<'a>>,
    /// Up to where samples were decrypted: no lane goes back.
    passed: u64,
    clear_moov: Vec<u8>,
    moov_offset: u64,
    landmarks: Landmarks,
    reader: &'r mut dyn Reader,
    request: Request,
    bytes: u64,
}

/// What is wanted still, and what of it was gathered.
#[derive(Default)]
struct Request {
    offset: u64,
    length: usize,
    block: Vec<u8>,
}

/// What comes after what was served.
enum Next {
    /// The fragment of this `moof`, which is wanted.
    Fragment(TopBox),
    /// What is wanted lies elsewhere.
    Elsewhere,
    /// Nothing is wanted any more.
    Nothing,
}

impl<R: Read + Seek> ClearFile<'_, '_, '_, R> {
    /// Serves what is wanted, for as long as something is.
    fn run(&mut self) -> Result<(), Error> {
        let mut next = if self.is_wanted()? { Next::Elsewhere } else { Next::Nothing };
        loop {
            next = match next {
                Next::Fragment(moof) => self.fragment(&moof, moof)?,
                Next::Elsewhere => self.elsewhere()?,
                Next::Nothing => return Ok(()),
            }
        }
    }

    /// Takes what is wanted next inside the file, if anything is; whatever else is wanted is answered with nothing.
    fn is_wanted(&mut self) -> Result<bool, Error> {
        loop {
            let wanted = self.reader.next().map_err(|error| Error::write(&error))?;
            match wanted {
                None => return Ok(false),
                Some(Wanted { offset, length }) if length > 0 && offset < self.source.input.len() => {
                    self.request = Request { offset, length: length.min(BLOCK), block: Vec::new() };
                    return Ok(true);
                }
                Some(_) => self.put(&[])?,
            }
        }
    }

    /// Serves what is wanted from wherever it is. What was passed may be passed again.
    fn elsewhere(&mut self) -> Result<Next, Error> {
        self.source.begin_again();
        self.ciphers.begin_again();
        if self.request.offset < self.passed {
            self.tables = self.source.tables()?;
        }
        let found = self.landmarks.find(&mut self.source.input, self.request.offset)?;
        match found.moof {
            Some(moof) => {
                let moof = self.box_at(moof)?;
                self.fragment(&moof, found.here)
            }
            None => self.stretch(found.here, None),
        }
    }

    /// Serves what is wanted between this `moof` and the next, beginning with the box that is `here`.
    fn fragment(&mut self, moof: &TopBox, here: TopBox) -> Result<Next, Error> {
        let bytes = self.source.input.read_box(moof)?;
        let moof = Node::parse(&bytes, moof.offset)?;
        self.stretch(here, Some(&moof))
    }

    /// As [`Self::fragment`]; without a `moof`, before the first.
    fn stretch(&mut self, here: TopBox, moof: Option<&Node<'_>>) -> Result<Next, Error> {
        let start = moof.map(|moof| moof.at.offset);
        let mut lanes = moof.map_or_else(|| Ok(Vec::new()), |moof| self.source.fragments(moof))?;
        let (mut place, clear_moof) = (here, moof.map(clean::fragment));
        loop {
            if self.request.offset == place.end() {
                place = self.box_at(place.end())?;
                let is_next = place.kind == fourcc::MOOF;
                self.landmarks.add(place.offset, if is_next { Some(place.offset) } else { start });
                if is_next {
                    return Ok(Next::Fragment(place));
                }
            } else if self.request.offset > place.end() {
                let found = self.landmarks.find(&mut self.source.input, self.request.offset)?;
                if found.moof != start {
                    return Ok(Next::Elsewhere);
                }
                place = found.here;
            }
            self.serve(&mut place, start, clear_moof.as_deref(), &mut lanes)?;
            if self.is_enough() {
                self.give()?;
                if !self.is_wanted()? {
                    return Ok(Next::Nothing);
                }
                if self.request.offset < self.passed || self.request.offset < place.offset {
                    return Ok(Next::Elsewhere);
                }
            }
        }
    }

    /// Gathers the beginning of what is wanted, which lies in the box at `place`; that becomes the last box of which some was
    /// taken.
    fn serve(
        &mut self,
        place: &mut TopBox,
        start: Option<u64>,
        clear_moof: Option<&[u8]>,
        lanes: &mut [Lane<'_>],
    ) -> Result<(), Error> {
        let offset = self.request.offset;
        let clear = match clear_moof {
            Some(moof) if place.kind == fourcc::MOOF => Some(moof),
            _ if place.offset == self.moov_offset => Some(&*self.clear_moov),
            _ => None,
        };
        if let Some(clear) = clear {
            let from = usize::try_from(offset - place.offset).expect("inside a box in memory");
            let length = self.request.length.min(clear.len() - from);
            self.request.block.extend_from_slice(&clear[from..from + length]);
            self.request.take(length);
        } else {
            self.go_on(place, start);
            let left = usize::try_from(place.end() - offset).unwrap_or(usize::MAX);
            let length = self.request.length.min(left);
            self.open(length, lanes)?;
            self.request.take(length);
        }
        self.passed = self.request.offset;
        Ok(())
    }

    /// Gathers so much, which lies where samples may be. Of what fails nothing is kept.
    fn open(&mut self, length: usize, lanes: &mut [Lane<'_>]) -> Result<(), Error> {
        let Self { source, ciphers, tables, request: Request { offset, block, .. }, .. } = self;
        let used = block.len();
        block.resize(used + length, 0);
        let part = &mut block[used..];
        let mut open = || {
            source.input.read_at(*offset, part)?;
            tables.iter_mut().try_for_each(|lane| lane.open(*offset, part, ciphers))?;
            lanes.iter_mut().try_for_each(|lane| lane.open(*offset, part, ciphers))
        };
        open().inspect_err(|_| self.request.block.truncate(used))
    }

    /// Goes to the last box that is wanted, if nothing lies before it but boxes that stay as they are. One that is broken is
    /// met again.
    fn go_on(&mut self, place: &mut TopBox, start: Option<u64>) {
        let end = self.request.offset + self.request.length as u64;
        while place.end() < end {
            match self.source.input.box_at(place.end()) {
                Ok(Some(next)) if next.kind != fourcc::MOOF && next.offset != self.moov_offset => *place = next,
                _ => break,
            }
            self.landmarks.add(place.offset, start);
        }
    }

    /// Whether what was gathered is given now: all of it, or so much that the end of a box is a reason not to wait for more.
    fn is_enough(&self) -> bool {
        let Request { offset, length, block } = &self.request;
        *length == 0 || *offset >= self.source.input.len() || block.len() >= ENOUGH
    }

    /// Gives what was gathered, if anything was.
    fn give(&mut self) -> Result<(), Error> {
        let block = std::mem::take(&mut self.request.block);
        if block.is_empty() { Ok(()) } else { self.put(&block) }
    }

    /// The box that begins here, inside the file.
    fn box_at(&mut self, offset: u64) -> Result<TopBox, Error> {
        let missing = Error::Missing { at: Location::top(offset), wanted: fourcc::MDAT };
        self.source.input.box_at(offset)?.ok_or(missing)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.bytes += bytes.len() as u64;
        self.reader.put(bytes).map_err(|error| Error::write(&error))
    }
}

impl Request {
    /// So much is there that was wanted.
    fn take(&mut self, length: usize) {
        self.offset += length as u64;
        self.length -= length;
    }
}
