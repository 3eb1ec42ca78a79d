//! Takes protection out of `moov` and `moof`, and makes up for what falls away with a `free` box at their end.

use crate::protection::{Sizes, saio_offsets, unprotect_entry};
use crate::tree::Node;
use crate::{Error, SampleEntryProtection, fourcc};

/// A `moov` without protection, of the same size.
pub(super) fn movie(moov: &Node<'_>) -> Result<Vec<u8>, Error> {
    let mut clear = moov.clone();
    retain(&mut clear, |child| child.kind != fourcc::PSSH);
    for trak in clear.children_mut().into_iter().flatten().filter(|child| child.kind == fourcc::TRAK) {
        retain(trak, |child| child.kind != fourcc::SENC);
        let stbl = trak.descend_mut(&[fourcc::MDIA, fourcc::MINF, fourcc::STBL])?;
        retain(stbl, keep);
        let stsd = stbl.need_mut(fourcc::STSD)?;
        for entry in stsd.children_mut().into_iter().flatten() {
            if let Some(protection) = SampleEntryProtection::read(entry)? {
                unprotect_entry(entry, protection.original_format);
            }
        }
    }
    Ok(written(clear, moov.size()))
}

/// A `moof` without protection, of the same size.
pub(super) fn fragment(moof: &Node<'_>) -> Vec<u8> {
    let mut clear = moof.clone();
    retain(&mut clear, |child| child.kind != fourcc::PSSH);
    clear.children_mut().into_iter().flatten().for_each(|child| retain(child, keep));
    written(clear, moof.size())
}

fn retain(node: &mut Node<'_>, keep: impl FnMut(&Node<'_>) -> bool) {
    if let Some(children) = node.children_mut() {
        children.retain(keep);
    }
}

/// Whether a box of `traf` or `stbl` has nothing to do with protection.
fn keep(node: &Node<'_>) -> bool {
    match node.kind {
        fourcc::SENC => false,
        fourcc::SAIZ => matches!(Sizes::read(node), Ok(None)),
        fourcc::SAIO => matches!(saio_offsets(node), Ok(None)),
        fourcc::SBGP | fourcc::SGPD => node.fields().rest().get(4..8) != Some(&fourcc::SEIG.0),
        _ => true,
    }
}

fn written(mut clear: Node<'_>, size: usize) -> Vec<u8> {
    let fallen_away = size - clear.size();
    if fallen_away > 0 {
        let free = Node::build(fourcc::FREE, |out| out.resize(fallen_away.saturating_sub(8), 0));
        clear.children_mut().expect("moov and moof are containers").push(free);
    }
    let mut bytes = Vec::with_capacity(size);
    clear.write(&mut bytes);
    debug_assert_eq!(bytes.len(), size);
    bytes
}
