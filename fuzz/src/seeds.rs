//! Where targets begin: named files of `vectors`, and valid objects that the fixture realm makes. A target offers its
//! seeds when it starts; they are written where `ADMIT_FUZZ_SEEDS` says, and nowhere without it.

use std::io::Cursor;
use std::path::Path;
use std::{env, fs};

use admit_media::{FourCc, Input, Node, SampleTable, fourcc};
use admit_testkit::corpus;
use minicbor::data::Tag;
use minicbor::{Decoder, Encoder};

/// Writes the seeds to the folder that the environment names.
///
/// # Panics
///
/// When the folder cannot be written.
pub fn offer(seeds: impl FnOnce() -> Vec<Vec<u8>>) {
    let Some(folder) = env::var_os("ADMIT_FUZZ_SEEDS") else { return };
    fs::create_dir_all(&folder).expect("the seeds' folder can be made");
    for (number, seed) in seeds().iter().enumerate() {
        let file = Path::new(&folder).join(format!("seed-{number:03}"));
        fs::write(file, seed).expect("a seed can be written");
    }
}

/// The bytes of every vector of these formats, or of any.
pub fn vectors(folder: &str, formats: &[&str]) -> Vec<Vec<u8>> {
    let wanted = |format: &str| formats.is_empty() || formats.contains(&format);
    corpus::read(folder).into_iter().filter(|vector| wanted(&vector.format)).map(|vector| vector.bytes).collect()
}

/// What the signed objects among `objects` carry: what lies behind their signatures.
pub fn payloads(objects: &[Vec<u8>]) -> Vec<Vec<u8>> {
    objects.iter().filter_map(|object| payload(object)).collect()
}

/// The clips of `vectors/media`.
///
/// # Panics
///
/// When they cannot be read.
pub fn clips() -> Vec<Vec<u8>> {
    let entries = fs::read_dir(corpus::folder("media")).expect("the clips can be listed");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("the clips can be listed").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "mp4"));
    paths.sort();
    paths.iter().map(|path| fs::read(path).expect("a clip can be read")).collect()
}

/// What stands in boxes that are trees.
pub const TREES: &[FourCc] = &[fourcc::MOOV, fourcc::MOOF];

/// The boxes of these types at the top level of a clip.
///
/// # Panics
///
/// When the clip is not one.
pub fn boxes(clip: &[u8], kinds: &[FourCc]) -> Vec<Vec<u8>> {
    let mut input = Input::new(Cursor::new(clip)).expect("memory can be read");
    let (mut offset, mut boxes) = (0, Vec::new());
    while let Some(found) = input.box_at(offset).expect("a clip is made of boxes") {
        if kinds.contains(&found.kind) {
            boxes.push(input.read_box(&found).expect("a clip is short"));
        }
        offset = found.end();
    }
    boxes
}

/// For every clip with H.264 whose `avcC` is short: the length of the `avcC`, itself, and one of the first samples.
pub fn avc_samples() -> Vec<Vec<u8>> {
    clips().iter().filter_map(|clip| avc_of(clip)).flatten().collect()
}

fn avc_of(clip: &[u8]) -> Option<Vec<Vec<u8>>> {
    let moov = boxes(clip, &[fourcc::MOOV]).pop()?;
    let moov = Node::parse(&moov, 0).ok()?;
    let path = [fourcc::MDIA, fourcc::MINF, fourcc::STBL];
    let stbl = moov.all(fourcc::TRAK).filter_map(|trak| trak.descend(&path).ok());
    let (stbl, avcc) = stbl.filter_map(|stbl| Some((stbl, avcc_of(stbl)?))).next()?;
    let samples = SampleTable::read(stbl).ok()?.samples().take(3).flatten().filter_map(|sample| {
        let (start, end) = (usize::try_from(sample.offset).ok()?, usize::try_from(sample.end()).ok()?);
        Some([&[u8::try_from(avcc.len()).ok()?][..], &avcc, clip.get(start..end.min(start + 2048))?].concat())
    });
    Some(samples.collect())
}

fn avcc_of(stbl: &Node<'_>) -> Option<Vec<u8>> {
    let entry = stbl.child(fourcc::STSD)?.children().first()?;
    Some(entry.child(fourcc::AVCC)?.fields().rest().to_vec())
}

/// The answers in `vectors/roughtime`, whose files have several parts.
///
/// # Panics
///
/// When they cannot be read.
pub fn roughtime_answers() -> Vec<Vec<u8>> {
    let entries = fs::read_dir(corpus::folder("roughtime")).expect("the answers can be listed");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("the answers can be listed").path()).collect();
    paths.sort();
    let texts = paths.iter().map(|path| fs::read_to_string(path).expect("an answer can be read"));
    texts.filter_map(|text| from_hex(text.lines().find_map(|line| line.strip_prefix("response: "))?)).collect()
}

fn from_hex(digits: &str) -> Option<Vec<u8>> {
    let bytes = digits.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).ok());
    bytes.map(|pair| u8::from_str_radix(pair?, 16).ok()).collect()
}

/// A COSE_Sign1 around a payload with a signature that holds under no key: for readers that look at no signature.
pub fn envelope_around(payload: &[u8], content_type: &str) -> Option<Vec<u8>> {
    let mut protected = Encoder::new(Vec::new());
    protected.map(2).ok()?.u8(1).ok()?.i8(-7).ok()?.u8(3).ok()?.str(content_type).ok()?;
    let mut encoder = Encoder::new(Vec::new());
    encoder.tag(Tag::new(18)).ok()?.array(4).ok()?.bytes(protected.writer()).ok()?.map(0).ok()?;
    encoder.bytes(payload).ok()?.bytes(&[1; 64]).ok()?;
    Some(encoder.into_writer())
}

/// The payload of a COSE_Sign1.
fn payload(object: &[u8]) -> Option<Vec<u8>> {
    let mut decoder = Decoder::new(object);
    decoder.tag().ok()?;
    decoder.array().ok()?;
    decoder.bytes().ok()?;
    decoder.skip().ok()?;
    decoder.bytes().ok().map(<[u8]>::to_vec)
}
