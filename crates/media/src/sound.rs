//! What a decoder has to know of a sound track: its codec and the configuration beside it (ISO/IEC 14496-1 section 7.2.6,
//! "FLAC in ISOBMFF", and the magic cookie of ALAC).

use std::io::{Read, Seek};

use crate::io::Input;
use crate::tree::Node;
use crate::{Cursor, Error, FourCc, Metadata, Movie, Track, fourcc};

/// A track with sound, and what the file says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sound {
    /// The track's number.
    pub track: u32,
    /// Units per second of its times.
    pub timescale: u32,
    /// How long it is in those units; 0 where the file does not say.
    pub duration: u64,
    /// Where the edit list lets the media begin, in those units: what an encoder put before is no part of it.
    pub media_start: u64,
    /// The codec.
    pub codec: SoundCodec,
    /// What the decoder is told once, before the samples.
    pub config: Vec<u8>,
    /// Whether there are pictures beside it.
    pub has_video: bool,
    /// Title, artist and so on.
    pub metadata: Metadata,
}

/// The codecs whose configuration is known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SoundCodec {
    /// AAC; the configuration is its `AudioSpecificConfig`.
    Aac,
    /// MPEG audio layer III, without a configuration.
    Mp3,
    /// FLAC; the configuration is its `STREAMINFO`.
    Flac,
    /// Apple Lossless; the configuration is its magic cookie.
    Alac,
    /// Another one.
    Other(FourCc),
}

/// The first track with sound; none where there is none. Boxes up to `moov` are looked at and no more.
pub fn sound<R: Read + Seek>(input: R) -> Result<Option<Sound>, Error> {
    let mut input = Input::new(input)?;
    let (offset, bytes) = input.read_moov()?;
    let moov = Node::parse(&bytes, offset)?;
    let movie = Movie::read(&moov)?;
    let mut tracks = moov.all(fourcc::TRAK).zip(&movie.tracks);
    let Some((trak, track)) = tracks.find(|(_, track)| track.handler == fourcc::SOUN) else { return Ok(None) };
    let stsd = trak.descend(&[fourcc::MDIA, fourcc::MINF, fourcc::STBL, fourcc::STSD])?;
    let [entry] = stsd.children() else {
        return Err(Error::UnsupportedLayout { at: stsd.at, what: "other than one sample description" });
    };
    let (codec, config) = describe(entry, track)?;
    let duration = if track.duration == 0 { in_track(&movie, track) } else { track.duration };
    let Track { id, timescale, media_start, .. } = *track;
    let has_video = movie.tracks.iter().any(|track| track.handler == fourcc::VIDE);
    let metadata = Metadata::read(&moov)?;
    Ok(Some(Sound { track: id, timescale, duration, media_start, codec, config, has_video, metadata }))
}

/// The movie's duration in a track's units.
fn in_track(movie: &Movie, track: &Track) -> u64 {
    let scaled = u128::from(movie.duration) * u128::from(track.timescale) / u128::from(movie.timescale);
    u64::try_from(scaled).unwrap_or(u64::MAX)
}

/// Codec and configuration of a sample description.
fn describe(entry: &Node<'_>, track: &Track) -> Result<(SoundCodec, Vec<u8>), Error> {
    let codec = track.entries.first().map_or(entry.kind, |entry| entry.codec());
    match codec {
        fourcc::MP4A => elementary_stream(entry),
        fourcc::FLAC => Ok((SoundCodec::Flac, stream_info(entry.need(fourcc::DFLA)?.fields())?)),
        fourcc::ALAC => Ok((SoundCodec::Alac, magic_cookie(entry.need(fourcc::ALAC)?.fields())?)),
        other => Ok((SoundCodec::Other(other), Vec::new())),
    }
}

/// What an `esds` box says: descriptors within descriptors.
fn elementary_stream(entry: &Node<'_>) -> Result<(SoundCodec, Vec<u8>), Error> {
    let mut cursor = entry.need(fourcc::ESDS)?.fields();
    cursor.version_up_to(0)?;
    let mut stream = descriptor(&mut cursor, ES_DESCRIPTOR)?;
    stream.u16()?;
    let flags = stream.u8()?;
    if flags & DEPENDS_ON_STREAM != 0 {
        stream.u16()?;
    }
    if flags & HAS_URL != 0 {
        let length = stream.u8()?;
        stream.bytes(length.into())?;
    }
    if flags & HAS_CLOCK != 0 {
        stream.u16()?;
    }
    let mut decoder = descriptor(&mut stream, DECODER_CONFIG)?;
    let object_type = decoder.u8()?;
    decoder.bytes(12)?;
    match object_type {
        AAC | AAC_LC_MPEG2 => Ok((SoundCodec::Aac, descriptor(&mut decoder, DECODER_SPECIFIC)?.rest().to_vec())),
        MP3 | MP3_MPEG2 => Ok((SoundCodec::Mp3, Vec::new())),
        _ => Ok((SoundCodec::Other(fourcc::MP4A), Vec::new())),
    }
}

