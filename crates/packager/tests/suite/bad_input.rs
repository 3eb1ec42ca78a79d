//! Hostile input: cut, flipped and lying files end in an error that says where, or in a result, and never in a panic.

use std::io::Cursor;

use crate::support::{CLIPS, KEY, clip, decrypt_with, package_with, packaged, top_boxes};
use admit_media::{Error as MediaError, FourCc, Location, Metadata, Node, TopBox, fourcc, inspect};
use admit_packager::Error;
use proptest::prelude::*;

/// Does everything that takes a file with one that may be anything.
fn try_all(file: &[u8]) -> [Result<(), Error>; 3] {
    let packaged = package_with(file, Default::default()).map(drop);
    let decrypted = decrypt_with(file, KEY).map(drop).map_err(Error::from);
    [packaged, decrypted, inspect(Cursor::new(file)).map(drop).map_err(Error::from)]
}

/// Whatever comes of a file, an error has something to say.
fn check_no_panic(file: &[u8]) {
    for error in try_all(file).into_iter().filter_map(Result::err) {
        assert!(!error.to_string().is_empty());
    }
}

fn media_error(result: Result<(), Error>) -> MediaError {
    match result {
        Err(Error::Media(error)) => error,
        other => panic!("expected an error of the file, not {other:?}"),
    }
}

/// The beginnings of all boxes of a file: those in containers too.
fn box_boundaries(file: &[u8], from: usize, to: usize, found: &mut Vec<usize>) {
    let mut offset = from;
    while offset + 8 <= to {
        found.push(offset);
        let size = usize::try_from(u32::from_be_bytes(file[offset..offset + 4].try_into().unwrap())).unwrap();
        if [b"moov", b"trak", b"mdia", b"minf", b"stbl", b"moof", b"traf", b"mvex", b"sinf", b"schi"]
            .contains(&&file[offset + 4..offset + 8].try_into().unwrap())
        {
            box_boundaries(file, offset + 8, offset + size, found);
        }
        offset += size;
    }
}

#[test]
fn a_sample_of_a_description_that_is_not_there_is_refused() {
    let mut file = clip("high-fragmented");
    package_with(&file, Metadata::default()).unwrap();
    let trex = file.windows(4).position(|window| window == b"trex").unwrap();
    // Behind the version, the flags and the track's number stands the description of its samples.
    let description = trex + 4 + 8;
    assert_eq!(file[description..description + 4], [0, 0, 0, 1]);
    file[description + 3] = 2;
    let error = media_error(package_with(&file, Metadata::default()).map(drop));
    assert!(matches!(error, MediaError::BadValue { field: "sample description", value: 2, .. }), "{error:?}");
}

#[test]
fn cut_at_every_box_boundary_a_packaged_file_is_an_error() {
    let file = packaged(&clip("high-progressive"));
    let mut boundaries = Vec::new();
    box_boundaries(&file, 0, file.len(), &mut boundaries);
    assert!(boundaries.len() > 40, "{}", boundaries.len());
    for cut in boundaries {
        decrypt_with(&file[..cut], KEY).expect_err(&format!("cut at {cut}"));
    }
}

#[test]
fn cut_at_every_box_boundary_a_source_is_an_error() {
    for name in ["high-progressive", "baseline-progressive"] {
        let file = clip(name);
        let mut boundaries = Vec::new();
        box_boundaries(&file, 0, file.len(), &mut boundaries);
        for cut in boundaries {
            package_with(&file[..cut], Default::default()).expect_err(&format!("{name} cut at {cut}"));
        }
    }
}

#[test]
fn a_bit_flipped_in_every_box_header_is_no_panic() {
    for file in [clip("long-progressive"), packaged(&clip("high-progressive"))] {
        let mut boundaries = Vec::new();
        box_boundaries(&file, 0, file.len(), &mut boundaries);
        for bit in boundaries.iter().flat_map(|offset| (offset * 8..(offset + 24) * 8).step_by(5)) {
            let mut file = file.clone();
            if let Some(byte) = file.get_mut(bit / 8) {
                *byte ^= 1 << (bit % 8);
                check_no_panic(&file);
            }
        }
    }
}

#[test]
fn nesting_of_a_hundred_thousand_boxes_is_an_error() {
    let count = 100_000;
    let sizes = (1..=count).rev().map(|left: u32| left * 8);
    let file: Vec<u8> = sizes.flat_map(|size| [size.to_be_bytes(), *b"moov"].concat()).collect();
    for result in try_all(&file) {
        let error = media_error(result);
        assert!(matches!(error, MediaError::TooDeep { at } if at.offset > 0), "{error}");
    }
}

#[test]
fn gigabytes_that_are_not_there_are_an_error_with_the_place() {
    let file = b"\0\0\0\x08free\0\0\0\x01moov\0\0\x10\0\0\0\0\0rest";
    for result in try_all(file) {
        let at = Location::within(fourcc::MOOV, 8);
        assert_eq!(media_error(result), MediaError::Truncated { at, needed: 1 << 44, available: 20 });
    }
}

