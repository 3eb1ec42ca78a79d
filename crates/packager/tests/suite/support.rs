//! What the tests of this folder share: clips, a fixed key, and packaging in memory.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use admit_crypto::{ContentKey, Entropy, rustcrypto};
use admit_media::{
    AuxInfo, Error as MediaError, KeyId, Metadata, Movie, Node, TopBox, WriteSink, fourcc, track_fragments,
};
use admit_packager::{Error, Protection, Report, package};

pub(crate) const KEY: [u8; 16] = [0x11; 16];
pub(crate) const KEY_ID: KeyId = KeyId::from_bytes([0x22; 16]);
pub(crate) const HEADER: &[u8] = b"the content header";

/// The clips with video, and the one without.
pub(crate) const CLIPS: [&str; 8] = [
    "high-progressive",
    "high-fragmented",
    "baseline-progressive",
    "baseline-fragmented",
    "interlaced-progressive",
    "inband-fragmented",
    "long-progressive",
    "audio-only",
];

pub(crate) struct Seeded(pub(crate) u8);

impl Entropy for Seeded {
    fn fill(&mut self, bytes: &mut [u8]) {
        bytes.fill(self.0);
    }
}

pub(crate) fn clip_path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors/media").join(name).with_extension("mp4")
}

pub(crate) fn clip(name: &str) -> Vec<u8> {
    std::fs::read(clip_path(name)).unwrap()
}

pub(crate) fn package_with(input: &[u8], metadata: Metadata) -> Result<(Vec<u8>, Report), Error> {
    let key = ContentKey::from_bytes(KEY);
    let protection = Protection { key_id: KEY_ID, key: &key, pssh_data: Some(HEADER), metadata };
    let mut output = Cursor::new(Vec::new());
    let (entropy, provider) = (&mut Seeded(0x5a), &rustcrypto::PROVIDER);
    let report = package(Cursor::new(input), &mut output, &protection, entropy, provider, &mut |_, _| ())?;
    Ok((output.into_inner(), report))
}

pub(crate) fn packaged(input: &[u8]) -> Vec<u8> {
    package_with(input, Metadata::default()).unwrap().0
}

pub(crate) fn decrypt_with(input: &[u8], key: [u8; 16]) -> Result<Vec<u8>, MediaError> {
    let key = ContentKey::from_bytes(key);
    let keys = &mut |_: &KeyId| Some((rustcrypto::PROVIDER.aes_128_ctr)(&key));
    let mut output = Vec::new();
    admit_media::decrypt(Cursor::new(input), &mut WriteSink::new(&mut output), keys, &mut |_, _| ())?;
    Ok(output)
}

pub(crate) fn top_boxes(file: &[u8]) -> Vec<TopBox> {
    let mut input = admit_media::Input::new(Cursor::new(file)).unwrap();
    let mut boxes = Vec::new();
    while let Some(found) = input.box_at(boxes.last().map_or(0, TopBox::end)).unwrap() {
        boxes.push(found);
    }
    boxes
}

/// One sample: its track, its bytes as they stand, and its subsamples.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) video: bool,
    pub(crate) bytes: Vec<u8>,
    pub(crate) subsamples: Vec<(u16, u32)>,
}

/// All samples of a file that has fragments.
pub(crate) fn samples(file: &[u8]) -> Vec<Seen> {
    let boxes = top_boxes(file);
    let tree = |found: &TopBox| {
        let offset = usize::try_from(found.offset).unwrap();
        Node::parse(&file[offset..], found.offset).unwrap()
    };
    let moov = boxes.iter().find(|found| found.kind == fourcc::MOOV).map(tree).unwrap();
    let movie = Movie::read(&moov).unwrap();
    let mut seen = Vec::new();
    for moof in boxes.iter().filter(|found| found.kind == fourcc::MOOF).map(tree) {
        let fragments = track_fragments(&moof, |track| movie.defaults(track)).unwrap();
        for (traf, fragment) in moof.all(fourcc::TRAF).zip(fragments) {
            let senc = traf.child(fourcc::SENC).and_then(Node::payload);
            let mut info = senc.and_then(|senc| AuxInfo::senc(senc).unwrap());
            let video = movie.track(fragment.track).unwrap().handler == fourcc::VIDE;
            for sample in fragment.runs.iter().flat_map(|run| run.samples(0)) {
                let range = usize::try_from(sample.offset).unwrap()..usize::try_from(sample.end()).unwrap();
                let entry = info.as_mut().map(|info| info.next_entry(8).unwrap().subsamples.to_vec());
                let subsamples = entry.unwrap_or_default().chunks_exact(6).map(subsample).collect();
                seen.push(Seen { video, bytes: file[range].to_vec(), subsamples });
            }
        }
    }
    seen
}

fn subsample(entry: &[u8]) -> (u16, u32) {
    (u16::from_be_bytes(entry[..2].try_into().unwrap()), u32::from_be_bytes(entry[2..].try_into().unwrap()))
}
