//! Two channels of any: one becomes both, more are mixed down as ITU-R BS.775 says, without its low-frequency channel.

use std::ops::Range;

use symphonia::core::audio::{Channels, Position};

use super::AudioError;

/// Sound in two channels, left and right, of the same length.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Stereo {
    pub(crate) left: Vec<f32>,
    pub(crate) right: Vec<f32>,
}

impl Stereo {
    /// Mixes channels that lie in the order of their positions.
    pub(crate) fn mix(planes: &[Vec<f32>], channels: &Channels) -> Result<Self, AudioError> {
        match planes {
            [one] => Ok(Self { left: one.clone(), right: one.clone() }),
            [left, right] => Ok(Self { left: left.clone(), right: right.clone() }),
            _ => mix_down(planes, channels),
        }
    }

    /// How many pairs of samples there are.
    pub(crate) fn frames(&self) -> usize {
        self.left.len()
    }

    /// Leaves these frames only.
    pub(crate) fn keep(&mut self, frames: Range<usize>) {
        for channel in [&mut self.left, &mut self.right] {
            channel.truncate(frames.end);
            channel.drain(..frames.start.min(channel.len()));
        }
    }
}

fn mix_down(planes: &[Vec<f32>], channels: &Channels) -> Result<Stereo, AudioError> {
    let unknown = || AudioError::Channels(planes.len());
    let Channels::Positioned(positions) = channels else { return Err(unknown()) };
    let gains: Vec<_> = positions.iter().map(gain).collect::<Option<_>>().ok_or_else(unknown)?;
    let frames = planes.first().map_or(0, Vec::len);
    // So that all channels at their loudest together do not go beyond the loudest.
    let most = |side: fn(&(f32, f32)) -> f32| gains.iter().map(side).sum::<f32>();
    let scale = 1.0 / most(|gain| gain.0).max(most(|gain| gain.1)).max(1.0);
    let mut mixed = Stereo { left: vec![0.0; frames], right: vec![0.0; frames] };
    for (plane, (left, right)) in planes.iter().zip(gains) {
        for (index, sample) in plane.iter().enumerate() {
            mixed.left[index] += left * scale * sample;
            mixed.right[index] += right * scale * sample;
        }
    }
    Ok(mixed)
}

/// What a channel gives to the left and to the right; none for positions that BS.775 does not have.
fn gain(position: Position) -> Option<(f32, f32)> {
    const HALF: f32 = std::f32::consts::FRAC_1_SQRT_2;
    match position {
        Position::FRONT_LEFT => Some((1.0, 0.0)),
        Position::FRONT_RIGHT => Some((0.0, 1.0)),
        Position::FRONT_CENTER => Some((HALF, HALF)),
        Position::SIDE_LEFT | Position::REAR_LEFT => Some((HALF, 0.0)),
        Position::SIDE_RIGHT | Position::REAR_RIGHT => Some((0.0, HALF)),
        Position::REAR_CENTER => Some((0.5, 0.5)),
        Position::LFE1 | Position::LFE2 => Some((0.0, 0.0)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_channel_becomes_both_as_it_is() {
        let mixed = Stereo::mix(&[vec![0.5, -1.0]], &Channels::Discrete(1)).unwrap();
        assert_eq!(mixed, Stereo { left: vec![0.5, -1.0], right: vec![0.5, -1.0] });
    }

    #[test]
    fn six_channels_at_their_loudest_stay_within_the_loudest() {
        let five_one = Position::FRONT_LEFT
            | Position::FRONT_RIGHT
            | Position::FRONT_CENTER
            | Position::LFE1
            | Position::SIDE_LEFT
            | Position::SIDE_RIGHT;
        let channels = Channels::Positioned(five_one);
        let loud = Stereo::mix(&vec![vec![1.0]; 6], &channels).unwrap();
        assert!((loud.left[0] - 1.0).abs() < 1e-6 && (loud.right[0] - 1.0).abs() < 1e-6, "{loud:?}");
        let one = |channel: usize| {
            let planes: Vec<Vec<f32>> = (0..6).map(|index| vec![if index == channel { 1.0 } else { 0.0 }]).collect();
            let mixed = Stereo::mix(&planes, &channels).unwrap();
            (mixed.left[0], mixed.right[0])
        };
        let (front, half) = (1.0 / (1.0 + std::f32::consts::SQRT_2), 0.5 - 0.5 / (1.0 + std::f32::consts::SQRT_2));
        let expected = [(front, 0.0), (0.0, front), (half, half), (0.0, 0.0), (half, 0.0), (0.0, half)];
        for (channel, expected) in expected.into_iter().enumerate() {
            let (left, right) = one(channel);
            assert!((left - expected.0).abs() < 1e-6 && (right - expected.1).abs() < 1e-6, "{channel}");
        }
    }

    #[test]
    fn channels_without_positions_are_not_mixed() {
        let refused = Stereo::mix(&vec![vec![0.0]; 3], &Channels::Discrete(3));
        assert!(matches!(refused, Err(AudioError::Channels(3))));
    }
}
