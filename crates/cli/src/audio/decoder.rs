//! From samples of a track to sound, by Symphonia. What an encoder put before and behind is cut off.

use admit_media::{Sample, Sound, SoundCodec};
use symphonia::core::codecs::audio::well_known::{CODEC_ID_AAC, CODEC_ID_ALAC, CODEC_ID_FLAC, CODEC_ID_MP3};
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::packet::PacketRef;
use symphonia::core::units::{Duration, Timestamp};

use super::{AudioError, Stereo};

/// Decodes one track.
pub(crate) struct Decoder {
    decoder: Box<dyn AudioDecoder>,
    timescale: u32,
    media_start: u64,
    /// Rate and number of channels of what came so far.
    kind: Option<(u32, usize)>,
    /// How many bits samples have, where they are whole numbers.
    bits: Option<u8>,
    planes: Vec<Vec<f32>>,
}

impl Decoder {
    /// The decoder for a track, if there is one.
    pub(crate) fn open(sound: &Sound) -> Result<Self, AudioError> {
        let codec = match sound.codec {
            SoundCodec::Aac => CODEC_ID_AAC,
            SoundCodec::Mp3 => CODEC_ID_MP3,
            SoundCodec::Flac => CODEC_ID_FLAC,
            SoundCodec::Alac => CODEC_ID_ALAC,
            other @ SoundCodec::Other(_) => return Err(AudioError::Codec(other)),
        };
        let mut parameters = AudioCodecParameters::new();
        parameters.for_codec(codec);
        if !sound.config.is_empty() {
            parameters.with_extra_data(sound.config.clone().into());
        }
        let made = symphonia::default::get_codecs().make_audio_decoder(&parameters, &AudioDecoderOptions::default());
        let refused =
            |error: symphonia::core::errors::Error| AudioError::Kind { codec: sound.codec, reason: error.to_string() };
        let decoder = made.map_err(refused)?;
        let (timescale, media_start) = (sound.timescale, sound.media_start);
        Ok(Self { decoder, timescale, media_start, kind: None, bits: bits(sound), planes: Vec::new() })
    }

    /// The sound of one sample, in two channels, and its rate; none where all of it comes before the beginning.
    pub(crate) fn decode(&mut self, sample: &Sample, bytes: &[u8]) -> Result<Option<(Stereo, u32)>, AudioError> {
        let packet = PacketRef::new(0, Timestamp::new(0), Duration::new(sample.duration.into()), bytes);
        let decoded = self.decoder.decode_ref(&packet).map_err(|error| AudioError::Broken(error.to_string()))?;
        let (rate, channels) = (decoded.spec().rate(), decoded.spec().channels().clone());
        if *self.kind.get_or_insert((rate, channels.count())) != (rate, channels.count()) {
            return Err(AudioError::Changed);
        }
        decoded.copy_to_vecs_planar(&mut self.planes);
        let mut stereo = Stereo::mix(&self.planes, &channels)?;
        let kept = kept(sample, self.media_start, self.timescale, rate, stereo.frames());
        stereo.keep(kept);
        Ok((stereo.frames() > 0).then_some((stereo, rate)))
    }

    /// Whether what it gives are whole numbers of 16 bits, in two channels or one, as a disc has them.
    pub(crate) fn is_exact(&self) -> bool {
        self.kind.is_some_and(|(_, channels)| channels <= 2) && self.bits.is_some_and(|bits| bits <= 16)
    }
}

/// How many bits the samples of a codec without losses have, as its configuration says.
fn bits(sound: &Sound) -> Option<u8> {
    match sound.codec {
        SoundCodec::Flac => {
            let (high, low) = (sound.config.get(12)?, sound.config.get(13)?);
            Some(((high & 1) << 4 | low >> 4) + 1)
        }
        SoundCodec::Alac => sound.config.get(5).copied(),
        SoundCodec::Aac | SoundCodec::Mp3 | SoundCodec::Other(_) => None,
    }
}

/// Which frames of a sample belong to the track: those from where the edit list lets it begin until the sample's end, which
/// comes before the last frame where an encoder had to fill its block up.
fn kept(sample: &Sample, media_start: u64, timescale: u32, rate: u32, frames: usize) -> std::ops::Range<usize> {
    let in_frames = |units: u64| {
        let scaled = u128::from(units) * u128::from(rate) / u128::from(timescale);
        usize::try_from(scaled).unwrap_or(usize::MAX).min(frames)
    };
    // Durations in other units are rounded, and say nothing of a frame more or less.
    let end = if timescale == rate && sample.duration > 0 { in_frames(sample.duration.into()) } else { frames };
    let start = in_frames(media_start.saturating_sub(sample.decode_time)).min(end);
    start..end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(decode_time: u64, duration: u32) -> Sample {
        Sample { decode_time, duration, ..Sample::default() }
    }

    #[test]
    fn what_an_encoder_put_before_and_behind_is_cut_off() {
        let kept = |sample| kept(&sample, 1500, 44_100, 44_100, 1024);
        assert_eq!(kept(at(0, 1024)), 1024..1024);
        assert_eq!(kept(at(1024, 1024)), 476..1024);
        assert_eq!(kept(at(2048, 1024)), 0..1024);
        assert_eq!(kept(at(3072, 100)), 0..100);
    }

    #[test]
    fn rounded_durations_cut_nothing_off() {
        assert_eq!(kept(&at(0, 23), 0, 1000, 44_100, 1024), 0..1024);
        assert_eq!(kept(&at(0, 23), 10, 1000, 44_100, 1024), 441..1024);
    }
}
