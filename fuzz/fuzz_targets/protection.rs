//! The protection boxes (ISO/IEC 23001-7) and the tables around them, each by its own reader. What can be written is
//! read back as the same.
#![no_main]

use admit_fuzz::{mutate, seeds};
use admit_media::{
    AuxInfo, Cursor, Defaults, Groups, KeyId, Location, Metadata, Movie, Node, Pssh, SampleEntryProtection,
    SampleTable, Scheme, SharedDescriptions, Sizes, Tenc, build_sinf, fourcc, saio_offsets, track_fragments,
};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| { mutate::boxes(data, size, max_size, seed) });

fuzz_target!(init: seeds::offer(seeds), |bytes: &[u8]| {
    let cursor = || Cursor::new(bytes, Location::top(0));
    if let Ok(pssh) = Pssh::parse(cursor()) {
        let mut written = Vec::new();
        pssh.write(&mut written);
        assert_eq!(Pssh::parse(Cursor::new(&written[8..], Location::top(0))), Ok(pssh));
    }
    if let Ok(tenc) = Tenc::parse(cursor())
        && tenc.constant_iv.is_none()
        && tenc.pattern == (0, 0)
    {
        let mut written = Vec::new();
        tenc.write(&mut written);
        assert_eq!(Tenc::parse(Cursor::new(&written[8..], Location::top(0))), Ok(tenc));
    }
    if let Ok(Some(mut info)) = AuxInfo::senc(cursor()) {
        let iv_size = [0, 8, 16][bytes.len() % 3];
        (0..SOME).take_while(|_| info.next_entry(iv_size).is_ok()).for_each(drop);
    }
    if let Ok(node) = Node::parse(bytes, 0) {
        read_all(&node, 0);
    }
});

/// Reads a box as everything that it may be, and the boxes in it.
fn read_all(node: &Node<'_>, depth: usize) {
    let _ = SampleEntryProtection::read(node);
    if let Ok(mut groups) = Groups::read(node, &SharedDescriptions::new(node)) {
        for _ in 0..SOME {
            let _ = groups.next_sample();
        }
    }
    if let Ok(Some(mut sizes)) = Sizes::read(node) {
        let all = sizes.total(u64::MAX);
        let first = sizes.total(3);
        sizes.step_over(3);
        assert_eq!(first + sizes.total(u64::MAX), all);
    }
    if let Ok(Some(offsets)) = saio_offsets(node) {
        assert!(offsets.len() * 4 <= node.size());
    }
    if let Ok(table) = SampleTable::read(node) {
        let _ = table.samples().take(SOME).take_while(Result::is_ok).count();
        let _ = table.chunk_sizes().take(SOME).count();
    }
    let default = Defaults { description: 1, duration: 1, size: 1, flags: 0 };
    for fragment in track_fragments(node, |_| default).into_iter().flatten() {
        for run in &fragment.runs {
            assert!(run.samples(0).take(SOME).count() <= run.count as usize);
        }
    }
    let _ = (Movie::read(node), Metadata::read(node));
    if depth < 16 {
        node.children().iter().take(64).for_each(|child| read_all(child, depth + 1));
    }
}

/// Samples that are looked at. A table may promise four thousand million in twelve bytes.
const SOME: usize = 1000;

fn seeds() -> Vec<Vec<u8>> {
    let key_id = KeyId::from_bytes([7; 16]);
    let tenc = Tenc { protected: true, iv_size: 8, key_id, constant_iv: None, pattern: (0, 0) };
    let sinf = build_sinf(fourcc::AVC1, Scheme::Cenc, &tenc);
    let pssh = Pssh { system_id: admit_media::ADMIT_SYSTEM_ID, key_ids: Some(vec![key_id]), data: b"header".to_vec() };
    let (mut boxes, mut tenc_box, mut pssh_box) = (Vec::new(), Vec::new(), Vec::new());
    Node::container(fourcc::STSD, vec![0; 8], vec![Node::container(fourcc::ENCV, vec![0; 78], vec![sinf])])
        .write(&mut boxes);
    tenc.write(&mut tenc_box);
    pssh.write(&mut pssh_box);
    let mut seeds = vec![boxes, tenc_box[8..].to_vec(), pssh_box[8..].to_vec()];
    seeds.extend(seeds::clips().iter().flat_map(|clip| seeds::boxes(clip, seeds::TREES)));
    seeds
}
