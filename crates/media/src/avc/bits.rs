//! Bits of a NAL unit (ITU-T H.264 sections 7.2, 7.3.1 and 9.1), stepping over emulation prevention bytes.

use super::BadNal;

/// Reads bits from the bytes of a NAL unit after its header.
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    /// The next byte to load.
    next: usize,
    current: u8,
    left_in_current: u32,
    zeros: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, next: 0, current: 0, left_in_current: 0, zeros: 0 }
    }

    /// Bytes begun so far, emulation prevention bytes among them.
    pub(super) fn bytes_begun(&self) -> usize {
        self.next
    }

    pub(super) fn bit(&mut self) -> Result<bool, BadNal> {
        if self.left_in_current == 0 {
            self.load()?;
        }
        self.left_in_current -= 1;
        Ok(self.current >> self.left_in_current & 1 == 1)
    }

    /// `u(n)`, n at most 32.
    pub(super) fn u(&mut self, bits: u32) -> Result<u32, BadNal> {
        (0..bits).try_fold(0, |value, _| Ok(value << 1 | u32::from(self.bit()?)))
    }

    /// `ue(v)`.
    pub(super) fn ue(&mut self) -> Result<u32, BadNal> {
        let mut zeros = 0;
        while !self.bit()? {
            zeros += 1;
            if zeros > 31 {
                return Err(BadNal::BadValue("Exp-Golomb prefix", zeros));
            }
        }
        Ok((1 << zeros) - 1 + self.u(zeros)?)
    }

    /// `se(v)`, of which only the length matters here.
    pub(super) fn skip_se(&mut self) -> Result<(), BadNal> {
        self.ue().map(drop)
    }

    /// `se(v)`.
    pub(super) fn se(&mut self) -> Result<i32, BadNal> {
        let code = i64::from(self.ue()?);
        let value = if code % 2 == 1 { (code + 1) / 2 } else { -(code / 2) };
        i32::try_from(value).map_err(|_| BadNal::BadValue("signed Exp-Golomb code", u32::MAX))
    }

    fn load(&mut self) -> Result<(), BadNal> {
        let mut byte = self.take()?;
        if self.zeros >= 2 && byte == 3 {
            self.zeros = 0;
            byte = self.take()?;
        }
        self.zeros = if byte == 0 { self.zeros + 1 } else { 0 };
        self.current = byte;
        self.left_in_current = 8;
        Ok(())
    }

    fn take(&mut self) -> Result<u8, BadNal> {
        let byte = *self.bytes.get(self.next).ok_or(BadNal::TooShort)?;
        self.next += 1;
        Ok(byte)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_golomb_codes() {
        // 1 010 011 00100 00101, as table 9-2 has them.
        let mut bits = Bits::new(&[0b1010_0110, 0b0100_0010, 0b1000_0000]);
        let codes: Vec<_> = (0..5).map(|_| bits.ue().unwrap()).collect();
        assert_eq!(codes, [0, 1, 2, 3, 4]);
        let mut bits = Bits::new(&[0b1010_0110, 0b0100_0010, 0b1000_0000]);
        let codes: Vec<_> = (0..5).map(|_| bits.se().unwrap()).collect();
        assert_eq!(codes, [0, 1, -1, 2, -2]);
    }

    #[test]
    fn emulation_prevention_bytes_count_and_carry_no_bits() {
        let mut bits = Bits::new(&[0, 0, 3, 0b1000_0000, 7]);
        assert_eq!((bits.u(16), bits.bit(), bits.bytes_begun()), (Ok(0), Ok(true), 4));
    }

    #[test]
    fn the_end_and_endless_zeros_are_errors() {
        assert_eq!(Bits::new(&[0]).u(9), Err(BadNal::TooShort));
        assert!(matches!(Bits::new(&[0; 9]).ue(), Err(BadNal::BadValue(..))));
    }
}
