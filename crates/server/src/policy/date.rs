//! Dates as operators write them: `2026-12-31`, or `2026-12-31T18:00:00Z` (RFC 3339, in UTC).

use admit_time::Timestamp;

/// Which second of a day is meant where only the day is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Edge {
    /// Its first.
    Begin,
    /// Its last.
    End,
}

/// The time that a text says, if it says one.
pub(super) fn parse(text: &str, edge: Edge) -> Option<Timestamp> {
    let (date, time) = match text.split_once('T') {
        Some((date, time)) => (date, Some(time.strip_suffix('Z')?)),
        None => (text, None),
    };
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let second_of_day = match time {
        Some(time) => {
            let [hour, minute, second] = numbers(time, ':', [2, 2, 2])?;
            (hour < 24 && minute < 60 && second < 60).then_some(hour * 3600 + minute * 60 + second)?
        }
        None if edge == Edge::Begin => 0,
        None => SECONDS_OF_DAY - 1,
    };
    let days = days_since_1970(year, month, day)?;
    let time = Timestamp::from_unix_secs(days * SECONDS_OF_DAY + second_of_day);
    // A day that no month has would come out as one of the next month.
    time.to_string().starts_with(date).then_some(time)
}

/// Three numbers of so many digits, with something between them.
fn numbers(text: &str, between: char, digits: [usize; 3]) -> Option<[u64; 3]> {
    let mut parts = text.split(between);
    let mut all = [0; 3];
    for (number, digits) in all.iter_mut().zip(digits) {
        let part = parts.next().filter(|part| part.len() == digits && part.bytes().all(|c| c.is_ascii_digit()))?;
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(all)
}

/// Days of the Gregorian calendar, by counting years from March on, so that the leap day is a year's last.
fn days_since_1970(year: u64, month: u64, day: u64) -> Option<u64> {
    if year < 1970 || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days_before_year = year * 365 + year / 4 - year / 100 + year / 400;
    let days = days_before_year + (153 * month + 2) / 5 + day - 1;
    Some(days - DAYS_BEFORE_1970)
}

const SECONDS_OF_DAY: u64 = 86_400;
/// From the first of March of the year 0.
const DAYS_BEFORE_1970: u64 = 719_468;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_reads_as_it_is_written() {
        for day in (0..200_000).step_by(13) {
            let time = Timestamp::from_unix_secs(day * SECONDS_OF_DAY);
            let text = time.to_string();
            assert_eq!(parse(&text, Edge::End), Some(time), "{text}");
            assert_eq!(parse(&text[..10], Edge::Begin), Some(time), "{text}");
        }
    }

    #[test]
    fn a_day_ends_with_its_last_second() {
        let end = parse("2028-02-29", Edge::End).unwrap();
        assert_eq!(end.to_string(), "2028-02-29T23:59:59Z");
    }

    #[test]
    fn what_no_calendar_has_is_no_date() {
        for text in [
            "",
            "2026",
            "2026-13-01",
            "2026-00-10",
            "2026-02-29",
            "2026-04-31",
            "1969-12-31",
            "2026-1-1",
            "26-01-01",
            "2026-01-01T24:00:00Z",
            "2026-01-01T10:00:00",
            "2026-01-01T10:00:00+01:00",
            "2026-01-01-01",
            "+026-01-01",
            "12/31/1999",
        ] {
            assert_eq!(parse(text, Edge::Begin), None, "{text}");
        }
    }
}
