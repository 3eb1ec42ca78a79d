//! One output fragment: `moof` with `senc`, `saiz` and `saio`, and `mdat` with the samples, track after track.

use std::io::{Read, Seek};

use admit_crypto::CounterMode;
use admit_media::frame::{put_box, put_full_box};
use admit_media::{Error as MediaError, Input, Location, Sample, SubsampleMap, crypt_sample, fourcc};

use crate::Error;
use crate::track::{Content, Track, check_sample};

/// What one track has in the fragment being made. Its vectors are used again for the next.
#[derive(Debug, Default)]
pub(crate) struct Part {
    pub(crate) samples: Vec<Sample>,
    /// Where its samples begin in the fragment's data.
    data: usize,
    /// The entries of `senc`.
    aux: Vec<u8>,
    /// The size of each entry.
    aux_sizes: Vec<usize>,
}

/// Encrypts samples; each takes the next initialization vector.
pub(crate) struct Encryptor {
    pub(crate) cipher: Box<dyn CounterMode>,
    pub(crate) next_iv: u64,
    pub(crate) samples: u64,
    pub(crate) map: SubsampleMap,
}

impl Part {
    /// Takes the next `count` samples of a track.
    pub(crate) fn gather<R: Read + Seek>(
        &mut self,
        track: &mut Track<'_>,
        count: u32,
        input: &mut Input<R>,
    ) -> Result<(), Error> {
        self.samples.clear();
        for _ in 0..count {
            let at = Location::top(input.len());
            let sample = track.take(input)?.ok_or(MediaError::TableTooShort { at, table: fourcc::STBL })?;
            check_sample(track.id, &sample, input.len())?;
            self.samples.push(sample);
        }
        Ok(())
    }

    /// Bytes in its samples.
    pub(crate) fn bytes(&self) -> usize {
        self.samples.iter().map(|sample| in_memory(sample.size.into())).sum()
    }

    /// Reads its samples to `position` of `data` and encrypts them there. Samples that lie together are read together,
    /// but not more than the processor's cache holds until they are encrypted.
    pub(crate) fn fill<R: Read + Seek>(
        &mut self,
        content: &mut Content,
        encryptor: &mut Encryptor,
        input: &mut Input<R>,
        position: usize,
        data: &mut [u8],
    ) -> Result<(), Error> {
        let Self { samples, aux, aux_sizes, .. } = self;
        self.data = position;
        aux.clear();
        aux_sizes.clear();
        let (mut rest, mut to) = (samples.as_slice(), position);
        while let Some(first) = rest.first() {
            let (together, after) = rest.split_at(count_together(rest));
            let end = together.last().map_or(first.offset, Sample::end);
            let mut bytes = &mut data[to..to + in_memory(end - first.offset)];
            to += bytes.len();
            rest = after;
            input.read_at(first.offset, bytes)?;
            if matches!(content, Content::Clear) {
                continue;
            }
            for sample in together {
                let (own, others) = bytes.split_at_mut(in_memory(sample.size.into()));
                let before = aux.len();
                encryptor.encrypt(content, sample, own, aux)?;
                aux_sizes.push(aux.len() - before);
                bytes = others;
            }
        }
        Ok(())
    }
}

/// How many samples, at least one, lie together and are to be read at once.
fn count_together(samples: &[Sample]) -> usize {
    let fits = |pair: &[Sample]| pair[0].end() == pair[1].offset && pair[1].end() - samples[0].offset <= READ_AT_ONCE;
    1 + samples.windows(2).take_while(|pair| fits(pair)).count()
}

fn in_memory(size: u64) -> usize {
    usize::try_from(size).expect("samples of a fragment fit in memory")
}

impl Encryptor {
    fn encrypt(
        &mut self,
        content: &mut Content,
        sample: &Sample,
        bytes: &mut [u8],
        aux: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let iv = self.next_iv;
        self.next_iv = iv.wrapping_add(1);
        self.samples += 1;
        self.map.clear();
        aux.extend_from_slice(&iv.to_be_bytes());
        if let Content::Avc(maps) = content {
            let at = Location::within(fourcc::MDAT, sample.offset);
            maps.map(bytes, at, &mut self.map)?;
            put_map(&self.map, at, aux)?;
        }
        crypt_sample(&*self.cipher, u128::from(iv) << 64, self.map.entries(), bytes);
        Ok(())
    }
}

fn put_map(map: &SubsampleMap, at: Location, aux: &mut Vec<u8>) -> Result<(), Error> {
    let size = map.entries().len() as u64;
    let limit = u64::from(u16::MAX);
    let count = u16::try_from(map.entries().len());
    let count = count.map_err(|_| MediaError::OverLimit { at, what: "subsamples", size, limit })?;
    aux.extend_from_slice(&count.to_be_bytes());
    for (clear, protected) in map.entries() {
        aux.extend_from_slice(&clear.to_be_bytes());
        aux.extend_from_slice(&protected.to_be_bytes());
    }
    Ok(())
}

