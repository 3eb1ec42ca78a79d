//! A protected file read as a clear one from anywhere in it: always the bytes of the clear file, in whatever order they are
//! wanted.

use std::io::{self, Cursor};

use admit_crypto::{ContentKey, rustcrypto};
use admit_media::{BLOCK, Decrypted, Error, KeyId, Reader, Wanted, decrypt_ranges, fourcc};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::interop::ffmpeg_encrypts;
use crate::support::{CLIPS, KEY, KEY_ID, clip, clip_path, decrypt_with, packaged, top_boxes};

/// Wants these, one after the other, and compares what comes with the clear file.
struct Comparing<'c> {
    clear: &'c [u8],
    wanted: Vec<(u64, usize)>,
    given: usize,
}

impl Reader for Comparing<'_> {
    fn next(&mut self) -> io::Result<Option<Wanted>> {
        Ok(self.wanted.first().map(|&(offset, length)| Wanted { offset, length }))
    }

    /// Wants the rest of what did not come whole.
    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        let (offset, length) = &mut self.wanted[0];
        let from = usize::try_from(*offset).unwrap().min(self.clear.len());
        assert!(self.clear[from..].starts_with(bytes), "{} bytes at {offset}", bytes.len());
        assert!(bytes.len() <= *length && bytes.len() <= BLOCK);
        self.given += bytes.len();
        *offset += bytes.len() as u64;
        *length -= bytes.len();
        let is_at_end = *offset >= self.clear.len() as u64;
        assert!(is_at_end || *length == 0 || !bytes.is_empty(), "nothing in the middle of the file");
        if is_at_end || *length == 0 {
            self.wanted.remove(0);
        }
        Ok(())
    }
}

fn read(file: &[u8], clear: &[u8], wanted: Vec<(u64, usize)>) -> (Result<Decrypted, Error>, usize) {
    let key = ContentKey::from_bytes(KEY);
    let keys = &mut |_: &KeyId| Some((rustcrypto::PROVIDER.aes_128_ctr)(&key));
    let mut reader = Comparing { clear, wanted, given: 0 };
    let read = decrypt_ranges(Cursor::new(file), keys, &mut reader);
    (read, reader.given)
}

#[test]
fn all_in_one_piece_is_the_clear_file() {
    for name in CLIPS {
        let file = packaged(&clip(name));
        let clear = decrypt_with(&file, KEY).unwrap();
        let (read, given) = read(&file, &clear, vec![(0, file.len())]);
        let read = read.unwrap();
        assert_eq!((given, read.bytes, read.key_ids), (file.len(), file.len() as u64, vec![KEY_ID]), "{name}");
    }
}

#[test]
fn a_file_without_fragments_is_read_from_its_end_to_its_beginning() {
    let folder = tempfile::tempdir().unwrap();
    let protected = folder.path().join("protected.mp4");
    ffmpeg_encrypts(&clip_path("long-progressive"), &protected);
    let file = std::fs::read(protected).unwrap();
    let clear = decrypt_with(&file, KEY).unwrap();
    let wanted = (0..file.len()).step_by(10_007).rev().map(|offset| (offset as u64, 10_007)).collect();
    let (read, given) = read(&file, &clear, wanted);
    assert_eq!((read.map(|read| read.bytes), given), (Ok(file.len() as u64), file.len()));
}

#[test]
fn nothing_is_given_behind_the_end_or_where_nothing_is_asked_for() {
    let file = packaged(&clip("audio-only"));
    let clear = decrypt_with(&file, KEY).unwrap();
    let end = file.len() as u64;
    let (read, given) = read(&file, &clear, vec![(end, 10), (end + 5, 10), (100, 0), (u64::MAX, 1), (end - 3, 10)]);
    assert_eq!((read.map(|read| read.bytes), given), (Ok(3), 3));
}

#[test]
fn a_file_that_is_cut_or_broken_is_an_error_when_that_is_met() {
    let file = packaged(&clip("long-progressive"));
    let clear = decrypt_with(&file, KEY).unwrap();
    let head = file.windows(4).position(|window| window == b"sidx").unwrap() - 4;
    let cut = read(&file[..head], &clear, vec![(0, 1)]);
    assert!(matches!(cut, (Err(Error::Missing { wanted: fourcc::MOOF, .. }), 0)), "{cut:?}");
    let last = *top_boxes(&file).iter().rfind(|found| found.kind == fourcc::MOOF).unwrap();
    let at = usize::try_from(last.offset).unwrap();
    let mut broken = file.clone();
    broken[at + 8..at + 12].fill(0xff);
    let (read, given) = read(&broken, &clear, vec![(0, file.len())]);
    assert_eq!((read.is_err(), given), (true, at), "all before it is given");
}

#[test]
fn an_index_that_lies_changes_nothing() {
    let file = packaged(&clip("long-progressive"));
    let mut lying = file.clone();
    let index = lying.windows(4).position(|window| window == b"sidx").unwrap();
    // The first reference's size (version 1): all that follow seem to begin elsewhere.
    lying[index + 36 + 3] ^= 0x55;
    let clear = decrypt_with(&lying, KEY).unwrap();
    let wanted = (0..file.len()).step_by(50_021).rev().map(|offset| (offset as u64, 50_021)).collect();
    let (read, given) = read(&lying, &clear, wanted);
    assert_eq!((read.map(|read| read.bytes), given), (Ok(file.len() as u64), file.len()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn pieces_in_any_order_are_those_of_the_clear_file(
        clip_index in 0..CLIPS.len(),
        pieces in prop::collection::vec((any::<Index>(), 0..200_000usize), 1..20),
    ) {
        let file = packaged(&clip(CLIPS[clip_index]));
        let clear = decrypt_with(&file, KEY).unwrap();
        let wanted = pieces.iter().map(|(at, length)| (at.index(file.len()) as u64, *length)).collect();
        read(&file, &clear, wanted).0.unwrap();
    }
}
