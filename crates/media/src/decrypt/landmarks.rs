//! Where boxes begin and which `moof` they belong to, as far as that is known: so that whoever seeks need not walk from the
//! beginning of the file.

use std::io::{Read, Seek};

use crate::io::{Input, TopBox};
use crate::{Error, Location, fourcc, sidx};

/// Boxes that are known, ascending, and no two of them close to each other: as many fit as the file has room for.
#[derive(Debug)]
pub(super) struct Landmarks {
    known: Vec<Landmark>,
    spacing: u64,
}

/// Where a box begins, and where the last `moof` does that is not behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Landmark {
    offset: u64,
    moof: Option<u64>,
}

/// What is at an offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    /// The box.
    pub(super) here: TopBox,
    /// Where the last `moof` begins that is not behind it; none where there is none.
    pub(super) moof: Option<u64>,
}

impl Landmarks {
    /// None yet, of a file of this length.
    pub(super) fn new(length: u64) -> Self {
        Self { known: Vec::new(), spacing: length / MAX_LANDMARKS + 1 }
    }

    /// Finds the first `moof` and the indexes before it; says whether there is one.
    pub(super) fn find_first<R: Read + Seek>(&mut self, input: &mut Input<R>) -> Result<bool, Error> {
        let mut offset = 0;
        while let Some(found) = input.box_at(offset)? {
            match found.kind {
                fourcc::MOOF => {
                    self.add(offset, Some(offset));
                    return Ok(true);
                }
                fourcc::SIDX => self.take_index(input, &found)?,
                _ => self.add(offset, None),
            }
            offset = found.end();
        }
        Ok(false)
    }

    /// What is at an offset inside the file.
    pub(super) fn find<R: Read + Seek>(&mut self, input: &mut Input<R>, offset: u64) -> Result<Found, Error> {
        let (mut next, mut moof) =
            self.last_known(input, offset)?.map_or((0, None), |known| (known.offset, known.moof));
        loop {
            let missing = Error::Missing { at: Location::top(next), wanted: fourcc::MDAT };
            let here = input.box_at(next)?.ok_or(missing)?;
            if here.kind == fourcc::MOOF {
                moof = Some(here.offset);
            }
            self.add(here.offset, moof);
            if offset < here.end() {
                return Ok(Found { here, moof });
            }
            next = here.end();
        }
    }

    /// The last one that is known. An index may say that one is where there is none.
    fn last_known<R: Read + Seek>(&mut self, input: &mut Input<R>, offset: u64) -> Result<Option<Landmark>, Error> {
        loop {
            let count = self.known.partition_point(|known| known.offset <= offset);
            let Some(index) = count.checked_sub(1) else { return Ok(None) };
            let known = self.known[index];
            match input.box_at(known.offset) {
                Ok(Some(found)) if found.kind == fourcc::MOOF || known.moof != Some(known.offset) => {
                    return Ok(Some(known));
                }
                Err(error @ Error::Read { .. }) => return Err(error),
                _ => drop(self.known.remove(index)),
            }
        }
    }

    /// Remembers the box at an offset, and the last `moof` that is not behind it.
    pub(super) fn add(&mut self, offset: u64, moof: Option<u64>) {
        let index = self.known.partition_point(|known| known.offset < offset);
        let is_near = |known: &Landmark| known.offset.abs_diff(offset) < self.spacing;
        let before = index.checked_sub(1).and_then(|before| self.known.get(before));
        if !before.is_some_and(is_near) && !self.known.get(index).is_some_and(is_near) {
            self.known.insert(index, Landmark { offset, moof });
        }
    }

    /// Remembers what an index names.
    fn take_index<R: Read + Seek>(&mut self, input: &mut Input<R>, place: &TopBox) -> Result<(), Error> {
        let index = input.read_box(place)?;
        let starts = sidx::starts(&index, place, input.len())?;
        starts.into_iter().for_each(|offset| self.add(offset, Some(offset)));
        Ok(())
    }
}

/// How many are remembered: 192 KiB of them.
const MAX_LANDMARKS: u64 = 8192;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_are_remembered_than_fit_and_they_are_spread_over_the_file() {
        let mut landmarks = Landmarks::new(10_000_000);
        (0..1_000_000).rev().for_each(|index| landmarks.add(index * 10, None));
        let known: Vec<_> = landmarks.known.iter().map(|known| known.offset).collect();
        assert!(known.len() as u64 <= MAX_LANDMARKS && known.len() as u64 >= MAX_LANDMARKS / 2, "{}", known.len());
        assert!(known.windows(2).all(|pair| (landmarks.spacing..2 * landmarks.spacing).contains(&(pair[1] - pair[0]))));
        landmarks.add(known[7], None);
        assert_eq!(landmarks.known.len(), known.len(), "one that is known already");
    }

    #[test]
    fn what_is_found_is_the_box_and_its_fragment_wherever_it_was_sought_before() {
        let bytes = [&b"\0\0\0\x08free"[..], b"\0\0\0\x08moof", b"\0\0\0\x0cmdatABCD", b"\0\0\0\x08moof"].concat();
        let mut input = Input::new(std::io::Cursor::new(bytes)).unwrap();
        let mut landmarks = Landmarks::new(input.len());
        // A `moof` where there is none, as an index may say.
        landmarks.add(20, Some(20));
        for (offset, here, moof) in
            [(27, 16, Some(8)), (35, 28, Some(28)), (0, 0, None), (20, 16, Some(8)), (8, 8, Some(8))]
        {
            let found = landmarks.find(&mut input, offset).unwrap();
            assert_eq!((found.here.offset, found.moof), (here, moof), "{offset}");
        }
    }
}
