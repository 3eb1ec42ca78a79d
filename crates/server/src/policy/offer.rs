//! What a policy sets of one license, and the rules that it is held to before it becomes the license's terms. A
//! mistake is an error that names its rule; nothing is changed in silence.

use std::time::Duration;

use admit_crypto::Digest;
use admit_license::{KeyId, LicenseId, Rights, RightsArray, RollbackAction, Terms};
use admit_time::Timestamp;

use super::rights::RightsRule;
use super::value::Value;
use super::{Fault, PolicyRefusal, setting};

/// A license in the making. It begins as the document's default: rights `3,0,0,0,3,0,0,0`, no end, application level
/// 100 (row B06).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Offer {
    pub(super) rights: RightsRule,
    pub(super) one_time: bool,
    /// Rights that its kind adds, whatever its own settings say.
    pub(super) kept: Rights,
    /// How many days from the issue (row B12).
    pub(super) days: Option<u32>,
    /// Everything that is set as it is. What the license is for is not: that comes from the draft.
    pub(super) terms: Terms,
    /// What was set, each with its last value, to tell of it.
    pub(super) written: Vec<(&'static str, Value)>,
}

/// A rule that a policy broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum OfferFault {
    /// A license of which nothing follows.
    #[error("a license allows something: play, transfer, burn, save-stream or the like")]
    NoRight,
    /// Days from the issue are an end already.
    #[error("days sets begin and expiry itself: give either days or dates")]
    DaysAndDates,
    /// Which of the two would hold is not clear.
    #[error("expiry_after_first_use_hours and expiry_after_storing_hours exclude each other")]
    TwoCountdowns,
    /// A one-time license is counted already.
    #[error("a one-time license has no counts: it is deleted after one use")]
    OneTimeCounted,
    /// A count of something that is not allowed.
    #[error("{count} counts an action that the rights do not allow")]
    CountWithoutRight {
        /// The setting.
        count: &'static str,
    },
    /// A license that is restored begins to count anew (row F01).
    #[error("a license with counts has no right backup-restore: restoring would begin to count anew")]
    RestoredCounts,
    /// Without a limit in time a clock that was set back gains nothing.
    #[error("{setting} stands with a limit in time only")]
    NoLimitInTime {
        /// The setting.
        setting: &'static str,
    },
    /// It would never be valid.
    #[error("the license would expire before it begins")]
    ExpiryBeforeBegin,
}

impl OfferFault {
    /// Whether this setting has a part in it.
    pub(super) fn is_of(self, setting: &str) -> bool {
        let is_count = || setting.ends_with("_count");
        match self {
            Self::NoRight => setting == "rights",
            Self::ExpiryBeforeBegin => ["begin", "expiry"].contains(&setting),
            Self::DaysAndDates => ["days", "begin", "expiry"].contains(&setting),
            Self::TwoCountdowns => ["expiry_after_first_use_hours", "expiry_after_storing_hours"].contains(&setting),
            Self::OneTimeCounted => ["rights", "one_time"].contains(&setting) || is_count(),
            Self::CountWithoutRight { count } => ["rights", count].contains(&setting),
            Self::RestoredCounts => setting == "rights" || is_count(),
            Self::NoLimitInTime { setting: without } => setting == without,
        }
    }
}

impl Default for Offer {
    fn default() -> Self {
        let nothing = Digest::from_bytes([0; 32]);
        let (id, key_id) = (LicenseId::from_bytes([0; 16]), KeyId::from_bytes([0; 16]));
        let terms = Terms::simple(id, key_id, nothing, Timestamp::default(), Rights::NONE, nothing);
        let rights = RightsRule::Array(RightsArray::DEFAULT);
        Self { rights, one_time: false, kept: Rights::NONE, days: None, terms, written: Vec::new() }
    }
}

