//! Files of very many small boxes, whatever they are: work grows with the length of a file and with nothing else.

use std::cell::Cell;
use std::io::{self, Cursor, Read, Seek, SeekFrom};

use admit_crypto::{ContentKey, CounterMode, rustcrypto};
use admit_media::frame::{put_box, put_full_box};
use admit_media::{
    ADMIT_SYSTEM_ID, BLOCK, COMMON_SYSTEM_ID, Error, KeyId, Node, Reader, Sink, Wanted, WriteSink, decrypt,
    decrypt_ranges, decrypt_track, fourcc, inspect, protections,
};

use crate::support::{KEY, clip, packaged, top_boxes};

/// What was done for whoever read a file.
#[derive(Default)]
struct Work {
    /// How often the file was read from.
    reads: Cell<usize>,
    /// How often something was put out.
    puts: Cell<usize>,
}

fn one_more(count: &Cell<usize>) {
    count.set(count.get() + 1);
}

struct Counted<'w>(Cursor<&'w [u8]>, &'w Work);

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        one_more(&self.1.reads);
        self.0.read(buffer)
    }
}

impl Seek for Counted<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

impl Sink for &Work {
    fn buffer(&mut self) -> Vec<u8> {
        vec![0; BLOCK]
    }

    fn put(&mut self, _: Vec<u8>, _: usize) -> io::Result<()> {
        one_more(&self.puts);
        Ok(())
    }
}

/// Wants these, each until it came whole.
struct Wants<'w> {
    wanted: Vec<(u64, usize)>,
    work: &'w Work,
}

impl Reader for Wants<'_> {
    fn next(&mut self) -> io::Result<Option<Wanted>> {
        Ok(self.wanted.last().map(|&(offset, length)| Wanted { offset, length }))
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        one_more(&self.work.puts);
        let (offset, length) = self.wanted.last_mut().unwrap();
        (*offset, *length) = (*offset + bytes.len() as u64, *length - bytes.len());
        if *length == 0 {
            self.wanted.pop();
        }
        Ok(())
    }
}

fn cipher(_: &KeyId) -> Option<Box<dyn CounterMode>> {
    Some((rustcrypto::PROVIDER.aes_128_ctr)(&ContentKey::from_bytes(KEY)))
}

fn read_ranges(file: &[u8], wanted: Vec<(u64, usize)>) -> (Result<(), Error>, Work) {
    let work = Work::default();
    let input = Counted(Cursor::new(file), &work);
    let read = decrypt_ranges(input, &mut cipher, &mut Wants { wanted, work: &work }).map(drop);
    (read, work)
}

/// Reads a file from its beginning to its end in both ways.
fn read_all(file: &[u8]) -> [(Result<(), Error>, Work); 2] {
    let work = Work::default();
    let input = Counted(Cursor::new(file), &work);
    let decrypted = decrypt(input, &mut &work, &mut cipher, &mut |_, _| ()).map(drop);
    [(decrypted, work), read_ranges(file, vec![(0, file.len())])]
}

/// A protected file and its track, with this behind it.
fn with_behind(behind: &[u8]) -> (Vec<u8>, u32) {
    let mut file = packaged(&clip("audio-only"));
    let track = inspect(Cursor::new(&file)).unwrap().tracks[0].id;
    file.extend_from_slice(behind);
    (file, track)
}

