//! Subsamples (ISO/IEC 23001-7 section 9.5): alternating clear and protected ranges of a sample.

/// The subsamples of one sample.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SubsampleMap {
    entries: Vec<(u16, u32)>,
}

impl SubsampleMap {
    /// Clear and protected bytes, in order.
    #[must_use]
    pub fn entries(&self) -> &[(u16, u32)] {
        &self.entries
    }

    /// Makes it empty, to be used again.
    pub fn clear(&mut self) {
        self.entries.clear();
    }

    /// Appends clear bytes and the protected bytes after them. Clear bytes that do not fit the field of 16 bits get
    /// entries of their own.
    pub fn push(&mut self, clear: usize, protected: usize) {
        let clear = self.split(clear);
        let protected = u32::try_from(protected).expect("samples are below 4 GiB");
        self.entries.push((clear, protected));
    }

    /// Appends clear bytes, unless they are none.
    pub fn push_clear(&mut self, clear: usize) {
        if clear > 0 {
            self.push(clear, 0);
        }
    }

    fn split(&mut self, clear: usize) -> u16 {
        let full = usize::from(u16::MAX);
        let splits = clear.saturating_sub(1) / full;
        self.entries.extend(std::iter::repeat_n((u16::MAX, 0), splits));
        u16::try_from(clear - splits * full).expect("the rest fits")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clear_runs_over_16_bits_are_split() {
        let mut map = SubsampleMap::default();
        map.push(0xffff, 16);
        map.push(0x1_0000, 32);
        map.push_clear(0);
        map.push_clear(0x1_fffe);
        assert_eq!(map.entries(), [(0xffff, 16), (0xffff, 0), (1, 32), (0xffff, 0), (0xffff, 0)]);
    }
}
