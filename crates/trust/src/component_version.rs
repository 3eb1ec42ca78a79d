//! Versions of DRM components: four numbers, the last of which says whether the component is individualized
//! (rows A01 to A03).

use core::fmt;
use core::str::FromStr;

/// A security version such as `2.3.0.0` (default component) or `2.4.0.1` (individualized).
///
/// The numbers of default and individualized components are different progressions: a requirement stated in
/// content is met only by [`ComponentVersion::meets`], never by comparing the two kinds. That is why the type
/// has no order.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ComponentVersion([u16; 4]);

/// A text is not four numbers of at most 65535 with dots between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a component version: expected four numbers with dots between them, such as 2.4.0.1")]
pub struct InvalidComponentVersion;

impl ComponentVersion {
    /// The default component that ships with the client (row A01).
    pub const DEFAULT: Self = Self([2, 3, 0, 0]);

    /// Takes the four numbers, most significant first.
    #[must_use]
    pub const fn new(numbers: [u16; 4]) -> Self {
        Self(numbers)
    }

    /// Whether the last digit is odd: the component was made unique for its client.
    #[must_use]
    pub const fn is_individualized(self) -> bool {
        self.0[3] % 2 == 1
    }

    /// Whether a component of this version satisfies content that needs at least `minimum` (row A03): it must be
    /// individualized, and its version at least the minimum.
    #[must_use]
    pub fn meets(self, minimum: Self) -> bool {
        self.is_individualized() && self.0 >= minimum.0
    }
}

impl<C> minicbor::Encode<C> for ComponentVersion {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.str(&self.to_string())?.ok()
    }
}

impl<'b, C> minicbor::Decode<'b, C> for ComponentVersion {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        let position = d.position();
        d.str()?.parse().map_err(|_| minicbor::decode::Error::message("component version").at(position))
    }
}

impl FromStr for ComponentVersion {
    type Err = InvalidComponentVersion;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut numbers = [0; 4];
        let mut parts = text.split('.');
        for number in &mut numbers {
            let part = parts.next().ok_or(InvalidComponentVersion)?;
            let canonical = part.bytes().all(|b| b.is_ascii_digit()) && (part == "0" || !part.starts_with('0'));
            *number = part.parse().ok().filter(|_| canonical).ok_or(InvalidComponentVersion)?;
        }
        parts.next().is_none().then_some(Self(numbers)).ok_or(InvalidComponentVersion)
    }
}

impl fmt::Display for ComponentVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, build, revision] = self.0;
        write!(f, "{major}.{minor}.{build}.{revision}")
    }
}

impl fmt::Debug for ComponentVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a01_the_default_component_is_2_3_0_0_and_not_individualized() {
        assert_eq!(ComponentVersion::DEFAULT.to_string(), "2.3.0.0");
        assert!(!ComponentVersion::DEFAULT.is_individualized());
    }

    #[test]
    fn a03_requirements_are_met_only_by_individualized_components() {
        let minimum = ComponentVersion::new([2, 4, 7, 3]);
        let met = ["2.4.7.3", "2.4.7.5", "2.4.8.1", "2.5.0.1", "3.0.0.1", "65535.65535.65535.65535"];
        // The last three: default components are never compared.
        let not_met = ["2.4.7.1", "2.4.6.65535", "2.3.65535.65535", "1.65535.9.9", "2.4.7.4", "9.9.9.0", "2.3.0.0"];
        for (texts, expected) in [(&met[..], true), (&not_met[..], false)] {
            for text in texts {
                assert_eq!(text.parse::<ComponentVersion>().unwrap().meets(minimum), expected, "{text}");
            }
        }
    }

    #[test]
    fn the_last_digit_says_whether_a_component_is_individualized() {
        for last in 0..=10 {
            assert_eq!(ComponentVersion::new([9, 9, 9, last]).is_individualized(), last % 2 == 1, "{last}");
        }
    }

    #[test]
    fn cbor_is_the_text_and_a_wrong_one_is_refused_where_it_stands() {
        for numbers in [[0; 4], [2, 3, 0, 0], [u16::MAX; 4]] {
            let version = ComponentVersion::new(numbers);
            let bytes = minicbor::to_vec(version).unwrap();
            assert_eq!(bytes, minicbor::to_vec(version.to_string()).unwrap());
            assert_eq!(minicbor::decode::<ComponentVersion>(&bytes).unwrap(), version);
            for at in 0..bytes.len() {
                assert!(minicbor::decode::<ComponentVersion>(&bytes[..at]).is_err(), "{version} cut at {at}");
            }
        }
        for text in ["2.4.0", "2.4.0.01", "2.4.0.1 "] {
            let bytes = minicbor::to_vec(["2.4.0.1", text]).unwrap();
            let error = minicbor::decode::<[ComponentVersion; 2]>(&bytes).unwrap_err();
            assert_eq!(error.position(), Some(9), "{text:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn versions_print_as_they_read(numbers: [u16; 4]) {
            let version = ComponentVersion::new(numbers);
            proptest::prop_assert_eq!(version.to_string().parse(), Ok(version));
            proptest::prop_assert_eq!(format!("{version:?}"), version.to_string());
        }

        #[test]
        fn a_text_that_reads_is_the_one_that_prints(text in "[0-9+. ]{0,12}") {
            if let Ok(version) = text.parse::<ComponentVersion>() {
                proptest::prop_assert_eq!(version.to_string(), text);
            }
        }
    }

    #[test]
    fn texts_that_are_not_versions_are_refused() {
        for text in [
            "",
            "2",
            "2.3.0",
            "2.3.0.0.0",
            "2.3.0.-1",
            "2.3.0.70000",
            "2.3.0.a",
            " 2.3.0.0",
            "02.3.0.0",
            "2..0.0",
            "2.3.0.+1",
        ] {
            assert_eq!(text.parse::<ComponentVersion>(), Err(InvalidComponentVersion), "{text:?}");
        }
    }
}
