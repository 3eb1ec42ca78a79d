//! Sound in this process: decoded, mixed to two channels and brought to another rate, and what a compact disc is made of.

mod cue;
mod decoder;
mod error;
mod quantize;
mod red_book;
mod resample;
mod stereo;

pub(crate) use cue::{Sheet, TrackText};
pub(crate) use decoder::Decoder;
pub(crate) use error::AudioError;
pub(crate) use quantize::Quantizer;
pub(crate) use red_book::{Disc, LONGEST_SECTORS, MOST_TRACKS, RATE, gaps_of, sectors_of};
pub(crate) use resample::Resampler;
pub(crate) use stereo::Stereo;
