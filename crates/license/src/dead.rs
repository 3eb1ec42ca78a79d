//! Licenses that can never be used again: what a client deletes with the next license or use for the same key.

use core::fmt;

use admit_time::Timestamp;

use crate::evaluate::limit;
use crate::portable::stays_here;
use crate::{Action, HeldLicense, Origin, Rights, Terms, Usage};

/// What ended a license for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dead {
    /// All that it allows is counted, and the counts are used up.
    UsedUp,
    /// Its end has passed, by the date, since the first use or since storing.
    Ended,
}

impl Dead {
    /// What ended a license that says this and was used so; none while it lives. `certain` is a time that has certainly
    /// passed ([`admit_time::clock::Now::certain`]): without one no license ends in time.
    #[must_use]
    pub fn of(terms: &Terms, usage: &Usage, certain: Option<Timestamp>) -> Option<Self> {
        if is_used_up(terms, usage) {
            return Some(Self::UsedUp);
        }
        let ends_at = terms.time_limits().ends_at(usage.first_used_at, usage.stored_at);
        certain.zip(ends_at).is_some_and(|(certain, end)| certain > end).then_some(Self::Ended)
    }

    /// The name in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::UsedUp => "used_up",
            Self::Ended => "ended",
        }
    }
}

impl fmt::Display for Dead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UsedUp => "used up",
            Self::Ended => "ended",
        })
    }
}

impl HeldLicense {
    /// What ended it for good; none while it lives.
    #[must_use]
    pub fn dead(&self, certain: Option<Timestamp>) -> Option<Dead> {
        Dead::of(self.license.terms(), &self.usage, certain)
    }
}

/// Whether each action that it allows is counted and used up. A device plays by a right of transfer, and its licenses count
/// nothing.
fn is_used_up(terms: &Terms, usage: &Usage) -> bool {
    if terms.origin == Some(Origin::Portable) {
        return false;
    }
    let is_spent = |action| limit(terms, action).is_some_and(|(count, allowed)| usage.of(count) >= allowed);
    let mut allowed = ACTIONS.into_iter().filter(|&action| allows(terms, action)).peekable();
    let is_spent_at_once = terms.rights.contains(Rights::ONE_TIME) && usage.touched;
    allowed.peek().is_some() && (is_spent_at_once || allowed.all(is_spent))
}

/// Whether it could ever allow this, as long as nothing is used and no time passes.
fn allows(terms: &Terms, action: Action) -> bool {
    let is_transfer = matches!(action, Action::TransferToSdmi | Action::TransferToNonSdmi);
    let is_for_transfer = terms.rights.contains(Rights::ONE_TIME | Rights::SDMI_VALIDATED);
    terms.rights.contains(action.right())
        && !(is_transfer && stays_here(terms))
        && !(is_for_transfer && action != Action::TransferToSdmi)
}

/// What a client does with content. A license that is good for nothing but a backup of itself is of no use.
const ACTIONS: [Action; 6] = [
    Action::Play,
    Action::TransferToNonSdmi,
    Action::TransferToSdmi,
    Action::Burn,
    Action::PlaylistBurn,
    Action::SaveStream,
];
