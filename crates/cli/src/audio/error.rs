//! What can be wrong with sound.

use std::io;

use admit_media::SoundCodec;
use admit_protocol::Code;

/// Sound could not be decoded, or does not fit on a disc.
#[derive(Debug)]
pub(crate) enum AudioError {
    /// No decoder for this codec.
    Codec(SoundCodec),
    /// The decoder does not do this kind of its codec.
    Kind { codec: SoundCodec, reason: String },
    /// Channels that nobody has said how to mix to two.
    Channels(usize),
    /// The decoder refused a sample.
    Broken(String),
    /// The rate or the number of channels changed in the middle.
    Changed,
    /// A rate that cannot be brought to another.
    Rate(u32),
    /// More tracks than a disc has.
    TooManyTracks(usize),
    /// More sectors than a disc has.
    TooLong(u64),
    /// The output could not be written.
    Write(io::ErrorKind),
}

impl AudioError {
    /// The code that users see.
    pub(crate) const fn code(&self) -> Code {
        match self {
            Self::Codec(_) | Self::Kind { .. } | Self::Channels(_) | Self::Changed | Self::Rate(_) => {
                Code::ADMIT_E_MEDIA_UNSUPPORTED
            }
            Self::TooManyTracks(_) | Self::TooLong(_) => Code::ADMIT_E_MEDIA_UNSUPPORTED,
            Self::Broken(_) => Code::ADMIT_E_MEDIA_MALFORMED,
            Self::Write(_) => Code::ADMIT_E_FILE,
        }
    }

    /// Better advice than the code's own, where there is some.
    pub(crate) const fn action(&self) -> Option<&'static str> {
        match self {
            Self::TooManyTracks(_) | Self::TooLong(_) => Some("Leave some tracks out, and burn them to another image"),
            Self::Codec(_) | Self::Kind { .. } => Some("Take media with AAC-LC, MP3, FLAC or Apple Lossless sound"),
            _ => None,
        }
    }
}

impl std::fmt::Display for AudioError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Codec(codec) => write!(f, "there is no decoder for {}", name(*codec)),
            Self::Kind { codec, reason } => write!(f, "this kind of {} is not decoded: {reason}", name(*codec)),
            Self::Channels(count) => write!(f, "nobody has said how to mix these {count} channels to two"),
            Self::Broken(reason) => write!(f, "the sound is broken: {reason}"),
            Self::Changed => f.write_str("rate or channels of the sound change in the middle"),
            Self::Rate(rate) => write!(f, "sound of {rate} samples a second cannot be brought to another rate"),
            Self::TooManyTracks(tracks) => write!(f, "a disc has at most 99 tracks, and these are {tracks}"),
            Self::TooLong(sectors) => {
                let seconds = sectors.div_ceil(75);
                let (minutes, seconds) = (seconds / 60, seconds % 60);
                write!(f, "a disc has at most 79:57 minutes with the gaps, and these are {minutes}:{seconds:02}")
            }
            Self::Write(kind) => write!(f, "writing: {kind}"),
        }
    }
}

fn name(codec: SoundCodec) -> String {
    match codec {
        SoundCodec::Aac => "AAC".into(),
        SoundCodec::Mp3 => "MP3".into(),
        SoundCodec::Flac => "FLAC".into(),
        SoundCodec::Alac => "Apple Lossless".into(),
        SoundCodec::Other(code) => format!("the codec {code}"),
    }
}