impl Offer {
    /// The rules that hold whatever is requested, and whenever.
    pub(super) fn check(&self) -> Result<(), OfferFault> {
        let possible = self.rights_for(Rights::ALL);
        let terms = &self.terms;
        let rule = |holds: bool, fault: OfferFault| if holds { Ok(()) } else { Err(fault) };
        rule(possible.intersects(ACTIONS), OfferFault::NoRight)?;
        let dates = terms.begin.is_some() || terms.expiry.is_some();
        rule(self.days.is_none() || !dates, OfferFault::DaysAndDates)?;
        let order = terms.begin.zip(terms.expiry).is_none_or(|(begin, expiry)| begin < expiry);
        rule(order, OfferFault::ExpiryBeforeBegin)?;
        let both = terms.expiry_after_first_use_secs.and(terms.expiry_after_storing_secs).is_some();
        rule(!both, OfferFault::TwoCountdowns)?;
        self.check_counts(possible)?;
        let limited = self.days.is_some() || terms.time_limits().any();
        let is_action = matches!(terms.rollback_action, Some(RollbackAction::Disable | RollbackAction::Delete));
        for (is_set, setting) in [
            (is_action, "rollback_action"),
            (terms.grace_secs.is_some(), "grace_hours"),
            (terms.max_offline_secs.is_some(), "max_offline_hours"),
        ] {
            rule(limited || !is_set, OfferFault::NoLimitInTime { setting })?;
        }
        Ok(())
    }

    fn check_counts(&self, possible: Rights) -> Result<(), OfferFault> {
        let terms = &self.terms;
        let transfer = Rights::TRANSFER_TO_NON_SDMI | Rights::SDMI_VALIDATED;
        let counts = [
            ("play_count", terms.play_count, Rights::PLAY),
            ("transfer_count", terms.transfer_count, transfer),
            ("burn_count", terms.burn_count, Rights::BURN_TO_CD),
            ("playlist_burn_track_count", terms.playlist_burn_track_count, Rights::PLAYLIST_BURN),
            ("max_playlist_burn_count", terms.max_playlist_burn_count, Rights::PLAYLIST_BURN),
        ];
        for (count, _, right) in counts.into_iter().filter(|(_, count, _)| count.is_some()) {
            if possible.contains(Rights::ONE_TIME) && self.is_always_one_time() {
                return Err(OfferFault::OneTimeCounted);
            }
            if !possible.intersects(right) {
                return Err(OfferFault::CountWithoutRight { count });
            }
            if self.rights_for(Rights::NONE).contains(Rights::BACKUP_RESTORE) {
                return Err(OfferFault::RestoredCounts);
            }
        }
        Ok(())
    }

    pub(super) fn is_always_one_time(&self) -> bool {
        self.rights_for(Rights::NONE).contains(Rights::ONE_TIME)
    }

    /// Whether the license is over some day, or after some use.
    pub(super) fn ends(&self) -> bool {
        let terms = &self.terms;
        let by_time = self.days.is_some()
            || terms.expiry.is_some()
            || terms.expiry_after_first_use_secs.is_some()
            || terms.expiry_after_storing_secs.is_some();
        by_time || terms.play_count.is_some() || self.is_always_one_time() || terms.persistent == Some(false)
    }

    pub(super) fn rights_for(&self, requested: Rights) -> Rights {
        self.rights.apply(requested) | self.added()
    }

    /// What comes to the rights, whatever they say.
    pub(super) fn added(&self) -> Rights {
        self.kept | if self.one_time { Rights::ONE_TIME } else { Rights::NONE }
    }

    /// How its rights come from those that were requested, and what it says beyond the default.
    pub(super) fn why(&self, requested: Rights) -> [String; 2] {
        let others = setting::beyond_default(self).filter(|(name, _)| !["rights", "one_time"].contains(name));
        let set = others.map(|(name, value)| format!("{name} = {}", value.written())).collect::<Vec<_>>();
        let set = if set.is_empty() { "nothing".to_owned() } else { set.join(", ") };
        [self.rights.told(requested, self.added()), format!("beyond the default it sets {set}")]
    }

