//! The layout of packaged files and what is kept from the input (`docs/formats/protected-file.md`).

use std::io::Cursor;

use crate::support::{
    CLIPS, HEADER, KEY, KEY_ID, Seeded, clip, decrypt_with, package_with, packaged, samples, top_boxes,
};
use admit_crypto::{ContentKey, rustcrypto};
use admit_media::{
    ADMIT_SYSTEM_ID, COMMON_SYSTEM_ID, FourCc, KeyId, Metadata, Node, Pssh, Summary, SystemId, fourcc, frame::put_box,
    inspect, protections,
};
use admit_packager::Protection;

fn summary(file: &[u8]) -> Summary {
    inspect(Cursor::new(file)).unwrap()
}

#[test]
fn the_head_names_scheme_key_and_systems() {
    let file = packaged(&clip("high-progressive"));
    let summary = summary(&file);
    for (track, codec) in summary.tracks.iter().zip([fourcc::AVC1, fourcc::MP4A]) {
        let protection = track.entries[0].protection.unwrap();
        assert_eq!((protection.scheme, protection.original_format), (fourcc::CENC, codec));
        let tenc = protection.tenc.unwrap();
        assert_eq!((tenc.key_id, tenc.iv_size, tenc.protected), (KEY_ID, 8, true));
    }
    let systems: Vec<_> = summary.pssh.iter().map(|pssh| (pssh.system_id, pssh.key_ids.clone())).collect();
    assert_eq!(systems, [(ADMIT_SYSTEM_ID, Some(vec![KEY_ID])), (COMMON_SYSTEM_ID, Some(vec![KEY_ID]))]);
    let found = protections(Cursor::new(&file)).unwrap();
    assert_eq!((&found.pssh, found.key_ids), (&summary.pssh, vec![KEY_ID]));
    assert_eq!(found.pssh[0].data, HEADER);
}

#[test]
fn the_head_names_every_key_once_that_entries_groups_and_systems_name() {
    let mut file = packaged(&clip("high-progressive"));
    // The second track has a key of its own.
    let at = file.windows(4).rposition(|window| window == b"tenc").unwrap() + 4 + 8;
    assert_eq!(file[at..at + 16], *KEY_ID.as_bytes());
    file[at..at + 16].fill(5);
    let boxes = top_boxes(&file);
    let at = usize::try_from(boxes.iter().find(|found| found.kind == fourcc::MOOV).unwrap().offset).unwrap();
    let mut moov = Node::parse(&file[at..], 0).unwrap();
    let stbl = [fourcc::TRAK, fourcc::MDIA, fourcc::MINF, fourcc::STBL];
    let groups = Node::build_full(fourcc::SGPD, 1, 0, |out| {
        // Two groups: one protected by its own key, one clear.
        out.extend_from_slice(b"seig\0\0\0\x14\0\0\0\x02\0\0\x01\x08");
        out.extend_from_slice(&[6; 16]);
        out.extend_from_slice(b"\0\0\0\0");
        out.extend_from_slice(&[9; 16]);
    });
    moov.descend_mut(&stbl).unwrap().children_mut().unwrap().push(groups);
    let mut listed = Vec::new();
    let key_ids = Some(vec![KeyId::from_bytes([6; 16]), KeyId::from_bytes([7; 16])]);
    Pssh { system_id: SystemId([1; 16]), key_ids, data: Vec::new() }.write(&mut listed);
    moov.children_mut().unwrap().push(Node::build(fourcc::PSSH, |out| out.extend_from_slice(&listed[8..])));
    let mut head = file[..at].to_vec();
    moov.write(&mut head);
    let found = protections(Cursor::new(&head)).unwrap();
    assert_eq!(
        found.key_ids,
        [KEY_ID, KeyId::from_bytes([6; 16]), KeyId::from_bytes([5; 16]), KeyId::from_bytes([7; 16])]
    );
    assert_eq!(found.pssh.len(), 3);
}