/// The payload of the first box of a type, wherever it is.
fn payload(file: &[u8], kind: &[u8; 4]) -> usize {
    file.windows(4).position(|window| window == kind).unwrap() + 4
}

#[test]
fn lying_counts_are_errors_that_name_the_box() {
    for (kind, field) in [(b"stts", 4), (b"ctts", 4), (b"stsc", 4), (b"stsz", 8), (b"stco", 4), (b"stss", 4)] {
        let mut file = clip("high-progressive");
        let field = payload(&file, kind) + field;
        file[field] = 0x7f;
        let error = media_error(package_with(&file, Default::default()).map(drop));
        let named = std::str::from_utf8(kind).unwrap();
        assert!(matches!(error, MediaError::Truncated { at, .. } if at.path.to_string().ends_with(named)), "{error}");
    }
    for (kind, field) in [(b"trun", 4), (b"senc", 4), (b"pssh", 20)] {
        let mut file = packaged(&clip("high-progressive"));
        let field = payload(&file, kind) + field;
        file[field] = 0x7f;
        let named = std::str::from_utf8(kind).unwrap();
        let results = [decrypt_with(&file, KEY).map(drop), inspect(Cursor::new(&file)).map(drop)];
        let errors: Vec<_> = results.into_iter().filter_map(Result::err).collect();
        let names = errors.iter().map(ToString::to_string).any(|error| error.contains(named));
        // More entries than samples are no fault in `senc`: what is not asked for is not read.
        assert!(names || kind == b"senc", "{errors:?}");
    }
}

#[test]
fn samples_outside_the_file_are_errors_that_name_the_track() {
    let mut file = clip("high-progressive");
    let first_chunk = payload(&file, b"stco") + 8;
    file[first_chunk] = 0x70;
    let error = media_error(package_with(&file, Default::default()).map(drop));
    assert!(matches!(error, MediaError::SampleOutsideFile { track: 1, offset: 0x7000_0000.., .. }), "{error}");
}

#[test]
fn subsamples_larger_than_the_sample_are_an_error() {
    let mut file = packaged(&clip("high-progressive"));
    // Past version, flags, count, vector and count of subsamples.
    let first_subsample = payload(&file, b"senc") + 4 + 4 + 8 + 2;
    file[first_subsample + 2] = 0x7f;
    let error = decrypt_with(&file, KEY).unwrap_err();
    assert!(matches!(error, MediaError::BadSubsamples { covered: 0x7f00_0000.., .. }), "{error}");
}

#[test]
fn other_schemes_are_named() {
    let mut file = packaged(&clip("high-progressive"));
    let scheme = payload(&file, b"schm") + 4;
    file[scheme..scheme + 4].copy_from_slice(b"cbcs");
    assert_eq!(decrypt_with(&file, KEY).unwrap_err().to_string(), "protection scheme cbcs is not supported");
}

#[test]
fn clear_and_protected_files_are_told_apart() {
    assert_eq!(decrypt_with(&clip("high-progressive"), KEY), Err(MediaError::NotProtected));
    let twice = package_with(&packaged(&clip("high-progressive")), Default::default()).map(drop);
    assert_eq!(media_error(twice), MediaError::AlreadyProtected { track: 1 });
}

