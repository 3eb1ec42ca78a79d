//! The Merkle tree that lets one signature answer many requests (RFC 10049 section 5.3).

use admit_crypto::Provider;

use crate::Error;

/// Bytes in a hash: SHA-512, cut to its first half.
pub const HASH_LENGTH: usize = 32;

/// The most hashes that a path may have (section 5.2.4).
pub const MAX_PATH_HASHES: usize = 32;

/// The hash of a leaf, which is a whole request packet.
#[must_use]
pub fn leaf_hash(provider: &Provider, request_packet: &[u8]) -> [u8; HASH_LENGTH] {
    hash(provider, &[&[0x00], request_packet])
}

/// The hash of an inner node.
#[must_use]
pub fn node_hash(provider: &Provider, left: &[u8; HASH_LENGTH], right: &[u8; HASH_LENGTH]) -> [u8; HASH_LENGTH] {
    hash(provider, &[&[0x01], left, right])
}

/// The root to which a leaf leads (section 5.3.1). Bit n of the index says on which side the way lies at height n;
/// bits above the path's length would lie outside the tree.
pub(super) fn root(
    provider: &Provider,
    leaf: [u8; HASH_LENGTH],
    index: u32,
    path: &[[u8; HASH_LENGTH]],
) -> Result<[u8; HASH_LENGTH], Error> {
    if path.len() > MAX_PATH_HASHES {
        return Err(Error::PathTooLong { hashes: path.len() });
    }
    if u64::from(index) >> path.len() != 0 {
        return Err(Error::IndexOutsideTree { index, height: path.len() });
    }
    let sides = (0..path.len()).map(|height| index >> height & 1 == 0);
    Ok(path.iter().zip(sides).fold(leaf, |hash, (sibling, is_left)| match is_left {
        true => node_hash(provider, &hash, sibling),
        false => node_hash(provider, sibling, &hash),
    }))
}

pub(super) fn hash(provider: &Provider, parts: &[&[u8]]) -> [u8; HASH_LENGTH] {
    *(provider.sha512)(parts).first_chunk().expect("SHA-512 gives 64 bytes")
}
