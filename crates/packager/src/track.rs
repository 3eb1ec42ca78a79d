//! What is done with the samples of a track.

use std::io::{Read, Seek};

use admit_media::{AvcSubsamples, Error as MediaError, FourCc, Input, Location, Movie, Node, Sample, fourcc};

use crate::Error;
use crate::samples::TrackSamples;

/// A track to be packaged.
#[derive(Debug, Clone)]
pub(crate) struct Track<'a> {
    pub(crate) id: u32,
    pub(crate) timescale: u32,
    pub(crate) media_start: u64,
    pub(crate) content: Content,
    samples: TrackSamples<'a>,
    next: Option<Sample>,
}

/// How samples are protected.
#[derive(Debug, Clone)]
pub(crate) enum Content {
    /// H.264: NAL units in subsamples.
    Avc(AvcSubsamples),
    /// Audio: whole samples.
    Whole,
    /// Text, time codes and the like, which stay clear.
    Clear,
}

impl<'a> Track<'a> {
    /// The next sample, which stays the next.
    pub(crate) fn peek<R: Read + Seek>(&mut self, input: &mut Input<R>) -> Result<Option<&Sample>, Error> {
        if self.next.is_none() {
            self.next = self.samples.next_sample(input)?;
        }
        Ok(self.next.as_ref())
    }

    /// Takes the next sample.
    pub(crate) fn take<R: Read + Seek>(&mut self, input: &mut Input<R>) -> Result<Option<Sample>, Error> {
        self.peek(input)?;
        Ok(self.next.take())
    }

    fn read(trak: &Node<'a>, index: usize, movie: &Movie) -> Result<Self, Error> {
        let track = &movie.tracks[index];
        let stbl = trak.descend(&[fourcc::MDIA, fourcc::MINF, fourcc::STBL])?;
        let stsd = stbl.need(fourcc::STSD)?;
        let [entry] = stsd.children() else {
            return Err(MediaError::UnsupportedLayout { at: stsd.at, what: "other than one sample description" }.into());
        };
        if track.entries.iter().any(|entry| entry.protection.is_some()) {
            return Err(MediaError::AlreadyProtected { track: track.id }.into());
        }
        let content = match (track.handler, entry.kind) {
            (fourcc::VIDE, fourcc::AVC1 | fourcc::AVC3) => {
                Content::Avc(AvcSubsamples::new(entry.need(fourcc::AVCC)?.fields())?)
            }
            (fourcc::SOUN, fourcc::ALAC | fourcc::FLAC | fourcc::MP4A | fourcc::OPUS) => Content::Whole,
            (fourcc::VIDE | fourcc::SOUN, codec) => {
                return Err(MediaError::UnsupportedCodec { track: track.id, codec }.into());
            }
            _ => Content::Clear,
        };
        let samples = TrackSamples::new(stbl, track.id, movie)?;
        let (id, timescale, media_start) = (track.id, track.timescale, track.media_start);
        Ok(Self { id, timescale, media_start, content, samples, next: None })
    }
}

/// The tracks of a movie, and which of them the others follow: the first with video, else the first with audio.
pub(crate) fn read_tracks<'a>(moov: &Node<'a>, movie: &Movie) -> Result<(Vec<Track<'a>>, usize), Error> {
    let traks = moov.all(fourcc::TRAK).enumerate();
    let tracks = traks.map(|(index, trak)| Track::read(trak, index, movie)).collect::<Result<Vec<_>, _>>()?;
    let video = tracks.iter().position(|track| matches!(track.content, Content::Avc(_)));
    let leader = video.or_else(|| tracks.iter().position(|track| matches!(track.content, Content::Whole)));
    Ok((tracks, leader.ok_or(Error::NothingToProtect)?))
}

/// An error unless the file has the bytes of a sample, memory is to be had for them, and the one description of the track is
/// theirs.
pub(crate) fn check_sample(track: u32, sample: &Sample, file_length: u64) -> Result<(), Error> {
    let (offset, size) = (sample.offset, u64::from(sample.size));
    if sample.end() > file_length {
        return Err(MediaError::SampleOutsideFile { track, offset, size, length: file_length }.into());
    }
    if sample.description != 1 {
        let (at, value) = (Location::within(MDAT, offset), sample.description.into());
        return Err(MediaError::BadValue { at, field: "sample description", value }.into());
    }
    if size > MAX_SAMPLE {
        let at = Location::within(MDAT, offset);
        return Err(MediaError::OverLimit { at, what: "sample size", size, limit: MAX_SAMPLE }.into());
    }
    Ok(())
}

/// Samples are held in memory up to this.
const MAX_SAMPLE: u64 = 32 << 20;
const MDAT: FourCc = fourcc::MDAT;
