//! H.264 and AAC in, one self-contained protected MP4 out (the layout is in `docs/formats/protected-file.md`).

use std::io::{Read, Seek, SeekFrom, Write};

use admit_crypto::{ContentKey, Entropy, Provider};
use admit_media::{
    Error as MediaError, Input, KeyId, Location, Metadata, Movie, Node, Sample, Sink, SubsampleMap, TopBox, fourcc,
    sidx,
};

use crate::Error;
use crate::fragment::{Encryptor, Part, build_head, to_u32};
use crate::head;
use crate::plan::Plan;
use crate::sink::{ThreadedSink, with_threaded_sink};
use crate::track::{Content, Track, read_tracks};

/// What protects the output and what it says in clear.
#[derive(Debug)]
pub struct Protection<'p> {
    /// Names the key.
    pub key_id: KeyId,
    /// Encrypts all tracks.
    pub key: &'p ContentKey,
    /// The data of our `pssh`: the content header. Without it, the file has no such box, and says only its key id.
    pub pssh_data: Option<&'p [u8]>,
    /// Replaces what the input says of itself, field by field.
    pub metadata: Metadata,
}

/// What was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Bytes in the input.
    pub input_bytes: u64,
    /// Bytes in the output.
    pub output_bytes: u64,
    /// Fragments.
    pub fragments: usize,
    /// Samples that were encrypted.
    pub encrypted_samples: u64,
    /// Tracks that were encrypted.
    pub encrypted_tracks: usize,
}