/// A fragment of one track whose samples have no bytes, and a box behind it.
fn fragment(track: u32, fill: impl Fn(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::new();
    put_box(&mut out, fourcc::MOOF, |out| {
        put_full_box(out, fourcc::MFHD, 0, 0, |out| out.extend_from_slice(&[0, 0, 0, 1]));
        put_box(out, fourcc::TRAF, |out| {
            let words = [track, 0].map(u32::to_be_bytes).concat();
            put_full_box(out, fourcc::TFHD, 0, 0x02_0010, |out| out.extend_from_slice(&words));
            fill(out);
        });
    });
    put_box(&mut out, fourcc::FREE, |_| ());
    out
}

/// Each of them was eight bytes of a file and a message to a player.
#[test]
fn a_fragment_without_its_header_is_refused_whoever_reads_it() {
    let (file, track) = with_behind(&b"\0\0\0\x08moof".repeat(1000));
    let by_track = decrypt_track(Cursor::new(&file), track, &mut cipher, &mut |_, _| Ok(()), &mut |_, _| ()).map(drop);
    for read in read_all(&file).into_iter().map(|(read, _)| read).chain([by_track]) {
        assert!(matches!(read, Err(Error::Missing { wanted: fourcc::MFHD, .. })), "{read:?}");
    }
}

#[test]
fn very_many_small_boxes_are_read_and_put_out_many_at_once() {
    let moof = b"\0\0\0\x18moof\0\0\0\x10mfhd\0\0\0\0\0\0\0\x01";
    for small in [&b"\0\0\0\x08free"[..], b"\0\0\0\x09mdatX", moof, &[&moof[..], b"\0\0\0\x08free"].concat()] {
        let (file, _) = with_behind(&small.repeat(100_000));
        for (read, work) in read_all(&file) {
            assert_eq!(read, Ok(()));
            let (reads, puts) = (work.reads.get(), work.puts.get());
            assert!(reads <= file.len() / 1000 && puts <= file.len() / 1000, "{reads} reads, {puts} puts");
        }
    }
}

#[test]
fn whoever_seeks_among_very_many_boxes_does_not_walk_over_all_of_them_again() {
    let moof = b"\0\0\0\x18moof\0\0\0\x10mfhd\0\0\0\0\0\0\0\x01";
    for small in [&b"\0\0\0\x08free"[..], moof] {
        let (file, _) = with_behind(&small.repeat(100_000));
        let places = [file.len() - 100, file.len() / 2, file.len() - 200_000].map(|place| (place as u64, 8));
        let (read, work) = read_ranges(&file, places.repeat(1000));
        assert_eq!(read, Ok(()));
        let walk = file.len() / 1000;
        assert!(work.reads.get() <= walk + 10 * 3000, "{} reads", work.reads.get());
    }
}

/// Each of them points to the same half of a megabyte.
#[test]
fn auxiliary_information_is_bounded_for_all_fragments_together() {
    let track = with_behind(&[]).1;
    let pointing = fragment(track, |out| {
        put_full_box(out, fourcc::SAIZ, 0, 0, |out| out.extend_from_slice(b"\xff\0\0\x08\0"));
        put_full_box(out, fourcc::SAIO, 0, 0, |out| out.extend_from_slice(b"\0\0\0\x01\0\0\0\0"));
    });
    let mut behind = pointing.repeat(100);
    put_box(&mut behind, fourcc::FREE, |out| out.resize(out.len() + (1 << 20), 0));
    check_over_limit(&with_behind(&behind).0, "bytes of auxiliary information");
}

/// Each of them tells of 65,536 samples and has none of their bytes.
#[test]
fn samples_without_bytes_are_bounded_for_all_fragments_together() {
    let track = with_behind(&[]).1;
    let run = |out: &mut Vec<u8>| {
        put_full_box(out, fourcc::SAIZ, 0, 0, |out| out.extend_from_slice(b"\x08\0\x01\0\0"));
        put_full_box(out, fourcc::TRUN, 0, 0, |out| out.extend_from_slice(b"\0\x01\0\0"));
    };
    let (file, _) = with_behind(&fragment(track, run).repeat(2 + with_behind(&[]).0.len() / 65_536));
    check_over_limit(&file, "bytes of samples");
}

/// A license is looked for by each of them. Headers of other systems may list more, and hide none of ours.
#[test]
fn of_headers_that_list_very_many_keys_the_first_are_taken_and_ours_before_others() {
    let found = |keys: u32| {
        let file = with_movie(|moov| {
            for (system, keys) in [(COMMON_SYSTEM_ID, 0..keys), (ADMIT_SYSTEM_ID, 7_000..7_001)] {
                moov.children_mut().unwrap().push(Node::build_full(fourcc::PSSH, 1, 0, |out| {
                    out.extend_from_slice(&system.0);
                    out.extend_from_slice(&keys.end.abs_diff(keys.start).to_be_bytes());
                    keys.for_each(|key| out.extend_from_slice(&u128::from(key).to_be_bytes()));
                    out.extend_from_slice(&[0; 4]);
                }));
            }
        });
        protections(Cursor::new(file)).unwrap().key_ids
    };
    assert_eq!(found(1023).len(), 1024);
    assert_eq!(found(2000), found(1023));
    assert_eq!(found(2000)[0], KeyId::from_bytes(7_000_u128.to_be_bytes()));
}

#[test]
fn tracks_that_use_very_many_keys_are_refused() {
    let file = |keys: u32| {
        with_movie(|moov| {
            let path = [fourcc::TRAK, fourcc::MDIA, fourcc::MINF, fourcc::STBL];
            let groups = Node::build_full(fourcc::SGPD, 1, 0, |out| {
                out.extend_from_slice(b"seig\0\0\0\x14");
                out.extend_from_slice(&keys.to_be_bytes());
                for key in 0..keys {
                    out.extend_from_slice(&[0, 0, 1, 8]);
                    out.extend_from_slice(&u128::from(key).to_be_bytes());
                }
            });
            moov.descend_mut(&path).unwrap().children_mut().unwrap().push(groups);
        })
    };
    assert_eq!(protections(Cursor::new(file(1024))).unwrap().key_ids.len(), 1024);
    let refused = protections(Cursor::new(file(1025)));
    assert!(matches!(refused, Err(Error::OverLimit { what: "number of keys", size: 1025, .. })), "{refused:?}");
}

/// The head of a clip as it was changed.
fn with_movie(change: impl FnOnce(&mut Node<'_>)) -> Vec<u8> {
    let file = clip("audio-only");
    let place = top_boxes(&file).into_iter().find(|found| found.kind == fourcc::MOOV).unwrap();
    let (start, end) = (usize::try_from(place.offset).unwrap(), usize::try_from(place.end()).unwrap());
    let mut moov = Node::parse(&file[start..end], place.offset).unwrap();
    change(&mut moov);
    let mut out = file[..start].to_vec();
    moov.write(&mut out);
    out
}

#[test]
fn what_is_whole_before_something_broken_is_put_out() {
    let decrypted = |file: &[u8]| {
        let mut output = Vec::new();
        let progress = &mut |done: u64, all: u64| assert!(done <= all && all == file.len() as u64);
        let done = decrypt(Cursor::new(file), &mut WriteSink::new(&mut output), &mut cipher, progress);
        (done.map(drop), output)
    };
    let file = packaged(&clip("audio-only"));
    let (done, whole) = decrypted(&file);
    done.unwrap();
    let (done, before) = decrypted(&[&file[..], b"\0\0\0\x09free"].concat());
    done.unwrap_err();
    assert!(before == whole, "{} of {} bytes", before.len(), whole.len());
    // Where nothing has left yet, a use is not charged for the head of a broken file.
    let moov = top_boxes(&file).into_iter().find(|found| found.kind == fourcc::MOOV).unwrap();
    let head = &file[..usize::try_from(moov.end()).unwrap()];
    let (done, before) = decrypted(&[head, b"\0\0\0\x09free"].concat());
    done.unwrap_err();
    assert!(before.is_empty(), "{} bytes", before.len());
}

/// Takes some blocks, and is full then.
struct Full {
    room: usize,
    puts: usize,
}

impl Sink for Full {
    fn buffer(&mut self) -> Vec<u8> {
        vec![0; BLOCK]
    }

    fn put(&mut self, buffer: Vec<u8>, used: usize) -> io::Result<()> {
        assert!(used <= buffer.len());
        self.puts += 1;
        if self.puts > self.room { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }
}

#[test]
fn a_sink_that_failed_is_given_nothing_more() {
    let file = packaged(&clip("long-progressive"));
    let puts = |room| {
        let mut sink = Full { room, puts: 0 };
        (decrypt(Cursor::new(&file), &mut sink, &mut cipher, &mut |_, _| ()).map(drop), sink.puts)
    };
    let (done, blocks) = puts(usize::MAX);
    done.unwrap();
    assert!(blocks > 2, "{blocks}");
    for room in 0..blocks {
        let (done, puts) = puts(room);
        assert!(matches!(done, Err(Error::Write { .. })), "{done:?}");
        assert_eq!(puts, room + 1);
    }
}

fn check_over_limit(file: &[u8], expected: &str) {
    for (read, _) in read_all(file) {
        let is_expected = matches!(read, Err(Error::OverLimit { what, limit, .. }) if what == expected
            && limit == file.len() as u64);
        assert!(is_expected, "{read:?}");
    }
}
