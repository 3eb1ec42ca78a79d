//! Where fragments begin, as far as that is known: so that whoever seeks need not walk from the beginning of the file.

use std::io::{Read, Seek};

use crate::io::{Input, TopBox};
use crate::{Error, fourcc, sidx};

/// Offsets of `moof` boxes, ascending. When there are too many, every second is forgotten.
#[derive(Debug, Default)]
pub(super) struct Landmarks(Vec<u64>);

impl Landmarks {
    /// Finds the first `moof` and the indexes before it; says whether there is one.
    pub(super) fn find_first<R: Read + Seek>(&mut self, input: &mut Input<R>) -> Result<bool, Error> {
        let mut offset = 0;
        while let Some(found) = input.box_at(offset)? {
            match found.kind {
                fourcc::MOOF => {
                    self.add(offset);
                    return Ok(true);
                }
                fourcc::SIDX => self.take_index(input, &found)?,
                _ => (),
            }
            offset = found.end();
        }
        Ok(false)
    }

    /// The last `moof` that begins at this offset or before; none where there is none.
    pub(super) fn before<R: Read + Seek>(
        &mut self,
        input: &mut Input<R>,
        offset: u64,
    ) -> Result<Option<TopBox>, Error> {
        let mut last = self.last_known(input, offset)?;
        let mut next = last.map_or(0, |place| place.end());
        while let Some(found) = input.box_at(next)?.filter(|found| found.offset <= offset) {
            if found.kind == fourcc::MOOF {
                self.add(found.offset);
                last = Some(found);
            }
            next = found.end();
        }
        Ok(last)
    }

    /// The last one that is known. An index may say that one is where there is none.
    fn last_known<R: Read + Seek>(&mut self, input: &mut Input<R>, offset: u64) -> Result<Option<TopBox>, Error> {
        loop {
            let count = self.0.partition_point(|&known| known <= offset);
            let Some(index) = count.checked_sub(1) else { return Ok(None) };
            match input.box_at(self.0[index]) {
                Ok(Some(found)) if found.kind == fourcc::MOOF => return Ok(Some(found)),
                Err(error @ Error::Read { .. }) => return Err(error),
                _ => drop(self.0.remove(index)),
            }
        }
    }

    /// Remembers one.
    pub(super) fn add(&mut self, offset: u64) {
        let Err(index) = self.0.binary_search(&offset) else { return };
        self.0.insert(index, offset);
        if self.0.len() > MAX_LANDMARKS {
            self.0 = self.0.iter().copied().step_by(2).collect();
        }
    }

    /// Remembers what an index names.
    fn take_index<R: Read + Seek>(&mut self, input: &mut Input<R>, place: &TopBox) -> Result<(), Error> {
        let index = input.read_box(place)?;
        let starts = sidx::starts(&index, place, input.len())?;
        starts.into_iter().for_each(|offset| self.add(offset));
        Ok(())
    }
}

/// How many are remembered: 64 KiB of them.
const MAX_LANDMARKS: usize = 8192;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_are_remembered_than_fit_and_they_stay_in_order() {
        let mut landmarks = Landmarks::default();
        (0..100_000).rev().for_each(|offset| landmarks.add(offset * 10));
        assert!(landmarks.0.len() <= MAX_LANDMARKS && landmarks.0.len() >= MAX_LANDMARKS / 2);
        assert!(landmarks.0.is_sorted());
        let before = landmarks.0.clone();
        landmarks.add(before[7]);
        assert_eq!(landmarks.0, before, "one that is known already");
    }
}
