//! Samples of 16 bits. Where something is rounded, triangular noise of two steps goes in first, so that what rounding adds is
//! a steady hiss below hearing and not a distortion that follows the music. It is the same noise every time: the same tracks
//! give the same image.

/// Makes 16 bits of fractions.
#[derive(Debug, Clone)]
pub(crate) struct Quantizer {
    noise: Option<u64>,
}

impl Quantizer {
    /// `is_exact` says that the samples are whole numbers of 16 bits already, which nothing may change.
    pub(crate) const fn new(is_exact: bool) -> Self {
        Self { noise: if is_exact { None } else { Some(SEED) } }
    }

    /// One sample; what is louder than the loudest is cut.
    #[expect(clippy::cast_possible_truncation, reason = "a cast of a float to an integer saturates")]
    pub(crate) fn sample(&mut self, sample: f32) -> i16 {
        let noise = self.noise.as_mut().map_or(0.0, |state| fraction(state) - fraction(state));
        (f64::from(sample) * SCALE + noise).round() as i16
    }
}

/// The next number from 0 up to 1 (SplitMix64).
fn fraction(state: &mut u64) -> f64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    let high = u32::try_from((mixed ^ mixed >> 31) >> 32).expect("32 bits");
    f64::from(high) / (f64::from(u32::MAX) + 1.0)
}

const SCALE: f64 = 32768.0;
const SEED: u64 = 0x4144_4d49_5421_4344;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_stay_as_they_are() {
        let mut quantizer = Quantizer::new(true);
        for value in i16::MIN..=i16::MAX {
            assert_eq!(quantizer.sample(f32::from(value) / 32768.0), value);
        }
    }

    #[test]
    fn what_is_too_loud_is_cut_and_does_not_turn_over() {
        for quantizer in [Quantizer::new(true), Quantizer::new(false)] {
            assert_eq!(quantizer.clone().sample(1.5), i16::MAX);
            assert_eq!(quantizer.clone().sample(-1.5), i16::MIN);
        }
    }

    #[test]
    fn noise_keeps_what_is_smaller_than_a_step() {
        let mut quantizer = Quantizer::new(false);
        let sum: i32 = (0..100_000).map(|_| i32::from(quantizer.sample(0.25 / 32768.0))).sum();
        assert!((24_000..26_000).contains(&sum), "{sum}");
    }
}
