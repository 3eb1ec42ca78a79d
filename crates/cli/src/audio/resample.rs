//! From one rate to another, by rubato: in the frequency domain, chunk by chunk.

use rubato::audioadapter_buffers::direct::SequentialSliceOfVecs;
use rubato::{Fft, FixedSync, Indexing, Resampler as _, WindowFunction};

use super::{AudioError, Stereo};

/// Brings sound to another rate. What the filter adds before the beginning is cut off, and what it holds back comes at the end.
pub(crate) struct Resampler {
    inner: Fft<f32>,
    rates: (u64, u64),
    waiting: [Vec<f32>; 2],
    /// Frames that went in and came out.
    taken: u64,
    given: u64,
    /// Frames still to be cut off at the beginning.
    delay: usize,
}

impl Resampler {
    /// From one rate to the other.
    pub(crate) fn new(from: u32, to: u32) -> Result<Self, AudioError> {
        if !RATES.contains(&from) {
            return Err(AudioError::Rate(from));
        }
        let whole = |rate: u32| usize::try_from(rate).map_err(|_| AudioError::Rate(from));
        let window = WindowFunction::BlackmanHarris2;
        let made = Fft::new_custom(whole(from)?, whole(to)?, chunk(from, to), 1, 2, window, FixedSync::Input);
        let inner: Fft<f32> = made.map_err(|_| AudioError::Rate(from))?;
        let delay = inner.output_delay();
        Ok(Self { inner, rates: (from.into(), to.into()), waiting: Default::default(), taken: 0, given: 0, delay })
    }

    /// Takes sound, and gives what is ready.
    pub(crate) fn push(&mut self, sound: &Stereo) -> Stereo {
        self.waiting[0].extend_from_slice(&sound.left);
        self.waiting[1].extend_from_slice(&sound.right);
        self.taken += sound.frames() as u64;
        let mut ready = Stereo::default();
        while self.waiting[0].len() >= self.inner.input_frames_next() {
            let whole = self.inner.input_frames_next();
            self.chunk(whole, &mut ready);
        }
        ready
    }

    /// Gives what is left, so that all that was given lasts as long as all that was taken.
    pub(crate) fn finish(mut self) -> Stereo {
        let all = (self.taken * self.rates.1).div_ceil(self.rates.0);
        let mut rest = Stereo::default();
        while self.given < all {
            self.chunk(self.waiting[0].len(), &mut rest);
        }
        let too_much = usize::try_from(self.given - all).expect("less than a chunk");
        rest.keep(0..rest.frames().saturating_sub(too_much));
        rest
    }

    /// Resamples the first `frames` that wait, with silence behind them where a chunk needs more.
    fn chunk(&mut self, frames: usize, ready: &mut Stereo) {
        let length = self.inner.output_frames_next();
        let mut out = [vec![0.0; length], vec![0.0; length]];
        let input = SequentialSliceOfVecs::new(&self.waiting, 2, self.waiting[0].len()).expect("two of this length");
        let mut output = SequentialSliceOfVecs::new_mut(&mut out, 2, length).expect("two of this length");
        let indexing = Indexing::new().partial_len(frames);
        let done = self.inner.process_into_buffer(&input, &mut output, Some(&indexing));
        let (_, written) = done.expect("both buffers have the room that was asked for");
        let skip = self.delay.min(written);
        self.delay -= skip;
        self.given += (written - skip) as u64;
        ready.left.extend_from_slice(&out[0][skip..written]);
        ready.right.extend_from_slice(&out[1][skip..written]);
        for channel in &mut self.waiting {
            channel.drain(..frames);
        }
    }
}

/// How many frames go in at once: so many that both they and what comes of them are even numbers, for half of each is what the
/// filter delays, and half a frame could not be cut off.
fn chunk(from: u32, to: u32) -> usize {
    let unit = 2 * from / greatest_divisor(from, to);
    usize::try_from(unit * LEAST_CHUNK.div_ceil(unit)).expect("a second at most")
}

fn greatest_divisor(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { greatest_divisor(b, a % b) }
}

/// The least number of frames that go in at once: longer filters cut more sharply.
const LEAST_CHUNK: u32 = 1024;
/// Rates that sound has: another one would take tables of any size.
const RATES: [u32; 13] =
    [8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 64_000, 88_200, 96_000, 192_000];

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(rate: u32, frames: usize) -> Vec<f32> {
        let step = 2.0 * std::f64::consts::PI * 1000.0 / f64::from(rate);
        #[expect(clippy::cast_possible_truncation, reason = "half the precision is enough")]
        (0..frames).map(|index| (0.5 * (step * index as f64).sin()) as f32).collect()
    }

    #[test]
    fn a_tone_stays_where_it_is_at_another_rate() {
        for (from, to) in [(48_000, 44_100), (22_050, 44_100), (96_000, 44_100), (44_100, 48_000)] {
            let frames = usize::try_from(from).unwrap();
            let tone_in = tone(from, frames);
            let mut resampler = Resampler::new(from, to).unwrap();
            let mut all = Vec::new();
            for part in tone_in.chunks(1000) {
                all.extend(resampler.push(&Stereo { left: part.to_vec(), right: part.to_vec() }).left);
            }
            all.extend(resampler.finish().left);
            assert_eq!(all.len(), usize::try_from(to).unwrap());
            let expected = tone(to, all.len());
            let inside = 2000..all.len() - 2000;
            let error = inside.map(|index| (all[index] - expected[index]).abs()).fold(0.0, f32::max);
            assert!(error < 1e-4, "{from} to {to}: {error}");
        }
    }

    #[test]
    fn a_single_frame_lasts_as_long_as_before() {
        let mut resampler = Resampler::new(22_050, 44_100).unwrap();
        assert_eq!(resampler.push(&Stereo { left: vec![0.5], right: vec![0.5] }), Stereo::default());
        assert_eq!(resampler.finish().frames(), 2);
    }

    #[test]
    fn a_rate_that_no_sound_has_is_refused() {
        assert!(matches!(Resampler::new(44_101, 44_100), Err(AudioError::Rate(44_101))));
    }
}
