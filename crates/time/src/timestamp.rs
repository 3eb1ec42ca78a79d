//! Points in time as whole seconds of Unix time, which is what licenses, certificates and records hold.

use core::fmt;
use core::time::Duration;

/// Seconds since 1970-01-01T00:00:00Z, leap seconds not counted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The last second that RFC 5280 can express: 9999-12-31T23:59:59Z.
    pub const MAX: Self = Self(253_402_300_799);

    /// Takes Unix seconds. Later times than [`Timestamp::MAX`] become it.
    #[must_use]
    pub const fn from_unix_secs(seconds: u64) -> Self {
        if seconds > Self::MAX.0 { Self::MAX } else { Self(seconds) }
    }

    /// Unix seconds.
    #[must_use]
    pub const fn unix_secs(self) -> u64 {
        self.0
    }

    /// The time `duration` later, at most [`Timestamp::MAX`]. Fractions of a second are dropped.
    #[must_use]
    pub const fn saturating_add(self, duration: Duration) -> Self {
        Self::from_unix_secs(self.0.saturating_add(duration.as_secs()))
    }

    /// The time `duration` earlier, at least 1970. Fractions of a second are dropped.
    #[must_use]
    pub const fn saturating_sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(duration.as_secs()))
    }

    /// How long after `earlier` this is; zero if it is not.
    #[must_use]
    pub const fn saturating_since(self, earlier: Self) -> Duration {
        Duration::from_secs(self.0.saturating_sub(earlier.0))
    }
}

impl<C> minicbor::Encode<C> for Timestamp {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.u64(self.0)?.ok()
    }
}

impl<'b, C> minicbor::Decode<'b, C> for Timestamp {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        let position = d.position();
        let seconds = d.u64()?;
        // Later times are refused and not cut, so that what is read is what was written.
        (seconds <= Self::MAX.0)
            .then_some(Self(seconds))
            .ok_or_else(|| minicbor::decode::Error::message("time after the year 9999").at(position))
    }
}

/// RFC 3339 in UTC: `2026-11-22T00:10:17Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, second) = (self.0 / 86_400, self.0 % 86_400);
        let (year, month, day) = civil_from_days(days);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Year, month and day of the proleptic Gregorian calendar from days since 1970-01-01, by counting from
/// 0000-03-01, so that the leap day is a year's last.
const fn civil_from_days(days: u64) -> (u64, u64, u64) {
    const DAYS_BEFORE_1970: u64 = 719_468;
    const DAYS_IN_400_YEARS: u64 = 146_097;
    let days = days + DAYS_BEFORE_1970;
    let (era, day_of_era) = (days / DAYS_IN_400_YEARS, days % DAYS_IN_400_YEARS);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::string::ToString;

    use super::*;

    #[test]
    fn times_stay_between_1970_and_9999() {
        let second = Duration::from_secs(1);
        let begin = Timestamp::from_unix_secs(0);
        assert_eq!(Timestamp::from_unix_secs(u64::MAX), Timestamp::MAX);
        assert_eq!(Timestamp::from_unix_secs(Timestamp::MAX.0).unix_secs(), 253_402_300_799);
        assert_eq!(Timestamp::from_unix_secs(Timestamp::MAX.0 + 1), Timestamp::MAX);
        assert_eq!(Timestamp::MAX.saturating_add(second), Timestamp::MAX);
        assert_eq!(Timestamp::MAX.saturating_sub(second).saturating_add(second), Timestamp::MAX);
        assert_eq!(begin.saturating_sub(second), begin);
        assert_eq!(begin.saturating_add(Duration::MAX), Timestamp::MAX);
    }

    #[test]
    fn fractions_of_a_second_are_dropped() {
        let noon = Timestamp::from_unix_secs(43_200);
        let almost_two = Duration::from_millis(1999);
        assert_eq!(noon.saturating_add(almost_two).unix_secs(), 43_201);
        assert_eq!(noon.saturating_sub(almost_two).unix_secs(), 43_199);
    }

    #[test]
    fn a_time_is_so_long_after_another_and_never_less_than_nothing() {
        let [early, late] = [100, 160].map(Timestamp::from_unix_secs);
        assert_eq!(late.saturating_since(early), Duration::from_secs(60));
        assert_eq!(early.saturating_since(late), Duration::ZERO);
        assert_eq!(early.saturating_since(early), Duration::ZERO);
    }

    #[test]
    fn cbor_is_the_seconds_and_reads_as_it_was_written() {
        for seconds in [0, 23, 24, 255, 65_536, 1_767_225_600, u64::from(u32::MAX) + 1, Timestamp::MAX.0] {
            let time = Timestamp::from_unix_secs(seconds);
            let bytes = minicbor::to_vec(time).unwrap();
            assert_eq!(bytes, minicbor::to_vec(seconds).unwrap());
            assert_eq!(minicbor::decode::<Timestamp>(&bytes).unwrap(), time);
            for at in 0..bytes.len() {
                assert!(minicbor::decode::<Timestamp>(&bytes[..at]).is_err(), "{seconds} cut at {at}");
            }
        }
    }

    #[test]
    fn cbor_after_the_year_9999_is_refused_where_it_stands() {
        for seconds in [Timestamp::MAX.0 + 1, u64::MAX] {
            let bytes = minicbor::to_vec([0, seconds]).unwrap();
            let error = minicbor::decode::<[Timestamp; 2]>(&bytes).unwrap_err();
            assert_eq!(error.position(), Some(2), "{seconds}");
        }
    }

    #[test]
    fn every_day_of_sixteen_centuries_follows_the_one_before() {
        let is_leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let mut expected = (1970, 1, 1);
        for days in 0..4 * 146_097 {
            assert_eq!(civil_from_days(days), expected, "day {days}");
            let (year, month, day) = expected;
            let length = match month {
                2 if is_leap(year) => 29,
                2 => 28,
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            expected = match (month, day) {
                (12, 31) => (year + 1, 1, 1),
                (_, day) if day == length => (year, month + 1, 1),
                _ => (year, month, day + 1),
            };
        }
    }

    #[test]
    fn printed_as_rfc_3339() {
        let cases = [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_709_251_199, "2024-02-29T23:59:59Z"),
            (4_107_542_399, "2100-02-28T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (1_767_268_805, "2026-01-01T12:00:05Z"),
            (u64::MAX, "9999-12-31T23:59:59Z"),
        ];
        for (seconds, text) in cases {
            assert_eq!(Timestamp::from_unix_secs(seconds).to_string(), text);
        }
    }
}
