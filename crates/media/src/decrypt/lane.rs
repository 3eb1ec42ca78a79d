//! The protected samples of one track in the order of the file, applied to the blocks that pass by.

use admit_crypto::CounterMode;

use super::Keys;
use crate::cipher::crypt_part;
use crate::protection::{AuxInfo, Groups};
use crate::{Error, KeyId, Location, Sample, Tenc, Track, fourcc};

/// The ciphers of the keys asked for so far.
pub(super) struct Ciphers<'k> {
    keys: &'k mut Keys<'k>,
    loaded: Vec<(KeyId, Box<dyn CounterMode>)>,
    /// Samples decrypted.
    pub(super) samples: u64,
    /// Bytes of the samples of all lanes since the file was begun, at least one for each. They are no more than it has, for a
    /// million fragments could tell of thousands of samples that cost the file nothing.
    passed: u64,
}

impl<'k> Ciphers<'k> {
    pub(super) fn new(keys: &'k mut Keys<'_>) -> Self
    where
        Self: 'k,
    {
        Self { keys, loaded: Vec::new(), samples: 0, passed: 0 }
    }

    pub(super) fn key_ids(&self) -> Vec<KeyId> {
        self.loaded.iter().map(|(key_id, _)| *key_id).collect()
    }

    /// Says that what was passed already is passed again.
    pub(super) fn begin_again(&mut self) {
        self.passed = 0;
    }

    /// The number of a key's cipher, asking for the key the first time.
    pub(super) fn index(&mut self, key_id: KeyId) -> Result<usize, Error> {
        if let Some(index) = self.loaded.iter().position(|(loaded, _)| *loaded == key_id) {
            return Ok(index);
        }
        let cipher = (self.keys)(&key_id).ok_or(Error::NoKey { key_id })?;
        self.loaded.push((key_id, cipher));
        Ok(self.loaded.len() - 1)
    }
}

/// One track's samples.
pub(super) struct Lane<'a> {
    track: &'a Track,
    samples: Box<dyn Iterator<Item = Result<Sample, Error>> + 'a>,
    info: Option<AuxInfo<'a>>,
    groups: Groups<'a>,
    input_length: u64,
    at: Location,
    current: Current,
    subsamples: Vec<u8>,
}

/// The sample that is being decrypted.
enum Current {
    NotBegun,
    Sample { sample: Sample, done: u64, counter: u128, cipher: usize },
    Finished,
}

impl<'a> Lane<'a> {
    pub(super) fn new(
        track: &'a Track,
        samples: Box<dyn Iterator<Item = Result<Sample, Error>> + 'a>,
        info: Option<AuxInfo<'a>>,
        groups: Groups<'a>,
        input_length: u64,
        at: Location,
    ) -> Self {
        let (current, subsamples) = (Current::NotBegun, Vec::new());
        Self { track, samples, info, groups, input_length, at, current, subsamples }
    }

    /// Decrypts what this lane has in the block that begins at `start`.
    pub(super) fn decrypt(&mut self, start: u64, block: &mut [u8], ciphers: &mut Ciphers<'_>) -> Result<(), Error> {
        let end = start + block.len() as u64;
        if matches!(self.current, Current::NotBegun) {
            self.advance(ciphers)?;
        }
        while let Current::Sample { sample, done, counter, cipher } = &mut self.current {
            if *done >= end {
                break;
            }
            if *done < start {
                let at = Location { path: self.at.path, offset: sample.offset };
                return Err(Error::UnsupportedLayout { at, what: "a sample out of the order of the file" });
            }
            let stop = sample.end().min(end);
            let part = &mut block[within(*done - start)..within(stop - start)];
            let ranges = (!self.subsamples.is_empty()).then(|| self.subsamples.chunks_exact(6).map(range));
            crypt_part(&*ciphers.loaded[*cipher].1, *counter, ranges, *done - sample.offset, part);
            *done = stop;
            if stop == sample.end() {
                self.advance(ciphers)?;
            }
        }
        Ok(())
    }

    /// As [`Self::decrypt`], for whoever seeks: what lies before the block is left out.
    pub(super) fn open(&mut self, start: u64, block: &mut [u8], ciphers: &mut Ciphers<'_>) -> Result<(), Error> {
        self.skip_to(start, ciphers)?;
        self.decrypt(start, block, ciphers)
    }

