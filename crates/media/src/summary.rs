//! What is protected in a file and how: for `inspect`, and to find a license before anything is played.

use std::collections::HashSet;
use std::io::{Read, Seek};

use crate::io::Input;
use crate::protection::descriptions;
use crate::tree::Node;
use crate::{ADMIT_SYSTEM_ID, Cursor, Error, FourCc, KeyId, Location, Metadata, Movie, Pssh, Track, fourcc};

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

/// What the head of a file says about its protection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Protections {
    /// The protection system headers in `moov`.
    pub pssh: Vec<Pssh>,
    /// The keys that tracks use: of their sample descriptions (`tenc`) and of groups of their samples (`seig`), then
    /// those that headers list, Admit's before others. Each is here once, and 1024 of them at most: what headers list
    /// beyond that is left out. Groups within fragments are not looked at.
    pub key_ids: Vec<KeyId>,
}

/// What protects a file, from its head: boxes up to `moov` are looked at and no more.
pub fn protections<R: Read + Seek>(input: R) -> Result<Protections, Error> {
    let mut input = Input::new(input)?;
    let (offset, bytes) = input.read_moov()?;
    let moov = Node::parse(&bytes, offset)?;
    let mut key_ids = Vec::new();
    for (trak, track) in moov.all(fourcc::TRAK).zip(Movie::read(&moov)?.tracks) {
        let of_entries = track.entries.iter().filter_map(|entry| entry.protection?.tenc);
        let groups = descriptions(trak.descend(&[fourcc::MDIA, fourcc::MINF, fourcc::STBL])?)?;
        key_ids.extend(of_entries.chain(groups).filter(|tenc| tenc.protected).map(|tenc| tenc.key_id));
    }
    let mut seen = HashSet::new();
    key_ids.retain(|key_id| seen.insert(*key_id));
    if key_ids.len() > MAX_KEYS {
        let (at, size, limit) = (moov.at, key_ids.len() as u64, MAX_KEYS as u64);
        return Err(Error::OverLimit { at, what: "number of keys", size, limit });
    }
    let pssh = headers(&moov)?;
    let (own, others): (Vec<_>, Vec<_>) = pssh.iter().partition(|pssh| pssh.system_id == ADMIT_SYSTEM_ID);
    let listed = own.into_iter().chain(others).filter_map(|pssh| pssh.key_ids.as_ref()).flatten();
    key_ids.extend(listed.filter(|key_id| seen.insert(**key_id)));
    key_ids.truncate(MAX_KEYS);
    Ok(Protections { pssh, key_ids })
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

/// A license is looked for by each key that protects a file, of which there are a few.
const MAX_KEYS: usize = 1024;