/// The payload of the descriptor that comes next, which has to have this tag.
fn descriptor<'a>(cursor: &mut Cursor<'a>, tag: u8) -> Result<Cursor<'a>, Error> {
    let at = cursor.at();
    let found = cursor.u8()?;
    if found != tag {
        return Err(Error::BadValue { at, field: "tag of a descriptor", value: found.into() });
    }
    let mut length = 0;
    for _ in 0..4 {
        let byte = cursor.u8()?;
        length = length << 7 | usize::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            break;
        }
    }
    let at = cursor.at();
    Ok(Cursor::new(cursor.bytes(length)?, at))
}

/// `STREAMINFO`, the first block in a `dfLa` box.
fn stream_info(mut cursor: Cursor<'_>) -> Result<Vec<u8>, Error> {
    cursor.version_up_to(0)?;
    let at = cursor.at();
    let block = cursor.u32()?;
    if block & !LAST_BLOCK != STREAM_INFO_LENGTH {
        return Err(Error::BadValue { at, field: "first metadata block", value: block.into() });
    }
    Ok(cursor.array::<{ STREAM_INFO_LENGTH as usize }>()?.to_vec())
}

/// The cookie of an `alac` box: 24 bytes, and 24 more where there is a layout of channels.
fn magic_cookie(mut cursor: Cursor<'_>) -> Result<Vec<u8>, Error> {
    cursor.version_up_to(0)?;
    let (at, cookie) = (cursor.at(), cursor.rest());
    match cookie.len() {
        24 | 48 => Ok(cookie.to_vec()),
        length => Err(Error::BadValue { at, field: "length of the cookie", value: length as u64 }),
    }
}

/// Tags of descriptors.
const ES_DESCRIPTOR: u8 = 3;
const DECODER_CONFIG: u8 = 4;
const DECODER_SPECIFIC: u8 = 5;
/// Flags of an elementary stream's descriptor.
const DEPENDS_ON_STREAM: u8 = 0x80;
const HAS_URL: u8 = 0x40;
const HAS_CLOCK: u8 = 0x20;
/// Object types.
const AAC: u8 = 0x40;
const AAC_LC_MPEG2: u8 = 0x67;
const MP3_MPEG2: u8 = 0x69;
const MP3: u8 = 0x6b;
/// Metadata blocks of FLAC: the flag of the last one, and the length of the first, whose type is 0.
const LAST_BLOCK: u32 = 0x8000_0000;
const STREAM_INFO_LENGTH: u32 = 34;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Location;

    fn cursor(bytes: &[u8]) -> Cursor<'_> {
        Cursor::new(bytes, Location::top(0))
    }

    #[test]
    fn lengths_of_descriptors_may_take_four_bytes() {
        for bytes in [&[5, 2, 0x12, 0x10][..], &[5, 0x80, 0x80, 0x80, 2, 0x12, 0x10]] {
            assert_eq!(descriptor(&mut cursor(bytes), 5).unwrap().rest(), [0x12, 0x10]);
        }
    }

    #[test]
    fn a_descriptor_is_cut_or_another_one() {
        assert!(matches!(descriptor(&mut cursor(&[5, 3, 1, 2]), 5), Err(Error::Truncated { .. })));
        let field = "tag of a descriptor";
        let expected = Error::BadValue { at: Location::top(0), field, value: 4 };
        assert_eq!(descriptor(&mut cursor(&[4, 0]), 5).err(), Some(expected));
    }

    #[test]
    fn the_first_block_of_flac_is_its_stream_information() {
        let good = [&[0, 0, 0, 0, 0x80, 0, 0, 34][..], &[7; 34]].concat();
        assert_eq!(stream_info(cursor(&good)).unwrap(), [7; 34]);
        let other = [&[0, 0, 0, 0, 0x84, 0, 0, 34][..], &[7; 34]].concat();
        assert!(matches!(stream_info(cursor(&other)), Err(Error::BadValue { field: "first metadata block", .. })));
    }

    #[test]
    fn a_cookie_has_one_of_two_lengths() {
        assert_eq!(magic_cookie(cursor(&[0; 28])).unwrap().len(), 24);
        assert!(matches!(magic_cookie(cursor(&[0; 29])), Err(Error::BadValue { value: 25, .. })));
    }
}
