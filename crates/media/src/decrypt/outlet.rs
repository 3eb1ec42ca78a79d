//! What leaves in the order of the file, block by block: boxes that are small are gathered, for a file may have a million.

use std::io::{Read, Seek};

use super::lane::{Ciphers, Lane};
use crate::io::{Input, Sink, TopBox};
use crate::{Error, Location};

/// Between the file and the sink. `lanes`, where they are asked for, are those of the fragment that bytes belong to.
pub(super) struct Outlet<'s, 'k, 'a> {
    sink: &'s mut dyn Sink,
    progress: &'s mut dyn FnMut(u64, u64),
    pub(super) ciphers: Ciphers<'k>,
    /// The samples that `moov` itself describes.
    pub(super) tables: Vec<Lane<'a>>,
    /// The block that is being filled; empty where none is lent.
    block: Vec<u8>,
    used: usize,
    /// How much of it is in clear.
    clear: usize,
    /// Bytes of the file before it.
    passed: u64,
    /// Bytes in the file.
    length: u64,
}

impl<'s, 'k, 'a> Outlet<'s, 'k, 'a> {
    pub(super) fn new(
        sink: &'s mut dyn Sink,
        progress: &'s mut dyn FnMut(u64, u64),
        ciphers: Ciphers<'k>,
        tables: Vec<Lane<'a>>,
        length: u64,
    ) -> Self {
        Self { sink, progress, ciphers, tables, block: Vec::new(), used: 0, clear: 0, passed: 0, length }
    }

    /// Passes a box on as it is, but for the samples in it.
    pub(super) fn copy<R: Read + Seek>(
        &mut self,
        input: &mut Input<R>,
        found: &TopBox,
        lanes: &mut [Lane<'_>],
    ) -> Result<(), Error> {
        let mut offset = found.offset;
        while offset < found.end() {
            let left = usize::try_from(found.end() - offset).unwrap_or(usize::MAX);
            let room = self.room(lanes)?;
            let part = &mut self.block[self.used..][..room.min(left)];
            input.read_at(offset, part)?;
            (self.used, offset) = (self.used + part.len(), offset + part.len() as u64);
        }
        self.put_what_is_enough(lanes)
    }

    /// Passes bytes on that are clear and that no sample is in.
    pub(super) fn put_clear(&mut self, mut bytes: &[u8], lanes: &mut [Lane<'_>]) -> Result<(), Error> {
        self.open(lanes)?;
        while !bytes.is_empty() {
            let room = self.room(lanes)?;
            let (now, later) = bytes.split_at(bytes.len().min(room));
            self.block[self.used..][..now.len()].copy_from_slice(now);
            self.used += now.len();
            self.clear = self.used;
            bytes = later;
        }
        self.put_what_is_enough(lanes)
    }

    /// Decrypts what was gathered of samples.
    pub(super) fn open(&mut self, lanes: &mut [Lane<'_>]) -> Result<(), Error> {
        let (start, part) = (self.passed + self.clear as u64, &mut self.block[self.clear..self.used]);
        if !part.is_empty() {
            self.tables.iter_mut().try_for_each(|lane| lane.decrypt(start, part, &mut self.ciphers))?;
            lanes.iter_mut().try_for_each(|lane| lane.decrypt(start, part, &mut self.ciphers))?;
            self.clear = self.used;
        }
        Ok(())
    }

    /// Puts out what is left, all of which is clear, and checks that all samples of `moov` have passed.
    pub(super) fn finish(&mut self, moov: Location) -> Result<(), Error> {
        self.put()?;
        self.tables.iter().try_for_each(|lane| lane.finished(moov))
    }

    /// Puts out what was gathered and is in clear before something broken. Where nothing has left yet, nothing does: a use that
    /// gives next to nothing is not charged.
    pub(super) fn put_clear_before_fault(&mut self) {
        self.used = self.clear;
        if self.passed > 0 {
            // What is broken is what is told.
            let _ = self.put();
        }
    }

    /// How much fits into the block, which is put out and replaced where it is full.
    fn room(&mut self, lanes: &mut [Lane<'_>]) -> Result<usize, Error> {
        if self.used == self.block.len() {
            self.open(lanes)?;
            self.put()?;
            self.block = self.sink.buffer();
        }
        Ok(self.block.len() - self.used)
    }

    fn put_what_is_enough(&mut self, lanes: &mut [Lane<'_>]) -> Result<(), Error> {
        if self.used < ENOUGH {
            return Ok(());
        }
        self.open(lanes)?;
        self.put()
    }

    fn put(&mut self) -> Result<(), Error> {
        if self.used > 0 {
            let (block, used) = (std::mem::take(&mut self.block), std::mem::take(&mut self.used));
            self.clear = 0;
            self.sink.put(block, used).map_err(|error| Error::write(&error))?;
            self.passed += used as u64;
            (self.progress)(self.passed, self.length);
        }
        Ok(())
    }
}

/// Bytes that are put out at the end of a box without waiting for more.
pub(super) const ENOUGH: usize = 4 << 10;
