//! The licenses that an evaluation looks at, in the order in which they should be used (row B09), and why one comes before
//! another.

use core::cmp::Reverse;
use core::fmt;

use admit_time::Timestamp;

use crate::evaluate::limit;
use crate::{Action, HeldLicense, KeyId, Kind, LicenseId, Rights, Uplink};

/// Why one license is used before another: the first of these in which they differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precedence {
    /// Its priority is higher.
    Priority,
    /// The other one is deleted after one use.
    OtherIsOneTime,
    /// It has an end, and the other one has none.
    Ends,
    /// It counts the action, and the other one does not.
    Counts,
    /// Its use begins no countdown, and that of the other one does.
    OtherNotBegun,
    /// It ends before the other one.
    EndsFirst,
    /// It counts the action and some of its uses are gone, and of the other one none is.
    PartlyUsed,
    /// Nothing but the order of their ids: it is worth the same.
    SameWorth,
}

impl Precedence {
    /// The name in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Priority => "priority",
            Self::OtherIsOneTime => "other_is_one_time",
            Self::Ends => "ends",
            Self::Counts => "counts",
            Self::OtherNotBegun => "other_not_begun",
            Self::EndsFirst => "ends_first",
            Self::PartlyUsed => "partly_used",
            Self::SameWorth => "same_worth",
        }
    }

    /// Why `first` is used before `second` for an action.
    pub(crate) fn between(action: Action, first: &HeldLicense, second: &HeldLicense) -> Self {
        let (first, second) = (Worth::of(action, first), Worth::of(action, second));
        let causes = [
            (first.priority != second.priority, Self::Priority),
            (first.is_one_time != second.is_one_time, Self::OtherIsOneTime),
            (first.is_endless != second.is_endless, Self::Ends),
            (first.is_uncounted != second.is_uncounted, Self::Counts),
            (first.begins_countdown != second.begins_countdown, Self::OtherNotBegun),
            (first.ends_at != second.ends_at, Self::EndsFirst),
            (first.is_untouched != second.is_untouched, Self::PartlyUsed),
        ];
        causes.into_iter().find_map(|(differs, cause)| differs.then_some(cause)).unwrap_or(Self::SameWorth)
    }
}

impl fmt::Display for Precedence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Priority => "its priority is higher",
            Self::OtherIsOneTime => "the other one is for one use only",
            Self::Ends => "it has an end and the other one has none",
            Self::Counts => "it is counted and the other one is not",
            Self::OtherNotBegun => "the countdown of the other one has not begun",
            Self::EndsFirst => "it ends before the other one",
            Self::PartlyUsed => "some of its uses are gone and none of the other one's",
            Self::SameWorth => "it is worth no more than the other one",
        })
    }
}

/// The licenses for this key, in the order of use. Roots hold no content key.
pub(crate) fn candidates(action: Action, key_id: KeyId, held: &[HeldLicense]) -> Vec<&HeldLicense> {
    let is_candidate = |held: &&HeldLicense| {
        let terms = held.license.terms();
        terms.key_id == key_id && terms.kind != Kind::Root
    };
    in_order(action, held.iter().filter(is_candidate))
}

/// The roots that a leaf may depend on, in the order of use.
pub(crate) fn roots(action: Action, uplink: Uplink, held: &[HeldLicense]) -> Vec<&HeldLicense> {
    let is_root = |held: &&HeldLicense| {
        let terms = held.license.terms();
        terms.kind == Kind::Root && terms.key_id == uplink.key_id && terms.revision == Some(uplink.revision)
    };
    in_order(action, held.iter().filter(is_root))
}

fn in_order<'a>(action: Action, licenses: impl Iterator<Item = &'a HeldLicense>) -> Vec<&'a HeldLicense> {
    let mut licenses: Vec<_> = licenses.collect();
    licenses.sort_by_key(|held| Worth::of(action, held));
    licenses
}

/// What decides the order of use, from the first to the last: less comes before more.
///
/// Higher priority first; at equal priority the least valuable first: expiring before unlimited, counted before
/// uncounted, one-time last. Of what is then the same kind of license, the one that loses least by being used: no countdown
/// begins as long as there is another license, what ends earlier goes first, and a count that was begun is used up before
/// the next. The id makes the order total.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Worth {
    priority: Reverse<i32>,
    is_one_time: bool,
    is_endless: bool,
    is_uncounted: bool,
    begins_countdown: bool,
    /// One that has no end yet is behind all that have one.
    ends_at: (bool, Option<Timestamp>),
    is_untouched: bool,
    id: LicenseId,
}

impl Worth {
    fn of(action: Action, held: &HeldLicense) -> Self {
        let HeldLicense { license, usage } = held;
        let terms = license.terms();
        let (limits, count) = (terms.time_limits(), limit(terms, action));
        let ends_at = limits.ends_at(usage.first_used_at, usage.stored_at);
        Self {
            priority: Reverse(terms.priority.unwrap_or(0)),
            is_one_time: terms.rights.contains(Rights::ONE_TIME),
            is_endless: !limits.any_end(),
            is_uncounted: count.is_none(),
            begins_countdown: limits.after_first_use.is_some() && usage.first_used_at.is_none(),
            ends_at: (ends_at.is_none(), ends_at),
            is_untouched: count.is_none_or(|(count, _)| usage.of(count) == 0),
            id: terms.id,
        }
    }
}
