//! What is protected in a file and how: for `inspect`, and to find a license before anything is played.

use std::io::{Read, Seek};

use crate::io::Input;
use crate::tree::Node;
use crate::{Cursor, Error, FourCc, Location, Metadata, Movie, Pssh, SystemId, Track, fourcc};

/// What a file says about itself.
#[derive(Debug, Clone)]
pub struct Summary {
    /// Bytes in the file.
    pub length: u64,
    /// The major brand; `None` without `ftyp`.
    pub brand: Option<FourCc>,
    /// The compatible brands.
    pub compatible_brands: Vec<FourCc>,
    /// Units per second of [`Self::duration`].
    pub timescale: u32,
    /// Duration of the movie; 0 when the file does not say.
    pub duration: u64,
    /// Fragments (`moof` boxes).
    pub fragments: u64,
    /// Whether there is a segment index.
    pub indexed: bool,
    /// The tracks, with codec, scheme, key id and vector size of each sample description.
    pub tracks: Vec<Track>,
    /// The protection system headers in `moov`.
    pub pssh: Vec<Pssh>,
    /// Title, artist and so on.
    pub metadata: Metadata,
}

/// Reads a file's boxes, but no samples.
pub fn inspect<R: Read + Seek>(input: R) -> Result<Summary, Error> {
    let mut input = Input::new(input)?;
    let (mut ftyp, mut movie, mut fragments, mut indexed) = (None, None, 0, false);
    let mut offset = 0;
    while let Some(found) = input.box_at(offset)? {
        match found.kind {
            fourcc::FTYP if ftyp.is_none() => ftyp = Some((found, input.read_box(&found)?)),
            fourcc::MOOV if movie.is_none() => movie = Some((found, input.read_box(&found)?)),
            fourcc::MOOF => fragments += 1,
            fourcc::SIDX => indexed = true,
            _ => (),
        }
        offset = found.end();
    }
    let (place, bytes) = movie.ok_or(Error::Missing { at: Location::top(0), wanted: fourcc::MOOV })?;
    let moov = Node::parse(&bytes, place.offset)?;
    let Movie { timescale, duration, tracks, .. } = Movie::read(&moov)?;
    let (brand, compatible_brands) = ftyp.map_or((None, Vec::new()), |(found, bytes)| {
        let header = usize::try_from(found.header).expect("8 or 16");
        brands(&bytes[header..])
    });
    let metadata = Metadata::read(&moov)?;
    let (length, pssh) = (input.len(), headers(&moov)?);
    Ok(Summary { length, brand, compatible_brands, timescale, duration, fragments, indexed, tracks, pssh, metadata })
}

/// The header of one protection system, from the head of a file: boxes up to `moov` are looked at and no more.
pub fn find_pssh<R: Read + Seek>(input: R, system_id: SystemId) -> Result<Option<Pssh>, Error> {
    let mut input = Input::new(input)?;
    let missing = Error::Missing { at: Location::top(0), wanted: fourcc::MOOV };
    let place = input.find(fourcc::MOOV)?.ok_or(missing)?;
    let bytes = input.read_box(&place)?;
    let moov = Node::parse(&bytes, place.offset)?;
    Ok(headers(&moov)?.into_iter().find(|pssh| pssh.system_id == system_id))
}

fn headers(moov: &Node<'_>) -> Result<Vec<Pssh>, Error> {
    moov.all(fourcc::PSSH).map(|pssh| Pssh::parse(pssh.fields())).collect()
}

fn brands(payload: &[u8]) -> (Option<FourCc>, Vec<FourCc>) {
    let mut cursor = Cursor::new(payload, Location::default());
    let major = cursor.array().map(FourCc).ok();
    let compatible = cursor.rest().get(4..).unwrap_or_default();
    (major, compatible.chunks_exact(4).map(|brand| FourCc(brand.try_into().expect("4 bytes"))).collect())
}