#[test]
fn without_a_header_the_file_names_its_key_and_nothing_else() {
    let key = ContentKey::from_bytes(KEY);
    let protection = Protection { key_id: KEY_ID, key: &key, pssh_data: None, metadata: Metadata::default() };
    let (mut file, input) = (Cursor::new(Vec::new()), Cursor::new(clip("high-progressive")));
    let (entropy, provider) = (&mut Seeded(0x5a), &rustcrypto::PROVIDER);
    admit_packager::package(input, &mut file, &protection, entropy, provider, &mut |_, _| ()).unwrap();
    let pssh = summary(file.get_ref()).pssh;
    let systems: Vec<_> = pssh.into_iter().map(|pssh| (pssh.system_id, pssh.key_ids, pssh.data.len())).collect();
    assert_eq!(systems, [(COMMON_SYSTEM_ID, Some(vec![KEY_ID]), 0)]);
}

#[test]
fn b01_the_copy_is_encrypted_and_keeps_its_metadata_in_clear() {
    let metadata = Metadata { title: Some("New title".into()), album: Some("Album".into()), ..Metadata::default() };
    let (file, report) = package_with(&clip("high-progressive"), metadata).unwrap();
    let found = summary(&file).metadata;
    assert_eq!((found.title.as_deref(), found.album.as_deref()), (Some("New title"), Some("Album")));
    assert_eq!((found.artist.as_deref(), found.copyright.as_deref()), (Some("Admit"), Some("Public domain")));
    assert_eq!((report.encrypted_tracks, report.encrypted_samples), (2, 138));
    assert_eq!(report.output_bytes, file.len() as u64);
}

#[test]
fn fragments_begin_with_sync_samples_and_the_index_finds_them() {
    let file = packaged(&clip("long-progressive"));
    let boxes = top_boxes(&file);
    let index = boxes.iter().find(|found| found.kind == fourcc::SIDX).unwrap();
    let (start, end) = (usize::try_from(index.offset).unwrap(), usize::try_from(index.end()).unwrap());
    let references: Vec<_> = file[start + 40..end].chunks_exact(12).collect();
    assert_eq!(references.len(), 4);
    let mut offset = index.end();
    for reference in references {
        assert!(boxes.iter().any(|found| found.kind == fourcc::MOOF && found.offset == offset));
        offset += u64::from(u32::from_be_bytes(reference[..4].try_into().unwrap()));
        assert_eq!(reference[8], 0x90, "starts with a sync sample");
    }
    assert_eq!(offset, file.len() as u64);
}

#[test]
fn samples_are_the_same_after_both_ways() {
    for name in CLIPS {
        let protected = packaged(&clip(name));
        let clear = decrypt_with(&protected, KEY).unwrap();
        assert_eq!(clear.len(), protected.len(), "{name}");
        let left = summary(&clear);
        assert!(left.pssh.is_empty(), "{name}");
        assert!(left.tracks.iter().all(|track| track.entries[0].protection.is_none()), "{name}");
        // Packaging the clear file again gives the same samples in the same fragments.
        assert_eq!(samples(&packaged(&clear)), samples(&protected), "{name}");
    }
}

#[test]
fn output_is_a_function_of_its_inputs() {
    let clip = clip("baseline-fragmented");
    assert_eq!(packaged(&clip), packaged(&clip));
}

#[test]
fn unknown_boxes_are_kept_byte_for_byte() {
    let mut unknown = Vec::new();
    put_box(&mut unknown, FourCc(*b"xyz "), |out| out.extend_from_slice(b"kept as it is"));
    let clip = [clip("baseline-progressive"), unknown.clone()].concat();
    let file = packaged(&clip);
    assert!(file.windows(unknown.len()).any(|window| window == unknown));
    let kinds: Vec<_> = top_boxes(&file).iter().map(|found| found.kind).collect();
    let expected = [fourcc::FTYP, fourcc::MOOV, FourCc(*b"xyz "), fourcc::SIDX, fourcc::MOOF, fourcc::MDAT];
    assert_eq!(kinds, expected);
}

#[test]
fn a_wrong_key_gives_other_bytes() {
    let protected = packaged(&clip("audio-only"));
    assert_ne!(decrypt_with(&protected, [0x12; 16]).unwrap(), decrypt_with(&protected, KEY).unwrap());
}
