//! One sample of a track, from wherever it was described: sample tables or a track fragment.

/// Where a sample lies and when it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sample {
    /// Bytes from the beginning of the file.
    pub offset: u64,
    /// Bytes in the sample.
    pub size: u32,
    /// When it is decoded, in the track's timescale.
    pub decode_time: u64,
    /// How long it lasts.
    pub duration: u32,
    /// How much later than it is decoded it is shown.
    pub composition_offset: i32,
    /// Its flags (ISO/IEC 14496-12 section 8.8.3.1).
    pub flags: u32,
    /// Which of the track's sample descriptions it uses, from 1.
    pub description: u32,
}

/// Flags of a sample that decoding can begin with.
pub const SYNC_FLAGS: u32 = 0x0200_0000;
/// Flags of a sample that needs others.
pub const NON_SYNC_FLAGS: u32 = 0x0101_0000;
const IS_NON_SYNC: u32 = 0x0001_0000;

impl Sample {
    /// Whether decoding can begin here.
    #[must_use]
    pub const fn is_sync(&self) -> bool {
        self.flags & IS_NON_SYNC == 0
    }

    /// The first byte after the sample.
    #[must_use]
    pub const fn end(&self) -> u64 {
        self.offset.saturating_add(self.size as u64)
    }
}