/// Builds the `moof` and the header of the `mdat` that follows it.
pub(crate) fn build_head(sequence: u32, tracks: &[Track<'_>], parts: &[Part], data_size: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let mut data_offsets = Vec::new();
    put_box(&mut out, fourcc::MOOF, |out| {
        put_full_box(out, fourcc::MFHD, 0, 0, |out| put_u32(sequence, out));
        for (track, part) in tracks.iter().zip(parts).filter(|(_, part)| !part.samples.is_empty()) {
            data_offsets.push((put_traf(track, part, out), part.data));
        }
    });
    let head = out.len() + 8;
    for (place, data) in data_offsets {
        out[place..place + 4].copy_from_slice(&to_u32(head + data).to_be_bytes());
    }
    put_u32(to_u32(data_size + 8), &mut out);
    out.extend_from_slice(&fourcc::MDAT.0);
    out
}

/// Appends a `traf`; gives the place of its data offset, which is not known yet.
fn put_traf(track: &Track<'_>, part: &Part, out: &mut Vec<u8>) -> usize {
    let mut data_offset = 0;
    put_box(out, fourcc::TRAF, |out| {
        let same = Same::find(&part.samples);
        put_tfhd(track.id, &same, out);
        let decode_time = part.samples[0].decode_time;
        put_full_box(out, fourcc::TFDT, 1, 0, |out| out.extend_from_slice(&decode_time.to_be_bytes()));
        data_offset = put_trun(&part.samples, &same, out);
        if !part.aux_sizes.is_empty() {
            put_aux_info(part, matches!(track.content, Content::Avc(_)), out);
        }
    });
    data_offset
}

/// What all samples of a run have in common.
struct Same {
    duration: Option<u32>,
    flags: Option<u32>,
    no_composition_offsets: bool,
}

impl Same {
    fn find(samples: &[Sample]) -> Self {
        let first = samples[0];
        Self {
            duration: samples.iter().all(|sample| sample.duration == first.duration).then_some(first.duration),
            flags: samples.iter().all(|sample| sample.flags == first.flags).then_some(first.flags),
            no_composition_offsets: samples.iter().all(|sample| sample.composition_offset == 0),
        }
    }
}

fn put_tfhd(track: u32, same: &Same, out: &mut Vec<u8>) {
    let flags = 0x02_0000 | same.duration.map_or(0, |_| 0x08) | same.flags.map_or(0, |_| 0x20);
    put_full_box(out, fourcc::TFHD, 0, flags, |out| {
        put_u32(track, out);
        [same.duration, same.flags].into_iter().flatten().for_each(|field| put_u32(field, out));
    });
}

fn put_trun(samples: &[Sample], same: &Same, out: &mut Vec<u8>) -> usize {
    let flags = 0x201
        | same.duration.map_or(0x100, |_| 0)
        | same.flags.map_or(0x400, |_| 0)
        | if same.no_composition_offsets { 0 } else { 0x800 };
    let mut data_offset = 0;
    put_full_box(out, fourcc::TRUN, 1, flags, |out| {
        put_u32(to_u32(samples.len()), out);
        data_offset = out.len();
        put_u32(0, out);
        for sample in samples {
            if same.duration.is_none() {
                put_u32(sample.duration, out);
            }
            put_u32(sample.size, out);
            if same.flags.is_none() {
                put_u32(sample.flags, out);
            }
            if !same.no_composition_offsets {
                put_u32(sample.composition_offset.cast_unsigned(), out);
            }
        }
    });
    data_offset
}

/// Appends `senc`, and `saiz` and `saio` that point into it. An entry of more than 255 bytes (41 subsamples) does not
/// fit `saiz`; such a fragment has `senc` alone.
fn put_aux_info(part: &Part, subsamples: bool, out: &mut Vec<u8>) {
    if let Ok(sizes) = part.aux_sizes.iter().map(|&size| u8::try_from(size)).collect::<Result<Vec<_>, _>>() {
        put_full_box(out, fourcc::SAIZ, 0, 0, |out| put_saiz(&sizes, out));
        // From the beginning of the `moof`, where `out` begins, past this box and the fields of `senc`.
        let entries = to_u32(out.len() + SAIO_SIZE + SENC_FIELDS);
        put_full_box(out, fourcc::SAIO, 0, 0, |out| {
            put_u32(1, out);
            put_u32(entries, out);
        });
    }
    put_full_box(out, fourcc::SENC, 0, if subsamples { 2 } else { 0 }, |out| {
        put_u32(to_u32(part.samples.len()), out);
        out.extend_from_slice(&part.aux);
    });
}

fn put_saiz(sizes: &[u8], out: &mut Vec<u8>) {
    let same = sizes.iter().all(|size| *size == sizes[0]);
    out.push(if same { sizes[0] } else { 0 });
    put_u32(to_u32(sizes.len()), out);
    if !same {
        out.extend_from_slice(sizes);
    }
}

pub(crate) fn put_u32(value: u32, out: &mut Vec<u8>) {
    out.extend_from_slice(&value.to_be_bytes());
}

pub(crate) fn to_u32(value: usize) -> u32 {
    u32::try_from(value).expect("fragments are far below 4 GiB")
}

const READ_AT_ONCE: u64 = 256 << 10;
const SAIO_SIZE: usize = 20;
const SENC_FIELDS: usize = 16;
