//! Files of other packagers that are unusual and right, built here box by box: they must decrypt.

use crate::support::{KEY, KEY_ID, clip, decrypt_with};
use admit_crypto::{ContentKey, apply_counter_mode, rustcrypto};
use admit_media::frame::{put_box, put_full_box};
use admit_media::{Error as MediaError, FourCc, Node, fourcc};

/// Where the auxiliary information of a fragment is.
#[derive(Clone, Copy, PartialEq)]
enum Info {
    Senc,
    /// In `mdat` before the samples, by `saiz` and `saio` of this version.
    Elsewhere(u8),
    /// A `senc` without entries, and a vector in `tenc` for all samples.
    Constant,
    None,
}

/// What is unusual about a file.
#[derive(Clone)]
struct Odd {
    iv_size: u8,
    info: Info,
    subsamples: &'static [(u16, u32)],
    runs: u32,
    wide_boxes: bool,
    clear_track: bool,
    group_key: bool,
}

const PLAIN: Odd = Odd {
    iv_size: 8,
    info: Info::Senc,
    subsamples: &[],
    runs: 1,
    wide_boxes: false,
    clear_track: false,
    group_key: false,
};

const SAMPLE: &[u8; 50] = b"fifty bytes of a sample that nobody has ever heard";
const IV: u128 = 0x0102_0304_0506_0708 << 64;

fn put_words(words: &[u32], out: &mut Vec<u8>) {
    words.iter().for_each(|word| out.extend_from_slice(&word.to_be_bytes()));
}

impl Odd {
    /// The file with two samples per run, each the same bytes, and the file that it should decrypt to in `mdat`.
    fn check(&self) {
        let file = self.file();
        let clear = decrypt_with(&file, KEY).unwrap();
        let found = |file: &[u8]| file.windows(SAMPLE.len()).filter(|window| window == SAMPLE).count();
        assert_eq!(found(&file), usize::from(self.clear_track));
        assert_eq!(found(&clear), usize::try_from(self.runs * 2).unwrap() + usize::from(self.clear_track));
        assert_eq!(clear.len(), file.len());
    }

    fn file(&self) -> Vec<u8> {
        let source = clip("audio-only");
        let mut out = Vec::new();
        put_box(&mut out, fourcc::FTYP, |out| out.extend_from_slice(b"iso6\0\0\0\0"));
        self.moov(&source).write(&mut out);
        let first = self.moof(0);
        // A second time, now that it is known where the data begins.
        let header = if self.wide_boxes { 16 } else { 8 };
        out.extend(self.moof(u32::try_from(first.len() + header).unwrap()));
        let data = self.data();
        if self.wide_boxes {
            put_words(&[1], &mut out);
            out.extend_from_slice(b"mdat");
            out.extend_from_slice(&(data.len() as u64 + 16).to_be_bytes());
            out.extend_from_slice(&data);
        } else {
            put_box(&mut out, fourcc::MDAT, |out| out.extend_from_slice(&data));
        }
        out
    }