    /// Goes on to what lies at `start` or behind it.
    fn skip_to(&mut self, start: u64, ciphers: &mut Ciphers<'_>) -> Result<(), Error> {
        if matches!(self.current, Current::NotBegun) {
            self.advance(ciphers)?;
        }
        while let Current::Sample { sample, done, .. } = &mut self.current {
            if sample.end() > start {
                *done = start.max(*done);
                break;
            }
            self.advance(ciphers)?;
        }
        Ok(())
    }

    /// An error unless all samples have passed.
    pub(super) fn finished(&self, at: Location) -> Result<(), Error> {
        match self.current {
            Current::Sample { .. } => Err(Error::UnsupportedLayout { at, what: "sample data outside its fragment" }),
            _ => Ok(()),
        }
    }

    /// Goes to the next sample that is protected.
    fn advance(&mut self, ciphers: &mut Ciphers<'_>) -> Result<(), Error> {
        self.current = Current::Finished;
        while let Some(sample) = self.samples.next() {
            let sample = sample?;
            ciphers.passed = ciphers.passed.saturating_add(u64::from(sample.size).max(1));
            if ciphers.passed > self.input_length {
                let (size, limit) = (ciphers.passed, self.input_length);
                return Err(Error::OverLimit { at: self.at, what: "bytes of samples", size, limit });
            }
            if sample.end() > self.input_length {
                let Sample { offset, size, .. } = sample;
                let (track, length) = (self.track.id, self.input_length);
                return Err(Error::SampleOutsideFile { track, offset, size: size.into(), length });
            }
            if let Some(current) = self.begin(sample, ciphers)? {
                ciphers.samples += 1;
                self.current = current;
                break;
            }
        }
        Ok(())
    }

    fn begin(&mut self, sample: Sample, ciphers: &mut Ciphers<'_>) -> Result<Option<Current>, Error> {
        let tenc = self.protection(&sample)?;
        let iv_size = tenc.map_or(0, |tenc| tenc.iv_size);
        let entry = match (&mut self.info, tenc) {
            (Some(info), Some(_)) => Some(info.next_entry(iv_size)?),
            _ => None,
        };
        let Some(tenc) = tenc.filter(|tenc| tenc.protected && sample.size > 0) else { return Ok(None) };
        self.subsamples.clear();
        self.subsamples.extend_from_slice(entry.map_or(&[], |entry| entry.subsamples));
        check_subsamples(&sample, &self.subsamples)?;
        let counter = entry.and_then(|entry| entry.counter).or(tenc.constant_iv);
        let counter = counter.ok_or(Error::Missing { at: self.at, wanted: fourcc::SENC })?;
        let cipher = ciphers.index(tenc.key_id)?;
        Ok(Some(Current::Sample { sample, done: sample.offset, counter, cipher }))
    }

    /// What protects a sample: its group's entry or its description's; `None` if its description is a clear one.
    fn protection(&mut self, sample: &Sample) -> Result<Option<Tenc>, Error> {
        if let Some(tenc) = self.groups.next_sample() {
            return Ok(Some(*tenc));
        }
        let (at, field, value) = (self.at, "sample description", sample.description.into());
        let entry = self.track.entry(sample.description).ok_or(Error::BadValue { at, field, value })?;
        Ok(entry.protection.and_then(|protection| protection.tenc))
    }
}

fn check_subsamples(sample: &Sample, subsamples: &[u8]) -> Result<(), Error> {
    let (size, offset) = (u64::from(sample.size), sample.offset);
    let covered: u64 =
        subsamples.chunks_exact(6).map(range).map(|(clear, protected)| u64::from(clear) + u64::from(protected)).sum();
    if covered > size { Err(Error::BadSubsamples { offset, covered, size }) } else { Ok(()) }
}

fn range(entry: &[u8]) -> (u16, u32) {
    let protected = u32::from_be_bytes([entry[2], entry[3], entry[4], entry[5]]);
    (u16::from_be_bytes([entry[0], entry[1]]), protected)
}

fn within(offset: u64) -> usize {
    usize::try_from(offset).expect("inside a block")
}