    /// The terms for a draft and what was requested.
    pub(super) fn into_terms(self, draft: &Terms, requested: Rights) -> Result<Terms, PolicyRefusal> {
        let now = draft.issued_at;
        if let Some(expiry) = self.terms.expiry.filter(|expiry| *expiry <= now) {
            // Also where the begin that was set, as `now`, is behind it by now.
            return Err(refused(format!("the offer ended {expiry}")));
        }
        self.check().map_err(|fault| PolicyRefusal::Failed(Fault::somewhere(fault.to_string())))?;
        let rights = self.rights_for(requested);
        if !rights.intersects(ACTIONS) {
            return Err(refused("nothing that was asked for is allowed".to_owned()));
        }
        let mut terms = Terms { rights, ..of_draft(draft, self.terms) };
        if let Some(days) = self.days {
            terms.expiry = Some(now.saturating_add(Duration::from_secs(u64::from(days) * SECONDS_OF_DAY)));
        }
        if terms.expiry.is_some() {
            // An end without a begin could be stretched by a clock that was set back.
            terms.begin = terms.begin.or_else(|| Some(now.saturating_sub(CLOCKS_DIFFER)));
        }
        Ok(terms)
    }
}

/// These terms for what the draft is for.
fn of_draft(draft: &Terms, terms: Terms) -> Terms {
    Terms {
        id: draft.id,
        key_id: draft.key_id,
        kind: draft.kind,
        uplink: draft.uplink,
        revision: draft.revision,
        realm: draft.realm,
        issued_at: draft.issued_at,
        binding: draft.binding,
        ..terms
    }
}

const fn refused(reason: String) -> PolicyRefusal {
    PolicyRefusal::Refused { reason, address: None }
}

/// The rights that allow something; the others say how.
const ACTIONS: Rights = match Rights::from_bits(1 | 2 | 8 | 16 | 64 | 1 << 24) {
    Some(rights) => rights,
    None => Rights::NONE,
};
const SECONDS_OF_DAY: u64 = 86_400;
/// A license that begins when it is issued begins a little earlier: begin dates are compared with the earliest time
/// that it can be.
const CLOCKS_DIFFER: Duration = Duration::from_secs(300);

#[cfg(test)]
mod tests {
    use admit_license::{Binding, BindingKind, Kind};

    use super::*;

    const NOW: Timestamp = Timestamp::from_unix_secs(1_900_000_000);

    fn offer(settings: &[(&str, Value)]) -> Offer {
        let mut offer = Offer::default();
        for (name, value) in settings {
            setting::set(&mut offer, name, value).unwrap();
        }
        offer
    }

    fn draft() -> Terms {
        Terms {
            key_id: KeyId::from_bytes([7; 16]),
            issued_at: NOW,
            binding: Binding { kind: BindingKind::Client, recipient: Digest::from_bytes([9; 32]) },
            kind: Kind::Simple,
            ..Offer::default().terms
        }
    }

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    #[test]
    fn b06_an_offer_that_sets_nothing_is_the_documents_default() {
        let terms = Offer::default().into_terms(&draft(), Rights::from_bits_masked(7)).unwrap();
        assert_eq!(terms, Terms { rights: Rights::from_bits_masked(3), ..draft() });
        assert_eq!(terms.minimum_application_level(), 100);
    }

    #[test]
    fn b12_days_count_from_the_issue_and_begin_with_it() {
        let terms = offer(&[("days", Value::Number(30))]).into_terms(&draft(), Rights::PLAY).unwrap();
        assert_eq!(terms.expiry, Some(NOW.saturating_add(Duration::from_secs(30 * 86_400))));
        assert_eq!(terms.begin, Some(NOW.saturating_sub(Duration::from_secs(300))));
        terms.check().unwrap();
    }