    /// The `moov` of a clip with its one track protected and, if wanted, another that is not.
    fn moov<'a>(&self, source: &'a [u8]) -> Node<'a> {
        let offset = source.windows(4).position(|window| window == b"moov").unwrap() - 4;
        let mut moov = Node::parse(&source[offset..], 0).unwrap();
        let clear_trak = moov.child(fourcc::TRAK).unwrap().clone();
        let stbl = [fourcc::TRAK, fourcc::MDIA, fourcc::MINF, fourcc::STBL];
        let stsd = moov.descend_mut(&stbl).unwrap().need_mut(fourcc::STSD).unwrap();
        let entry = &mut stsd.children_mut().unwrap()[0];
        entry.kind = fourcc::ENCA;
        entry.children_mut().unwrap().push(self.sinf());
        let stbl = moov.descend_mut(&stbl).unwrap().children_mut().unwrap();
        stbl.retain(|child| child.kind == fourcc::STSD);
        if self.clear_track {
            let mut bytes = Vec::new();
            clear_trak.write(&mut bytes);
            let id = bytes.windows(4).position(|window| window == b"tkhd").unwrap() + 4 + 12;
            bytes[id..id + 4].copy_from_slice(&2_u32.to_be_bytes());
            let payload = bytes.split_off(8);
            moov.children_mut().unwrap().push(Node::build(fourcc::TRAK, |out| out.extend_from_slice(&payload)));
        }
        moov
    }

    fn sinf(&self) -> Node<'static> {
        Node::build(fourcc::SINF, |out| {
            put_box(out, fourcc::FRMA, |out| out.extend_from_slice(b"mp4a"));
            put_full_box(out, fourcc::SCHM, 0, 0, |out| out.extend_from_slice(b"cenc\0\x01\0\0"));
            put_box(out, fourcc::SCHI, |out| {
                // Version 1 with a pattern of 0:0.
                put_full_box(out, fourcc::TENC, 1, 0, |out| {
                    let iv_size = if self.info == Info::Constant { 0 } else { self.iv_size };
                    out.extend_from_slice(&[0, 0, 1, iv_size]);
                    out.extend_from_slice(&if self.group_key { [9; 16] } else { *KEY_ID.as_bytes() });
                    if self.info == Info::Constant {
                        out.push(16);
                        out.extend_from_slice(&IV.to_be_bytes());
                    }
                });
            });
        })
    }

    fn moof(&self, data: u32) -> Vec<u8> {
        let mut out = Vec::new();
        put_box(&mut out, fourcc::MOOF, |out| {
            put_full_box(out, fourcc::MFHD, 0, 0, |out| put_words(&[1], out));
            let samples = data + u32::try_from(self.entries_in_data().len()).unwrap();
            put_box(out, fourcc::TRAF, |out| {
                put_full_box(out, fourcc::TFHD, 0, 0x2_0010, |out| put_words(&[1, 50], out));
                // Between the runs lie 50 bytes: the clear track's sample, or nobody's.
                (0..self.runs).for_each(|run| {
                    put_full_box(out, fourcc::TRUN, 0, 1, |out| put_words(&[2, samples + run * 150], out));
                });
                self.put_info(data, out);
            });
            if self.clear_track {
                put_box(out, fourcc::TRAF, |out| {
                    put_full_box(out, fourcc::TFHD, 0, 0x2_0010, |out| put_words(&[2, 50], out));
                    put_full_box(out, fourcc::TRUN, 0, 1, |out| put_words(&[1, samples + 100], out));
                });
            }
        });
        out
    }

    fn put_info(&self, data: u32, out: &mut Vec<u8>) {
        let (entry, samples) = (self.entry(), self.runs * 2);
        let flags = if self.subsamples.is_empty() { 0 } else { 2 };
        match self.info {
            Info::None => (),
            Info::Constant => put_full_box(out, fourcc::SENC, 0, 0, |out| put_words(&[0], out)),
            Info::Senc => put_full_box(out, fourcc::SENC, 0, flags, |out| {
                put_words(&[samples], out);
                (0..samples).for_each(|_| out.extend_from_slice(&entry));
            }),
            Info::Elsewhere(version) => {
                put_full_box(out, fourcc::SAIZ, 0, 0, |out| {
                    out.push(u8::try_from(entry.len()).unwrap());
                    put_words(&[samples], out);
                });
                put_full_box(out, fourcc::SAIO, version, 1, |out| {
                    out.extend_from_slice(b"cenc");
                    let words = [0, 1, 0, data];
                    // Version 0 has 32 bits for the offset.
                    put_words(&words[..2], out);
                    put_words(&words[if version == 1 { 2 } else { 3 }..], out);
                });
            }
        }
        if self.group_key {
            put_full_box(out, fourcc::SGPD, 1, 0, |out| {
                out.extend_from_slice(b"seig\0\0\0\x14\0\0\0\x01\0\0\x01");
                out.push(self.iv_size);
                out.extend_from_slice(KEY_ID.as_bytes());
            });
            put_full_box(out, fourcc::SBGP, 0, 0, |out| {
                out.extend_from_slice(b"seig");
                put_words(&[1, samples, 0x1_0001], out);
            });
        }
    }

    fn entry(&self) -> Vec<u8> {
        let mut entry = IV.to_be_bytes()[..usize::from(self.iv_size)].to_vec();
        if !self.subsamples.is_empty() {
            entry.extend_from_slice(&u16::try_from(self.subsamples.len()).unwrap().to_be_bytes());
            for (clear, protected) in self.subsamples {
                entry.extend_from_slice(&clear.to_be_bytes());
                entry.extend_from_slice(&protected.to_be_bytes());
            }
        }
        entry
    }

    fn entries_in_data(&self) -> Vec<u8> {
        match self.info {
            Info::Elsewhere(_) => self.entry().repeat(usize::try_from(self.runs).unwrap() * 2),
            _ => Vec::new(),
        }
    }

    fn data(&self) -> Vec<u8> {
        let between = if self.clear_track { SAMPLE } else { &[0; 50] };
        let run = [&self.protected_sample()[..], &self.protected_sample(), between].concat();
        [self.entries_in_data(), run.repeat(usize::try_from(self.runs).unwrap())].concat()
    }

    /// Encrypted with the cipher alone, not with what is tested.
    fn protected_sample(&self) -> Vec<u8> {
        let cipher = (rustcrypto::PROVIDER.aes_128_ctr)(&ContentKey::from_bytes(KEY));
        let mut sample = SAMPLE.to_vec();
        let whole = [(0, 50)];
        let (mut position, mut keystream) = (0, 0);
        for (clear, protected) in if self.subsamples.is_empty() { &whole } else { self.subsamples } {
            let start = position + usize::from(*clear);
            position = start + usize::try_from(*protected).unwrap();
            apply_counter_mode(&*cipher, IV, keystream, &mut sample[start..position]);
            keystream += u64::from(*protected);
        }
        sample
    }
}

