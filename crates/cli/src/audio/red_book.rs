//! The samples of an audio disc as an image has them (IEC 60908, the "Red Book"): sectors of 588 frames of 16 bits in two
//! channels, at 44.1 kHz, track after track.

use std::io::Write;

use super::AudioError;

/// Writes the image, and knows where its tracks begin.
pub(crate) struct Disc<W> {
    out: W,
    /// First sectors of the tracks.
    starts: Vec<u64>,
    sectors: u64,
    /// Frames in the track that is being written.
    frames: u64,
    buffer: Vec<u8>,
}

impl<W: Write> Disc<W> {
    /// A disc without tracks.
    pub(crate) fn new(out: W) -> Self {
        Self { out, starts: Vec::new(), sectors: 0, frames: 0, buffer: Vec::new() }
    }

    /// Appends frames to the track.
    pub(crate) fn write(&mut self, frames: impl Iterator<Item = [i16; 2]>) -> Result<(), AudioError> {
        self.buffer.clear();
        for [left, right] in frames {
            self.buffer.extend_from_slice(&left.to_le_bytes());
            self.buffer.extend_from_slice(&right.to_le_bytes());
            self.frames += 1;
        }
        let length = self.sectors + gaps_of(self.starts.len() + 1) + self.frames.div_ceil(FRAMES_PER_SECTOR);
        if length > LONGEST_SECTORS {
            return Err(AudioError::TooLong(length));
        }
        self.put()
    }

    /// Ends the track with silence up to a whole sector, and to the least length of a track.
    pub(crate) fn end_track(&mut self) -> Result<(), AudioError> {
        let sectors = sectors_of(self.frames);
        let silence = sectors * FRAMES_PER_SECTOR - self.frames;
        self.buffer.clear();
        self.buffer.resize(usize::try_from(silence * 4).expect("less than four seconds"), 0);
        self.put()?;
        self.starts.push(self.sectors);
        self.sectors += sectors;
        self.frames = 0;
        Ok(())
    }

    /// Where the tracks begin, in sectors of the image.
    pub(crate) fn into_starts(self) -> (Vec<u64>, u64) {
        (self.starts, self.sectors)
    }

    fn put(&mut self) -> Result<(), AudioError> {
        self.out.write_all(&self.buffer).map_err(|error| AudioError::Write(error.kind()))
    }
}

/// How many sectors a track of so many frames takes, without the gap before it.
pub(crate) fn sectors_of(frames: u64) -> u64 {
    frames.div_ceil(FRAMES_PER_SECTOR).max(SHORTEST_SECTORS)
}

/// Sectors in the gaps between so many tracks.
pub(crate) fn gaps_of(tracks: usize) -> u64 {
    GAP_SECTORS * tracks.saturating_sub(1) as u64
}

/// Frames a second.
pub(crate) const RATE: u32 = 44_100;
/// Frames in a sector of 2352 bytes, of which a second has 75.
const FRAMES_PER_SECTOR: u64 = 588;
/// Sectors in the gap of two seconds that the drive puts before each track but the first.
const GAP_SECTORS: u64 = 150;
/// The most that a disc has: 79 minutes and 57 seconds, and 99 tracks.
pub(crate) const LONGEST_SECTORS: u64 = (79 * 60 + 57) * 75;
pub(crate) const MOST_TRACKS: usize = 99;
/// The least that a track has: four seconds.
const SHORTEST_SECTORS: u64 = 4 * 75;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b16_a_track_ends_with_a_whole_sector_and_has_four_seconds_at_least() {
        let mut image = Vec::new();
        let mut disc = Disc::new(&mut image);
        disc.write([[1, 2]].into_iter()).unwrap();
        disc.end_track().unwrap();
        disc.write(std::iter::repeat_n([3, -4], 5 * 44_100 + 1)).unwrap();
        disc.end_track().unwrap();
        assert_eq!(disc.into_starts(), (vec![0, 300], 300 + 376));
        assert_eq!(image.len(), 676 * 2352);
        assert_eq!(&image[..6], [1, 0, 2, 0, 0, 0]);
        assert_eq!(&image[300 * 2352..][..4], [3, 0, 0xfc, 0xff]);
        assert!(image[300 * 2352 + (5 * 44_100 + 1) * 4..].iter().all(|&byte| byte == 0));
    }

    #[test]
    fn b16_a_disc_ends_at_its_limit_with_the_gaps() {
        let second = || std::iter::repeat_n([0, 0], 44_100);
        let mut disc = Disc::new(std::io::sink());
        for _ in 0..40 * 60 {
            disc.write(second()).unwrap();
        }
        disc.end_track().unwrap();
        for _ in 0..39 * 60 + 57 - 2 {
            disc.write(second()).unwrap();
        }
        let one_more = disc.write([[0, 0]].into_iter());
        assert!(matches!(one_more, Err(AudioError::TooLong(sectors)) if sectors == LONGEST_SECTORS + 1));
    }
}
