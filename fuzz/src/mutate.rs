//! A mutation that keeps a file a file: one box is changed in its payload, taken away or doubled, and the sizes of all
//! boxes around it are put right. Without it nearly every longer mutation ends at the first size that is wrong.

use libfuzzer_sys::fuzzer_mutate;

/// Mutates the boxes in the first `size` bytes of `data`; gives the new size. Half of the mutations are libFuzzer's own.
pub fn boxes(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    if seed % 2 == 0 {
        return fuzzer_mutate(data, size, max_size);
    }
    let mut choice = Choice(seed);
    let path = choose(&data[..size], &mut choice);
    let Some(&(start, end)) = path.last() else { return fuzzer_mutate(data, size, max_size) };
    let old = data[start..end].to_vec();
    let old = old.as_slice();
    let new = match choice.below(8) {
        0 => Vec::new(),
        1 => [old, old].concat(),
        _ => mutated(old, max_size - size),
    };
    if size - old.len() + new.len() > max_size || path.len() < 2 && new.is_empty() {
        return fuzzer_mutate(data, size, max_size);
    }
    let whole = [&data[..start], &new, &data[end..size]].concat();
    data[..whole.len()].copy_from_slice(&whole);
    // The last of the path is the box itself, which has the size it should have.
    for (around, around_end) in &path[..path.len() - 1] {
        put_size(&mut data[*around..], around_end - around + new.len() - (end - start));
    }
    whole.len()
}

/// A box with its payload mutated by libFuzzer and its size put right; it grows by no more than `room`.
fn mutated(old: &[u8], room: usize) -> Vec<u8> {
    let mut payload = old[8..].to_vec();
    let length = payload.len();
    let longest = length + room.min(64);
    payload.resize(longest, 0);
    let length = if longest == 0 { 0 } else { fuzzer_mutate(&mut payload, length, longest) };
    let mut new = old[..8].to_vec();
    new.extend_from_slice(&payload[..length]);
    let size = new.len();
    put_size(&mut new, size);
    new
}

/// Goes down from the top level, a chosen box at each, and stops somewhere: the places of the boxes on the way.
fn choose(data: &[u8], choice: &mut Choice) -> Vec<(usize, usize)> {
    let (mut path, mut from, mut to) = (Vec::new(), 0, data.len());
    loop {
        let children = children(data, from, to);
        if children.is_empty() || !path.is_empty() && choice.below(6) == 0 {
            return path;
        }
        let (start, end) = children[choice.below(children.len())];
        path.push((start, end));
        let Some(prefix) = prefix(&data[start + 4..start + 8]) else { return path };
        (from, to) = ((start + 8 + prefix).min(end), end);
    }
}

fn children(data: &[u8], mut from: usize, to: usize) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    while from + 8 <= to {
        let size = u32::from_be_bytes(data[from..from + 4].try_into().expect("four bytes")) as usize;
        if size < 8 || size > to - from {
            break;
        }
        found.push((from, from + size));
        from += size;
    }
    found
}

/// For a container, the bytes before its first child.
fn prefix(kind: &[u8]) -> Option<usize> {
    match kind {
        b"moov" | b"trak" | b"edts" | b"mdia" | b"minf" | b"stbl" | b"mvex" | b"moof" | b"traf" | b"udta" | b"sinf"
        | b"schi" | b"ilst" => Some(0),
        b"meta" => Some(4),
        b"stsd" => Some(8),
        b"avc1" | b"avc3" | b"encv" => Some(78),
        b"mp4a" | b"enca" => Some(28),
        _ => None,
    }
}

fn put_size(bytes: &mut [u8], size: usize) {
    let size = u32::try_from(size).expect("inputs are short");
    bytes[..4].copy_from_slice(&size.to_be_bytes());
}

/// Numbers that follow from a seed.
struct Choice(u32);

impl Choice {
    fn below(&mut self, end: usize) -> usize {
        // The constants of Numerical Recipes; the high bits are the good ones.
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 8) as usize % end
    }
}
