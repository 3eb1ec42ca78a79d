//! Whether pieces of one file stand in another: how the demonstration sees that media was encrypted, and that it came
//! out again, without a decoder.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// How many pieces of the first file's media data stand in the second, and how many there are.
pub(super) fn found(media: &Path, other: &Path) -> Result<(usize, usize)> {
    let media = fs::read(media).with_context(|| format!("{} cannot be read", media.display()))?;
    let other = fs::read(other).with_context(|| format!("{} cannot be read", other.display()))?;
    let standing: HashSet<&[u8]> = other.windows(PIECE).collect();
    let pieces: Vec<&[u8]> = media_data(&media).chunks_exact(PIECE).filter(|piece| is_dense(piece)).collect();
    let found = pieces.iter().filter(|&piece| standing.contains(piece)).count();
    Ok((found, pieces.len()))
}

/// The payload of the first `mdat` box; all of the file where there is none.
fn media_data(file: &[u8]) -> &[u8] {
    let mut rest = file;
    while let Some((size, kind)) = rest.first_chunk::<8>().map(|head| (&head[..4], &head[4..])) {
        let size = u32::from_be_bytes(size.try_into().expect("four bytes")) as usize;
        if kind == b"mdat" {
            return rest.get(8..size).unwrap_or(rest);
        }
        rest = rest.get(size.max(8)..).unwrap_or_default();
    }
    file
}

/// Whether a piece has so many different bytes that it stands elsewhere only because it was copied: not silence, nor
/// text that a header carries.
fn is_dense(piece: &[u8]) -> bool {
    let different: HashSet<u8> = piece.iter().copied().collect();
    different.len() * 10 >= piece.len() * 8 && !piece.iter().all(u8::is_ascii)
}

const PIECE: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_found_wherever_they_stand() {
        let folder = tempfile::tempdir().unwrap();
        let data: Vec<u8> = (0..=255).map(|byte: u8| byte.wrapping_mul(97)).collect();
        let media = [&[0, 0, 0, 8][..], b"free", &264_u32.to_be_bytes(), b"mdat", &data].concat();
        let (first, second) = (folder.path().join("media"), folder.path().join("other"));
        fs::write(&first, media).unwrap();
        fs::write(&second, [b"moved by this", &data[..128]].concat()).unwrap();
        assert_eq!(found(&first, &second).unwrap(), (4, 8));
        fs::write(&second, data.iter().map(|byte| byte ^ 0x55).collect::<Vec<_>>()).unwrap();
        assert_eq!(found(&first, &second).unwrap(), (0, 8));
    }
}
