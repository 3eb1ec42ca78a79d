//! Which samples go into which fragment: decided in a first pass over the tables, so that the index, which stands
//! before the fragments, has its size.

use std::io::{Read, Seek};

use admit_media::{Input, Sample};

use crate::Error;
use crate::track::{Track, check_sample};

/// How many samples of each track each fragment has.
#[derive(Debug)]
pub(crate) struct Plan {
    tracks: usize,
    /// Fragment by fragment, track by track.
    counts: Vec<u32>,
    /// Bytes in all samples.
    pub(crate) bytes: u64,
}

impl Plan {
    /// Plans fragments that begin with sync samples of the leading track, at least two seconds apart, and hold no
    /// more than [`FRAGMENT_BYTES`], even if one must then begin elsewhere.
    pub(crate) fn make<R: Read + Seek>(
        mut tracks: Vec<Track<'_>>,
        leader: usize,
        input: &mut Input<R>,
    ) -> Result<Self, Error> {
        let mut plan = Self { tracks: tracks.len(), counts: Vec::new(), bytes: 0 };
        loop {
            let mut open = Open { counts: vec![0; tracks.len()], bytes: 0 };
            let until = open.fill_with_leader(&mut tracks[leader], leader, input)?;
            for index in (0..tracks.len()).filter(|&index| index != leader) {
                open.fill_until(&mut tracks[index], index, until, input)?;
            }
            if open.counts.iter().all(|&count| count == 0) {
                break;
            }
            plan.counts.extend(open.counts);
            plan.bytes = plan.bytes.saturating_add(open.bytes);
            // Checked as it grows: tables may promise far more than the file holds.
            let fragments = plan.fragments();
            if fragments > usize::from(u16::MAX) || plan.counts.len() > MAX_COUNTS {
                return Err(Error::TooManyFragments { fragments });
            }
            if plan.bytes > input.len() {
                return Err(Error::MoreSamplesThanFile { samples: plan.bytes, file: input.len() });
            }
        }
        Ok(plan)
    }

    pub(crate) fn fragments(&self) -> usize {
        self.counts.len() / self.tracks
    }

    /// The number of samples of each track in a fragment.
    pub(crate) fn counts(&self, fragment: usize) -> &[u32] {
        &self.counts[fragment * self.tracks..][..self.tracks]
    }
}

/// The fragment being planned.
struct Open {
    counts: Vec<u32>,
    bytes: u64,
}

/// The most fragments times tracks that a plan holds.
const MAX_COUNTS: usize = 1 << 20;

/// A time with its timescale; `None` is the end of time.
type Until = Option<(u64, u32)>;

impl Open {
    /// Takes samples of the leading track; gives the time at which they end, `None` if they all are taken.
    fn fill_with_leader<R: Read + Seek>(
        &mut self,
        track: &mut Track<'_>,
        index: usize,
        input: &mut Input<R>,
    ) -> Result<Until, Error> {
        let target = u64::from(track.timescale) * FRAGMENT_SECONDS;
        let mut start = None;
        while let Some(next) = track.peek(input)? {
            let begins = next.decode_time;
            let begun = *start.get_or_insert(begins);
            let long_enough = next.is_sync() && begins.saturating_sub(begun) >= target;
            if self.counts[index] > 0 && (long_enough || !self.has_room(next, LEADER_BYTES)) {
                return Ok(Some((begins, track.timescale)));
            }
            self.take(track, index, input)?;
        }
        Ok(None)
    }

    /// Takes samples of another track that are decoded before `until`.
    fn fill_until<R: Read + Seek>(
        &mut self,
        track: &mut Track<'_>,
        index: usize,
        until: Until,
        input: &mut Input<R>,
    ) -> Result<(), Error> {
        let timescale = u128::from(track.timescale);
        while let Some(next) = track.peek(input)? {
            let time = u128::from(next.decode_time);
            let later = until.is_some_and(|(end, scale)| time * u128::from(scale) >= u128::from(end) * timescale);
            let begun = self.counts.iter().any(|&count| count > 0);
            if later || begun && !self.has_room(next, FRAGMENT_BYTES) {
                break;
            }
            self.take(track, index, input)?;
        }
        Ok(())
    }

    fn has_room(&self, next: &Sample, limit: u64) -> bool {
        self.bytes + u64::from(next.size) <= limit && self.counts.iter().sum::<u32>() < FRAGMENT_SAMPLES
    }

    fn take<R: Read + Seek>(&mut self, track: &mut Track<'_>, index: usize, input: &mut Input<R>) -> Result<(), Error> {
        if let Some(sample) = track.take(input)? {
            check_sample(track.id, &sample, input.len())?;
            self.counts[index] += 1;
            self.bytes += u64::from(sample.size);
        }
        Ok(())
    }
}

/// Fragments last at least this long, if the bytes allow.
const FRAGMENT_SECONDS: u64 = 2;
/// Fragments hold at most so many bytes, but for single samples larger than that.
const FRAGMENT_BYTES: u64 = 6 << 20;
/// The leading track leaves room for the others.
const LEADER_BYTES: u64 = 5 << 20;
/// Fragments hold at most so many samples.
const FRAGMENT_SAMPLES: u32 = 1 << 14;
