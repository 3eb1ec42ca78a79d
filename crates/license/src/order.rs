//! The licenses that an evaluation looks at, in the order in which they should be used (row B09), and why one comes before
//! another.

use core::cmp::Reverse;
use core::fmt;

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
            Self::SameWorth => "same_worth",
        }
    }

    /// Why `first` is used before `second` for an action.
    pub(crate) fn between(action: Action, first: &HeldLicense, second: &HeldLicense) -> Self {
        let (first, second) = (order_of_use(action, first), order_of_use(action, second));
        let differ = [first.0 != second.0, first.1 != second.1, first.2 != second.2, first.3 != second.3];
        let causes = [Self::Priority, Self::OtherIsOneTime, Self::Ends, Self::Counts];
        let found = causes.into_iter().zip(differ).find_map(|(cause, differs)| differs.then_some(cause));
        found.unwrap_or(Self::SameWorth)
    }
}

impl fmt::Display for Precedence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Priority => "its priority is higher",
            Self::OtherIsOneTime => "the other one is for one use only",
            Self::Ends => "it has an end and the other one has none",
            Self::Counts => "it is counted and the other one is not",
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
    licenses.sort_by_key(|held| order_of_use(action, held));
    licenses
}

/// Higher priority first; at equal priority the least valuable first: expiring before unlimited, counted before
/// uncounted, one-time last. The id makes the order total.
fn order_of_use(action: Action, held: &HeldLicense) -> (Reverse<i32>, bool, bool, bool, LicenseId) {
    let terms = held.license.terms();
    let ends = terms.time_limits().any();
    let counted = limit(held, action).is_some();
    let one_time = terms.rights.contains(Rights::ONE_TIME);
    (Reverse(terms.priority.unwrap_or(0)), one_time, !ends, !counted, terms.id)
}