/// Packages `input` into `output`, which is written from its beginning. `progress` is told bytes of samples done and
/// in all.
pub fn package<R: Read + Seek, W: Write + Seek + Send>(
    input: R,
    output: &mut W,
    protection: &Protection<'_>,
    entropy: &mut dyn Entropy,
    provider: &Provider,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Report, Error> {
    let mut input = Input::new(input)?;
    let boxes = TopBoxes::read(&mut input)?;
    let bytes = input.read_box(&boxes.moov)?;
    let moov = Node::parse(&bytes, boxes.moov.offset)?;
    let movie = Movie::read(&moov)?;
    let (tracks, leader) = read_tracks(&moov, &movie)?;
    let plan = Plan::make(tracks.clone(), leader, &mut input)?;
    // Without a fragment the output would be a file that was cut, as far as its reader can tell.
    if plan.fragments() == 0 {
        return Err(Error::NothingToProtect);
    }
    let mut head = head::file_type(boxes.file_type.as_deref());
    head.extend(head::movie(&moov, &movie, &tracks, protection)?);
    let kept: u64 = boxes.kept.iter().map(|kept| kept.size).sum();
    let index_offset = head.len() as u64 + kept;
    let encryptor = Encryptor::new(protection.key, entropy, provider);
    let mut packaging = Packaging::new(input, tracks, leader, encryptor, plan, progress);
    let written = with_threaded_sink(output, BUFFERS, |sink| packaging.run(head, &boxes.kept, sink))?;
    output.seek(SeekFrom::Start(index_offset))?;
    output.write_all(&packaging.index())?;
    output.seek(SeekFrom::End(0))?;
    output.flush()?;
    Ok(packaging.report(written))
}

/// The boxes at the top level of the input.
struct TopBoxes {
    file_type: Option<Vec<u8>>,
    moov: TopBox,
    /// What is neither media nor about where media lies: goes into the output as it is.
    kept: Vec<TopBox>,
}

impl TopBoxes {
    fn read<R: Read + Seek>(input: &mut Input<R>) -> Result<Self, Error> {
        let (mut file_type, mut moov, mut kept) = (None, None, Vec::new());
        let mut offset = 0;
        while let Some(found) = input.box_at(offset)? {
            match found.kind {
                fourcc::FTYP if file_type.is_none() => {
                    let header = usize::try_from(found.header).expect("8 or 16");
                    file_type = Some(input.read_box(&found)?.split_off(header));
                }
                fourcc::MOOV if moov.is_none() => moov = Some(found),
                kind if NOT_KEPT.contains(&kind) => (),
                _ => kept.push(found),
            }
            offset = found.end();
        }
        if kept.len() > MAX_KEPT {
            let (at, size, limit) = (kept[MAX_KEPT].at(), kept.len() as u64, MAX_KEPT as u64);
            return Err(MediaError::OverLimit { at, what: "boxes at the top level", size, limit }.into());
        }
        let moov = moov.ok_or(MediaError::Missing { at: Location::top(0), wanted: fourcc::MOOV })?;
        Ok(Self { file_type, moov, kept })
    }
}

impl Encryptor {
    fn new(key: &ContentKey, entropy: &mut dyn Entropy, provider: &Provider) -> Self {
        let mut iv = [0; 8];
        entropy.fill(&mut iv);
        let map = SubsampleMap::default();
        Self { cipher: (provider.aes_128_ctr)(key), next_iv: u64::from_be_bytes(iv), samples: 0, map }
    }
}

/// The second pass: reads, encrypts and puts fragment after fragment.
struct Packaging<'a, 'p, R> {
    input: Input<R>,
    tracks: Vec<Track<'a>>,
    parts: Vec<Part>,
    leader: usize,
    encryptor: Encryptor,
    plan: Plan,
    progress: &'p mut dyn FnMut(u64, u64),
    done: u64,
    references: Vec<sidx::Reference>,
    /// When the leading track is first shown.
    earliest: u64,
}

impl<'a, 'p, R: Read + Seek> Packaging<'a, 'p, R> {
    fn new(
        input: Input<R>,
        tracks: Vec<Track<'a>>,
        leader: usize,
        encryptor: Encryptor,
        plan: Plan,
        progress: &'p mut dyn FnMut(u64, u64),
    ) -> Self {
        let parts = tracks.iter().map(|_| Part::default()).collect();
        let references = Vec::with_capacity(plan.fragments());
        Self { input, tracks, parts, leader, encryptor, plan, progress, done: 0, references, earliest: 0 }
    }

    /// Puts everything, with zeros where the index will be; gives the bytes put.
    fn run(&mut self, head: Vec<u8>, kept: &[TopBox], sink: &mut ThreadedSink) -> Result<u64, Error> {
        let mut written = put_all(head, sink)?;
        for kept in kept {
            written += self.copy(kept, sink)?;
        }
        written += put_all(vec![0; sidx::size(self.plan.fragments())], sink)?;
        for fragment in 0..self.plan.fragments() {
            written += self.fragment(fragment, sink)?;
        }
        Ok(written)
    }

    fn copy(&mut self, kept: &TopBox, sink: &mut ThreadedSink) -> Result<u64, Error> {
        let mut offset = kept.offset;
        while offset < kept.end() {
            let mut buffer = sink.buffer();
            let used = usize::try_from(kept.end() - offset).map_or(buffer.len(), |left| left.min(buffer.len()));
            self.input.read_at(offset, &mut buffer[..used])?;
            if offset == kept.offset {
                put_size_to_the_end(kept, &mut buffer[..used])?;
            }
            sink.put(buffer, used)?;
            offset += used as u64;
        }
        Ok(kept.size)
    }

    fn fragment(&mut self, number: usize, sink: &mut ThreadedSink) -> Result<u64, Error> {
        for (index, part) in self.parts.iter_mut().enumerate() {
            part.gather(&mut self.tracks[index], self.plan.counts(number)[index], &mut self.input)?;
        }
        let data_size = self.parts.iter().map(Part::bytes).sum();
        let mut buffer = sink.buffer();
        if buffer.len() < data_size {
            buffer.resize(data_size, 0);
        }
        let mut position = 0;
        for (track, part) in self.tracks.iter_mut().zip(&mut self.parts) {
            part.fill(&mut track.content, &mut self.encryptor, &mut self.input, position, &mut buffer)?;
            position += part.bytes();
        }
        let head = build_head(to_u32(number + 1), &self.tracks, &self.parts, data_size);
        let size = head.len() + data_size;
        self.note(size);
        put_all(head, sink)?;
        sink.put(buffer, data_size)?;
        self.done += data_size as u64;
        (self.progress)(self.done, self.plan.bytes);
        Ok(size as u64)
    }

    /// Notes a fragment for the index.
    fn note(&mut self, size: usize) {
        let samples = &self.parts[self.leader].samples;
        if self.references.is_empty() {
            self.earliest = earliest(samples, self.tracks[self.leader].media_start);
        }
        let duration: u64 = samples.iter().map(|sample| u64::from(sample.duration)).sum();
        self.references.push(sidx::Reference {
            size: to_u32(size),
            duration: u32::try_from(duration).unwrap_or(u32::MAX),
            starts_with_sync: samples.first().is_some_and(Sample::is_sync),
        });
    }

    fn index(&self) -> Vec<u8> {
        let leader = &self.tracks[self.leader];
        let mut out = Vec::new();
        sidx::write(leader.id, leader.timescale, self.earliest, &self.references, &mut out);
        out
    }

    fn report(&self, output_bytes: u64) -> Report {
        let encrypted = self.tracks.iter().filter(|track| !matches!(track.content, Content::Clear));
        Report {
            input_bytes: self.input.len(),
            output_bytes,
            fragments: self.references.len(),
            encrypted_samples: self.encryptor.samples,
            encrypted_tracks: encrypted.count(),
        }
    }
}

/// When the first of the samples is shown, after the edit list.
fn earliest(samples: &[Sample], media_start: u64) -> u64 {
    let shown = samples.iter().map(|sample| sample.decode_time.saturating_add_signed(sample.composition_offset.into()));
    shown.min().unwrap_or(0).saturating_sub(media_start)
}

/// Writes out the size of a box that went to the end of the input: in the output, much follows it.
fn put_size_to_the_end(kept: &TopBox, header: &mut [u8]) -> Result<(), Error> {
    if let Some(size) = header.first_chunk_mut::<4>().filter(|size| **size == [0; 4]) {
        let what = "a box of 4 GiB or more without a size";
        let written = u32::try_from(kept.size).map_err(|_| MediaError::UnsupportedLayout { at: kept.at(), what })?;
        *size = written.to_be_bytes();
    }
    Ok(())
}

fn put_all(bytes: Vec<u8>, sink: &mut ThreadedSink) -> Result<u64, Error> {
    let size = bytes.len();
    // Only the writer's own buffers go round, so this one must not look like one.
    if size < admit_media::BLOCK {
        sink.put(bytes, size)?;
        return Ok(size as u64);
    }
    for chunk in bytes.chunks(admit_media::BLOCK / 2) {
        sink.put(chunk.to_vec(), chunk.len())?;
    }
    Ok(size as u64)
}

/// Boxes of the input that would be wrong, or mean nothing, in the output.
const NOT_KEPT: [admit_media::FourCc; 12] = [
    fourcc::FTYP,
    fourcc::MOOV,
    fourcc::MOOF,
    fourcc::MDAT,
    fourcc::SIDX,
    fourcc::SSIX,
    fourcc::STYP,
    fourcc::MFRA,
    fourcc::FREE,
    fourcc::SKIP,
    fourcc::WIDE,
    fourcc::PRFT,
];
/// Fragments on their way between the two threads.
const BUFFERS: usize = 3;
const MAX_KEPT: usize = 4096;
