//! The samples of one track in clear, read from wherever they lie: for a decoder in the same process, which needs no file.

use std::io::{self, Read, Seek};

use super::lane::{Ciphers, Lane};
use super::lanes::{Source, no_samples};
use super::{Decrypted, Keys, load_track_ciphers};
use crate::io::{Input, TopBox};
use crate::sample_table::SampleTable;
use crate::tree::Node;
use crate::{Error, Location, Movie, Sample, fourcc};

/// What is done with each sample of a track, in decoding order.
pub type Put<'p> = dyn FnMut(&Sample, &[u8]) -> io::Result<()> + 'p;

/// Decrypts the samples of the track with this number, one by one, and gives them to `put`; other tracks are not read.
/// `progress` is told where in the file the samples are, and how long it is. Memory is bounded by the largest sample.
///
/// All keys named in the file's head are asked for before anything is put out.
pub fn decrypt_track<R: Read + Seek>(
    input: R,
    track: u32,
    keys: &mut Keys<'_>,
    put: &mut Put<'_>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Decrypted, Error> {
    let mut input = Input::new(input)?;
    let (offset, bytes) = input.read_moov()?;
    let moov = Node::parse(&bytes, offset)?;
    let movie = Movie::read(&moov)?;
    let mut ciphers = Ciphers::new(keys);
    load_track_ciphers(&movie, &mut ciphers)?;
    let at = moov.at;
    let index = movie.index(track).ok_or(Error::BadValue { at, field: "track number", value: track.into() })?;
    let source = Source::new(input, &moov, &movie)?;
    let (bytes, decode_time) = (0, 0);
    let out = Out { put, progress, buffer: Vec::new(), bytes, decode_time };
    let mut reader = Reader { source, ciphers, movie: &movie, index, track, out };
    reader.tables()?;
    reader.fragments()?;
    let Reader { ciphers, out, .. } = reader;
    Ok(Decrypted { bytes: out.bytes, samples: ciphers.samples, key_ids: ciphers.key_ids() })
}

/// One track of an open file.
struct Reader<'r, 'k, 'a, R> {
    source: Source<'a, R>,
    ciphers: Ciphers<'k>,
    movie: &'a Movie,
    /// Where the track is among the others, and its number.
    index: usize,
    track: u32,
    out: Out<'r>,
}

impl<R: Read + Seek> Reader<'_, '_, '_, R> {
    /// The samples that `moov` itself describes.
    fn tables(&mut self) -> Result<(), Error> {
        let stbl = self.source.stbl(self.index);
        if no_samples(stbl) {
            return Ok(());
        }
        let lane = self.source.only_table(self.index)?;
        self.samples(SampleTable::read(stbl)?.samples(), lane)
    }

    /// The samples of the fragments, where there are any.
    fn fragments(&mut self) -> Result<(), Error> {
        let (mut offset, mut found_any) = (0, false);
        while let Some(found) = self.source.input.box_at(offset)? {
            if found.kind == fourcc::MOOF {
                found_any = true;
                self.fragment(&found)?;
            }
            offset = found.end();
        }
        // A file that ends where its fragments should begin is cut.
        if self.movie.fragmented && !found_any && self.out.bytes == 0 {
            return Err(Error::Missing { at: Location::top(self.source.input.len()), wanted: fourcc::MOOF });
        }
        Ok(())
    }

    fn fragment(&mut self, place: &TopBox) -> Result<(), Error> {
        let bytes = self.source.input.read_box(place)?;
        let moof = Node::parse(&bytes, place.offset)?;
        for (fragment, lane) in self.source.fragments_of(self.track, &moof)? {
            let mut decode_time = fragment.decode_time.unwrap_or(self.out.decode_time);
            let samples = fragment.runs.into_iter().flat_map(|run| run.samples(0)).map(|mut sample| {
                sample.decode_time = decode_time;
                decode_time = decode_time.saturating_add(sample.duration.into());
                Ok(sample)
            });
            self.samples(samples, lane)?;
        }
        Ok(())
    }

    fn samples(
        &mut self,
        samples: impl Iterator<Item = Result<Sample, Error>>,
        mut lane: Option<Lane<'_>>,
    ) -> Result<(), Error> {
        for sample in samples {
            let sample = sample?;
            let Sample { offset, size, .. } = sample;
            let (track, length) = (self.track, self.source.input.len());
            if sample.end() > length {
                return Err(Error::SampleOutsideFile { track, offset, size: size.into(), length });
            }
            let at = Location::within(fourcc::MDAT, offset);
            if size > MAX_SAMPLE {
                let (size, limit) = (size.into(), MAX_SAMPLE.into());
                return Err(Error::OverLimit { at, what: "sample size", size, limit });
            }
            let buffer = self.out.buffer(size);
            self.source.input.read_at(offset, buffer)?;
            if let Some(lane) = &mut lane {
                lane.decrypt(offset, buffer, &mut self.ciphers)?;
            }
            self.out.pass_on(&sample, length)?;
        }
        Ok(())
    }
}

/// Where samples go.
struct Out<'r> {
    put: &'r mut Put<'r>,
    progress: &'r mut dyn FnMut(u64, u64),
    buffer: Vec<u8>,
    /// Bytes of samples so far.
    bytes: u64,
    /// When the last sample so far ends.
    decode_time: u64,
}

impl Out<'_> {
    /// Room for a sample.
    fn buffer(&mut self, size: u32) -> &mut [u8] {
        self.buffer.resize(usize::try_from(size).expect("at most MAX_SAMPLE"), 0);
        &mut self.buffer
    }

    /// Gives the sample in the buffer away. Tables that tell of more bytes than the file has would never end.
    fn pass_on(&mut self, sample: &Sample, length: u64) -> Result<(), Error> {
        self.bytes += u64::from(sample.size).max(1);
        if self.bytes > length {
            let at = Location::within(fourcc::MDAT, sample.offset);
            return Err(Error::OverLimit { at, what: "bytes of samples", size: self.bytes, limit: length });
        }
        self.decode_time = sample.decode_time.saturating_add(sample.duration.into());
        (self.put)(sample, &self.buffer).map_err(|error| Error::write(&error))?;
        (self.progress)(sample.end(), length);
        Ok(())
    }
}

/// Samples are held in memory up to this: as long as what the packager takes.
const MAX_SAMPLE: u32 = 32 << 20;
