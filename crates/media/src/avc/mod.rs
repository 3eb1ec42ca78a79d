//! As much of H.264 (ITU-T H.264) as tells where the header of a slice ends, which is where protection begins.

mod bits;
mod parameter_sets;
mod slice;
mod subsamples;

pub use subsamples::AvcSubsamples;

/// Why a NAL unit could not be read. Where it is, the caller knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BadNal {
    /// It ends before its fields do.
    TooShort,
    /// A field has a value that it cannot have.
    BadValue(&'static str, u32),
    /// A slice names a parameter set that was not seen.
    NoParameterSet(u32),
}

impl BadNal {
    /// The error for a NAL unit at `at`.
    pub(crate) fn at(self, at: crate::Location) -> crate::Error {
        let (field, value) = match self {
            Self::TooShort => ("length of the NAL unit (too short)", 0),
            Self::BadValue(field, value) => (field, value.into()),
            Self::NoParameterSet(id) => ("parameter set id (not seen)", id.into()),
        };
        crate::Error::BadValue { at, field, value }
    }
}
