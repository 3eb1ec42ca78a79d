//! The samples of one track in decoding order, from sample tables, fragments, or tables and then fragments.

use std::io::{Read, Seek};

use admit_media::{
    Defaults, Error as MediaError, Input, Movie, Node, Sample, SampleTable, Samples, fourcc, track_fragments,
};

use crate::Error;

/// Walks the samples of a track.
#[derive(Debug, Clone)]
pub(crate) struct TrackSamples<'a> {
    tables: Option<Samples<'a>>,
    fragments: Option<FragmentWalk>,
}

/// Goes from `moof` to `moof`; holds the samples of one of them.
#[derive(Debug, Clone)]
struct FragmentWalk {
    track: u32,
    defaults: Defaults,
    /// Where the box after the last `moof` begins.
    offset: u64,
    decode_time: u64,
    queue: Vec<Sample>,
    taken: usize,
    /// This track's share of [`MAX_SAMPLES`].
    limit: u64,
}

impl<'a> TrackSamples<'a> {
    pub(crate) fn new(stbl: &Node<'a>, track: u32, movie: &Movie) -> Result<Self, Error> {
        let fragments = movie.fragmented.then(|| FragmentWalk {
            track,
            defaults: movie.defaults(track),
            offset: 0,
            decode_time: 0,
            queue: Vec::new(),
            taken: 0,
            limit: MAX_SAMPLES / movie.tracks.len().max(1) as u64,
        });
        // Some writers leave the tables out where only fragments have samples.
        let empty = fragments.is_some() && stbl.child(fourcc::STSZ).is_none() && stbl.child(fourcc::STZ2).is_none();
        let tables = if empty { None } else { Some(SampleTable::read(stbl)?.samples()) };
        Ok(Self { tables, fragments })
    }

    pub(crate) fn next_sample<R: Read + Seek>(&mut self, input: &mut Input<R>) -> Result<Option<Sample>, Error> {
        if let Some(sample) = self.tables.as_mut().and_then(Iterator::next) {
            let sample = sample?;
            if let Some(fragments) = &mut self.fragments {
                fragments.decode_time = sample.decode_time.saturating_add(sample.duration.into());
            }
            return Ok(Some(sample));
        }
        match &mut self.fragments {
            Some(fragments) => fragments.next_sample(input),
            None => Ok(None),
        }
    }
}

impl FragmentWalk {
    fn next_sample<R: Read + Seek>(&mut self, input: &mut Input<R>) -> Result<Option<Sample>, Error> {
        while self.taken == self.queue.len() {
            if !self.next_fragment(input)? {
                return Ok(None);
            }
        }
        self.taken += 1;
        Ok(Some(self.queue[self.taken - 1]))
    }

    /// Loads this track's samples of the next `moof`; `false` at the end of the file.
    fn next_fragment<R: Read + Seek>(&mut self, input: &mut Input<R>) -> Result<bool, Error> {
        self.queue.clear();
        self.taken = 0;
        while let Some(found) = input.box_at(self.offset)? {
            self.offset = found.end();
            if found.kind == fourcc::MOOF {
                let bytes = input.read_box(&found)?;
                self.load(&Node::parse(&bytes, found.offset)?)?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn load(&mut self, moof: &Node<'_>) -> Result<(), Error> {
        for fragment in track_fragments(moof, |_| self.defaults)? {
            if fragment.track != self.track {
                continue;
            }
            self.decode_time = fragment.decode_time.unwrap_or(self.decode_time);
            for run in &fragment.runs {
                let size = self.queue.len() as u64 + u64::from(run.count);
                if size > self.limit {
                    let (at, limit) = (fragment.at, self.limit);
                    return Err(MediaError::OverLimit { at, what: "samples in a fragment", size, limit }.into());
                }
                self.queue.extend(run.samples(self.decode_time));
                self.decode_time = self
                    .queue
                    .last()
                    .map_or(self.decode_time, |last| last.decode_time.saturating_add(last.duration.into()));
            }
        }
        Ok(())
    }
}

/// The samples of one `moof` are held in memory up to this, all tracks together: three hours of audio, where it is one
/// of two tracks.
const MAX_SAMPLES: u64 = 1 << 20;
