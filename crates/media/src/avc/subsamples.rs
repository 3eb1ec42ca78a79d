//! Subsample maps of H.264 samples for `cenc` (ISO/IEC 23001-7 section 9.5): NAL lengths, NAL headers, slice headers
//! and everything that is no slice stay clear; protected ranges are whole blocks.

use super::BadNal;
use super::parameter_sets::{Pps, Sps};
use super::slice::{NalHeader, header_length};
use crate::{Cursor, Error, Location, SubsampleMap};

/// Maps samples of one track; remembers the parameter sets it has seen.
#[derive(Debug, Clone)]
pub struct AvcSubsamples {
    length_size: usize,
    sequence_sets: Vec<Sps>,
    picture_sets: Vec<Pps>,
}

impl AvcSubsamples {
    /// Begins with the payload of `avcC` (ISO/IEC 14496-15 section 5.3.3.1).
    pub fn new(mut avcc: Cursor<'_>) -> Result<Self, Error> {
        avcc.bytes(4)?;
        let length_size = usize::from(avcc.u8()? & 3) + 1;
        let mut maps = Self { length_size, sequence_sets: Vec::new(), picture_sets: Vec::new() };
        for mask in [31, 255] {
            for _ in 0..avcc.u8()? & mask {
                let length = avcc.u16()?;
                let at = avcc.at();
                maps.remember(avcc.bytes(length.into())?).map_err(|bad| bad.at(at))?;
            }
        }
        Ok(maps)
    }

    /// Appends the map of a sample to `map`. The sample lies at `at`.
    pub fn map(&mut self, sample: &[u8], at: Location, map: &mut SubsampleMap) -> Result<(), Error> {
        let mut cursor = Cursor::new(sample, at);
        let mut clear = 0;
        while !cursor.rest().is_empty() {
            let length = cursor.bytes(self.length_size)?.iter().fold(0, |length, &byte| length << 8 | u32::from(byte));
            let at = cursor.at();
            let nal = cursor.table(length, 1)?;
            let header = self.clear_bytes(nal).map_err(|bad| bad.at(at))?;
            // What is left of the last block is clear, and joins what is clear in the next NAL unit.
            let rest = (nal.len() - header) % 16;
            let protected = nal.len() - header - rest;
            clear += self.length_size + header;
            if protected > 0 {
                map.push(clear, protected);
                clear = 0;
            }
            clear += rest;
        }
        map.push_clear(clear);
        Ok(())
    }

    /// Bytes at the start of a NAL unit that stay clear.
    fn clear_bytes(&mut self, nal: &[u8]) -> Result<usize, BadNal> {
        let Some((&first, payload)) = nal.split_first() else { return Ok(0) };
        match first & 31 {
            kind @ (1 | 2 | 5) => {
                let header = NalHeader { idr: kind == 5, reference: first & 0x60 != 0 };
                Ok(1 + header_length(payload, header, |id| self.parameter_sets(id))?)
            }
            // Data partitions B and C have no slice header.
            3 | 4 => Ok(1),
            7 | 8 => self.remember(nal).map(|()| nal.len()),
            _ => Ok(nal.len()),
        }
    }

    fn remember(&mut self, nal: &[u8]) -> Result<(), BadNal> {
        let Some((&first, payload)) = nal.split_first() else { return Ok(()) };
        match first & 31 {
            7 => replace(&mut self.sequence_sets, Sps::parse(payload)?, |a, b| a.id == b.id),
            8 => replace(&mut self.picture_sets, Pps::parse(payload)?, |a, b| a.id == b.id),
            _ => (),
        }
        Ok(())
    }

    fn parameter_sets(&self, id: u32) -> Option<(&Sps, &Pps)> {
        let pps = self.picture_sets.iter().find(|pps| pps.id == id)?;
        self.sequence_sets.iter().find(|sps| sps.id == pps.sps_id).map(|sps| (sps, pps))
    }
}

fn replace<T>(sets: &mut Vec<T>, new: T, same: impl Fn(&T, &T) -> bool) {
    match sets.iter_mut().find(|set| same(set, &new)) {
        Some(set) => *set = new,
        None => sets.push(new),
    }
}