/// A clip or its packaged form.
/// A file with a `moov` and a `moof` changed, and `padding` bytes behind them.
fn with_trees(file: &[u8], change: impl Fn(&mut Node<'_>), padding: usize) -> Vec<u8> {
    let mut out = Vec::new();
    for found in top_boxes(file) {
        let (start, end) = (usize::try_from(found.offset).unwrap(), usize::try_from(found.end()).unwrap());
        if [fourcc::MOOV, fourcc::MOOF].contains(&found.kind) {
            let mut tree = Node::parse(&file[start..end], found.offset).unwrap();
            change(&mut tree);
            tree.write(&mut out);
        } else if found.kind != fourcc::SIDX {
            out.extend_from_slice(&file[start..end]);
        }
    }
    Node::build(fourcc::FREE, |out| out.resize(padding, 0)).write(&mut out);
    out
}

/// Puts `times` copies of a child in place of all children of its type.
fn repeat(tree: &mut Node<'_>, kind: FourCc, times: usize) {
    let Some(child) = tree.child(kind).cloned() else { return };
    let children = tree.children_mut().unwrap();
    children.retain(|child| child.kind != kind);
    children.extend(std::iter::repeat_n(child, times));
}

fn over_limit(file: &[u8], decrypting: bool) -> (&'static str, u64) {
    let error = if decrypting {
        decrypt_with(file, KEY).unwrap_err()
    } else {
        media_error(package_with(file, Metadata::default()).map(drop))
    };
    match error {
        MediaError::OverLimit { what, limit, .. } => (what, limit),
        other => panic!("{other}"),
    }
}

/// Found by fuzzing: a box to the end of the input would hold all of the output behind it.
#[test]
fn a_box_to_the_end_of_the_input_does_not_swallow_the_output() {
    let mut file = clip("audio-only");
    file.extend_from_slice(b"\0\0\0\0uuidsixteen bytes id");
    let packaged = packaged(&file);
    let kinds: Vec<_> = top_boxes(&packaged).iter().map(|found| found.kind).collect();
    assert!(kinds.contains(&fourcc::SIDX) && kinds.contains(&fourcc::MOOF), "{kinds:?}");
    assert!(decrypt_with(&packaged, KEY).is_ok());
}

/// Found by fuzzing: what came of it could not be told from a file that was cut.
#[test]
fn a_file_without_a_sample_is_not_packaged() {
    let drop_mvex = |tree: &mut Node<'_>| repeat(tree, fourcc::MVEX, 0);
    let file = with_trees(&clip("baseline-fragmented"), drop_mvex, 0);
    assert_eq!(package_with(&file, Metadata::default()).map(drop), Err(Error::NothingToProtect));
}

/// Thousands of track fragments would each look at every block.
#[test]
fn more_track_fragments_than_a_player_can_follow_are_an_error() {
    let file = with_trees(&packaged(&clip("audio-only")), |tree| repeat(tree, fourcc::TRAF, 1025), 0);
    assert_eq!(over_limit(&file, true), ("number of track fragments", 1024));
}

/// Each of a hundred track fragments points to the same megabyte.
#[test]
fn auxiliary_information_is_bounded_for_all_track_fragments_together() {
    let change = |tree: &mut Node<'_>| {
        if let Some(traf) = tree.child_mut(fourcc::TRAF) {
            let children = traf.children_mut().unwrap();
            children.retain(|child| ![fourcc::SENC, fourcc::SAIZ, fourcc::SAIO].contains(&child.kind));
            children.push(Node::build_full(fourcc::SAIZ, 0, 0, |out| out.extend_from_slice(b"\xff\0\0\x10\0")));
            children.push(Node::build_full(fourcc::SAIO, 0, 0, |out| out.extend_from_slice(b"\0\0\0\x01\0\0\0\0")));
        }
        repeat(tree, fourcc::TRAF, 100);
    };
    let file = with_trees(&packaged(&clip("audio-only")), change, 2 << 20);
    let (what, limit) = over_limit(&file, true);
    assert_eq!((what, limit), ("bytes of auxiliary information", file.len() as u64));
}

/// A hundred tracks of one number, each of which would hold the samples of the same run.
#[test]
fn the_samples_of_a_fragment_are_bounded_for_all_tracks_together() {
    let change = |tree: &mut Node<'_>| {
        repeat(tree, fourcc::TRAK, 100);
        for traf in tree.children_mut().unwrap().iter_mut().filter(|child| child.kind == fourcc::TRAF) {
            let id = traf.child(fourcc::TFHD).unwrap().fields().rest()[4..8].to_vec();
            // Samples of one byte each, by default, and eleven thousand of them.
            let tfhd =
                Node::build_full(fourcc::TFHD, 0, 0x02_0010, |out| out.extend([&id[..], &[0, 0, 0, 1]].concat()));
            let trun = Node::build_full(fourcc::TRUN, 0, 0, |out| out.extend_from_slice(&11_000_u32.to_be_bytes()));
            *traf.children_mut().unwrap() = vec![tfhd, trun];
        }
    };
    let file = with_trees(&clip("baseline-fragmented"), change, 0);
    assert_eq!(over_limit(&file, false), ("samples in a fragment", (1 << 20) / 100));
}

fn files() -> impl Strategy<Value = Vec<u8>> {
    (0..CLIPS.len(), any::<bool>()).prop_map(|(index, protect)| {
        let clip = clip(CLIPS[index]);
        if protect { packaged(&clip) } else { clip }
    })
}

/// Where structure is: anywhere in a box that is not `mdat`.
fn structure(file: &[u8]) -> Vec<usize> {
    let boxes = top_boxes(file);
    let held = boxes.iter().filter(|found| found.kind != fourcc::MDAT);
    let range = |found: &TopBox| usize::try_from(found.offset).unwrap()..usize::try_from(found.end()).unwrap();
    held.flat_map(range).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mutated_clips_never_panic(
        mut file in files(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), prop_oneof![Just(0), Just(0xff), any::<u8>()]), 1..6),
        cut in prop::option::weighted(0.3, any::<prop::sample::Index>()),
    ) {
        let places = structure(&file);
        for (place, value) in changes {
            file[places[place.index(places.len())]] = value;
        }
        if let Some(cut) = cut {
            file.truncate(cut.index(file.len()));
        }
        check_no_panic(&file);
    }
}
