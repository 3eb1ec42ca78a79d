//! What stands before the fragments: `ftyp`, and `moov` with the protection of every track and system.

use admit_media::{
    ADMIT_SYSTEM_ID, COMMON_SYSTEM_ID, Error as MediaError, FourCc, Movie, Node, Pssh, Scheme, Tenc, build_sinf, fourcc,
};

use crate::Error;
use crate::package::Protection;
use crate::track::{Content, Track};

/// The output's `ftyp`: the input's with the brands that fragments and an index need.
pub(crate) fn file_type(input: Option<&[u8]>) -> Vec<u8> {
    let mut payload = input.map_or_else(|| b"isom\0\0\x02\0isom".to_vec(), <[u8]>::to_vec);
    for brand in [b"iso6", b"dash"] {
        if !payload.get(8..).unwrap_or_default().chunks_exact(4).any(|found| found == brand) {
            payload.extend_from_slice(brand);
        }
    }
    let mut out = Vec::new();
    Node::build(fourcc::FTYP, |out| out.extend_from_slice(&payload)).write(&mut out);
    out
}

/// The output's `moov`.
pub(crate) fn movie(
    input: &Node<'_>,
    movie: &Movie,
    tracks: &[Track<'_>],
    protection: &Protection<'_>,
) -> Result<Vec<u8>, Error> {
    let mut moov = input.clone();
    let traks = moov.children_mut().into_iter().flatten().filter(|child| child.kind == fourcc::TRAK);
    for (trak, track) in traks.zip(tracks) {
        let stbl = trak.descend_mut(&[fourcc::MDIA, fourcc::MINF, fourcc::STBL])?;
        empty_tables(stbl);
        if !matches!(track.content, Content::Clear) {
            protect(stbl, &track.content, protection)?;
        }
    }
    protection.metadata.write(&mut moov);
    let children = moov.children_mut().expect("moov is a container");
    children.retain(|child| child.kind != fourcc::PSSH);
    if !movie.fragmented {
        children.push(fragments_follow(movie));
    }
    children.extend(headers(protection));
    let mut out = Vec::with_capacity(moov.size());
    moov.write(&mut out);
    Ok(out)
}

/// Takes the samples out of the tables; what describes none of them stays.
fn empty_tables(stbl: &mut Node<'_>) {
    let Some(children) = stbl.children_mut() else { return };
    children.retain(|child| !SAMPLE_TABLES.contains(&child.kind));
    for (kind, fields) in [(fourcc::STTS, 1), (fourcc::STSC, 1), (fourcc::STSZ, 2), (fourcc::STCO, 1)] {
        children.push(Node::build_full(kind, 0, 0, |out| out.resize(out.len() + 4 * fields, 0)));
    }
}

fn protect(stbl: &mut Node<'_>, content: &Content, protection: &Protection<'_>) -> Result<(), Error> {
    let stsd = stbl.need_mut(fourcc::STSD)?;
    let tenc = Tenc { protected: true, iv_size: 8, key_id: protection.key_id, constant_iv: None, pattern: (0, 0) };
    for entry in stsd.children_mut().into_iter().flatten() {
        let original = entry.kind;
        entry.kind = if matches!(content, Content::Whole) { fourcc::ENCA } else { fourcc::ENCV };
        let at = entry.at;
        let children = entry.children_mut();
        let children = children.ok_or(MediaError::UnsupportedLayout { at, what: "a sample entry without boxes" })?;
        children.push(build_sinf(original, Scheme::Cenc, &tenc));
    }
    Ok(())
}

/// `mvex` for a movie that had no fragments.
fn fragments_follow(movie: &Movie) -> Node<'static> {
    let mehd = Node::build_full(fourcc::MEHD, 1, 0, |out| out.extend_from_slice(&movie.duration.to_be_bytes()));
    let trex = |id: u32| {
        Node::build_full(fourcc::TREX, 0, 0, |out| {
            [id, 1, 0, 0, 0].iter().for_each(|field| out.extend_from_slice(&field.to_be_bytes()));
        })
    };
    let children = std::iter::once(mehd).chain(movie.tracks.iter().map(|track| trex(track.id)));
    Node::container(fourcc::MVEX, Vec::new(), children.collect())
}

/// Our header where there is one, and the common one that lists the key.
fn headers(protection: &Protection<'_>) -> Vec<Node<'static>> {
    let key_ids = Some(vec![protection.key_id]);
    let ours = protection.pssh_data.map(|data| {
        let key_ids = key_ids.clone();
        Pssh { system_id: ADMIT_SYSTEM_ID, key_ids, data: data.to_vec() }
    });
    let common = Pssh { system_id: COMMON_SYSTEM_ID, key_ids, data: Vec::new() };
    let build = |pssh: Pssh| {
        Node::build(fourcc::PSSH, |out| {
            let mut whole = Vec::new();
            pssh.write(&mut whole);
            out.extend_from_slice(&whole[8..]);
        })
    };
    ours.into_iter().chain([common]).map(build).collect()
}

/// Tables that describe samples by their number in the track, and so nothing once there are fragments.
const SAMPLE_TABLES: [FourCc; 16] = [
    fourcc::STTS,
    fourcc::CTTS,
    fourcc::STSC,
    fourcc::STSZ,
    fourcc::STZ2,
    fourcc::STCO,
    fourcc::CO64,
    fourcc::STSS,
    fourcc::SBGP,
    fourcc::SAIZ,
    fourcc::SAIO,
    FourCc(*b"stsh"),
    FourCc(*b"padb"),
    FourCc(*b"stdp"),
    FourCc(*b"sdtp"),
    FourCc(*b"subs"),
];