    #[test]
    fn b12_what_is_issued_on_june_1_for_30_days_ends_on_july_1() {
        let june_1 = Timestamp::from_unix_secs(1_780_272_000);
        assert_eq!(june_1.to_string(), "2026-06-01T00:00:00Z");
        let draft = Terms { issued_at: june_1, ..draft() };
        let terms = offer(&[("days", Value::Number(30))]).into_terms(&draft, Rights::PLAY).unwrap();
        assert_eq!(terms.expiry.unwrap().to_string(), "2026-07-01T00:00:00Z");
    }

    #[test]
    fn b12_a_license_ends_never_after_days_or_on_a_date() {
        let issue = |settings: &[(&str, Value)]| offer(settings).into_terms(&draft(), Rights::PLAY);
        assert_eq!(issue(&[("days", Value::Nothing)]).unwrap().time_limits(), Default::default());
        let dates = [("begin", text("2030-01-01")), ("expiry", text("2030-12-31"))];
        let terms = issue(&dates).unwrap();
        assert_eq!(terms.expiry.unwrap().to_string(), "2030-12-31T23:59:59Z");
        assert_eq!(terms.begin.unwrap().to_string(), "2030-01-01T00:00:00Z");
        let terms = issue(&[("expiry", text("2030-12-31"))]).unwrap();
        assert_eq!(terms.begin, Some(NOW.saturating_sub(Duration::from_secs(300))), "as with days");
        assert_eq!(terms.expiry.unwrap().to_string(), "2030-12-31T23:59:59Z");
        terms.check().unwrap();
        let over = [("begin", text("2020-01-01")), ("expiry", text("2020-12-31"))];
        let refusal = issue(&over).unwrap_err();
        assert_eq!(refusal.to_string(), "no license is issued: the offer ended 2020-12-31T23:59:59Z");
    }

    #[test]
    fn b06_each_mistake_names_its_rule() {
        let one = || Value::Number(1);
        let cases: &[(&[(&str, Value)], OfferFault)] = &[
            (&[("rights", Value::List(Vec::new()))], OfferFault::NoRight),
            (&[("rights", text("no-recovery, one-time"))], OfferFault::NoRight),
            (&[("expiry", text("2031-01-01")), ("begin", text("2031-01-02"))], OfferFault::ExpiryBeforeBegin),
            (&[("days", one()), ("begin", text("2031-01-02"))], OfferFault::DaysAndDates),
            (
                &[("expiry_after_first_use_hours", one()), ("expiry_after_storing_hours", one())],
                OfferFault::TwoCountdowns,
            ),
            (&[("one_time", Value::Bool(true)), ("play_count", one())], OfferFault::OneTimeCounted),
            (&[("burn_count", one())], OfferFault::CountWithoutRight { count: "burn_count" }),
            (&[("rights", text("play, backup-restore")), ("play_count", one())], OfferFault::RestoredCounts),
            (&[("rollback_action", text("disable"))], OfferFault::NoLimitInTime { setting: "rollback_action" }),
            (&[("grace_hours", one())], OfferFault::NoLimitInTime { setting: "grace_hours" }),
        ];
        for (settings, fault) in cases {
            assert_eq!(offer(settings).check(), Err(*fault), "{settings:?}");
            let refusal = offer(settings).into_terms(&draft(), Rights::ALL).unwrap_err();
            assert_eq!(refusal, PolicyRefusal::Failed(Fault::somewhere(fault.to_string())));
        }
    }

    #[test]
    fn b04_a_request_for_nothing_that_is_allowed_gets_no_license() {
        let only = offer(&[("rights", text("2,0,0,0,0,0,0,0"))]);
        assert!(only.clone().into_terms(&draft(), Rights::TRANSFER_TO_NON_SDMI).is_ok());
        let refusal = only.into_terms(&draft(), Rights::PLAY | Rights::NO_RECOVERY).unwrap_err();
        assert!(matches!(refusal, PolicyRefusal::Refused { .. }), "{refusal:?}");
    }
}
