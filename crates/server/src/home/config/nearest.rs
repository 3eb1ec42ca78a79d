//! The known name that is nearest to one that is not known.

/// The nearest of these names, if one is near enough to have been meant: a third of its letters may differ, or it is
/// the right name in the wrong section.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let last = |name: &str| name.rsplit('.').next().map(str::to_owned);
    let scored = known.map(|candidate| {
        let same_key = last(candidate) == last(name);
        (if same_key { 1 } else { distance(name, candidate) }, candidate)
    });
    let (distance, candidate) = scored.min_by_key(|(distance, _)| *distance)?;
    (distance <= candidate.len() / 3).then_some(candidate)
}

/// How many letters have to be put in, taken out or changed to make one text of the other.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, b) in other.iter().enumerate() {
            let changed = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_count_letters() {
        for (one, other, expected) in [("", "", 0), ("listen", "lisen", 1), ("", "abc", 3), ("kitten", "sitting", 3)] {
            assert_eq!(distance(one, other), expected);
            assert_eq!(distance(other, one), expected);
        }
    }

    #[test]
    fn only_what_may_have_been_meant_is_near() {
        let known = || ["listen", "enrolment.burst", "http.maximum_connections"].into_iter();
        assert_eq!(nearest("lisen", known()), Some("listen"));
        assert_eq!(nearest("enrollment.burst", known()), Some("enrolment.burst"));
        assert_eq!(nearest("burst", known()), Some("enrolment.burst"));
        assert_eq!(nearest("colour", known()), None);
    }
}