#[test]
fn an_ordinary_file_decrypts() {
    PLAIN.check();
}

#[test]
fn vectors_of_16_bytes() {
    Odd { iv_size: 16, ..PLAIN }.check();
    Odd { iv_size: 16, info: Info::Elsewhere(0), subsamples: &[(5, 16), (3, 20)], ..PLAIN }.check();
}

#[test]
fn empty_subsamples() {
    Odd { subsamples: &[(0, 0), (10, 16), (0, 0), (4, 20)], ..PLAIN }.check();
}

#[test]
fn protected_ranges_that_end_within_a_block() {
    Odd { subsamples: &[(3, 7), (1, 9), (2, 28)], ..PLAIN }.check();
}

#[test]
fn several_runs_in_a_fragment_with_gaps_between() {
    Odd { runs: 3, ..PLAIN }.check();
}

#[test]
fn a_clear_track_without_senc_beside_a_protected_one() {
    Odd { clear_track: true, ..PLAIN }.check();
}

#[test]
fn auxiliary_information_outside_senc_by_both_versions_of_saio() {
    Odd { info: Info::Elsewhere(0), ..PLAIN }.check();
    Odd { info: Info::Elsewhere(1), runs: 2, ..PLAIN }.check();
}

#[test]
fn an_empty_senc_and_one_vector_for_all() {
    Odd { info: Info::Constant, ..PLAIN }.check();
}

#[test]
fn boxes_with_64_bit_sizes() {
    Odd { wide_boxes: true, ..PLAIN }.check();
}

#[test]
fn a_sample_group_with_its_own_key() {
    Odd { group_key: true, runs: 2, ..PLAIN }.check();
}

#[test]
fn protected_samples_without_any_vector_are_an_error() {
    let error = decrypt_with(&Odd { info: Info::None, ..PLAIN }.file(), KEY).unwrap_err();
    assert!(matches!(error, MediaError::Missing { wanted: fourcc::SENC, .. }), "{error}");
    assert_eq!(FourCc(*b"senc"), fourcc::SENC);
}
