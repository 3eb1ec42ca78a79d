//! The kinds of offers: what each sets to begin with, what has to be said of it, and what nothing said may undo.

use admit_license::{Rights, RollbackAction};

use super::super::offer::Offer;
use super::super::setting;
use super::super::value::Value;

/// A kind.
pub(super) struct Kind {
    pub(super) name: &'static str,
    /// Whether it allows playing only, whatever is requested.
    is_for_playing: bool,
    may_be_recovered: bool,
    one_time: bool,
    rollback_action: Option<&'static str>,
    /// Of each group one setting must be given.
    pub(super) required: &'static [&'static [&'static str]],
    /// What holds of every offer of this kind.
    promise: Option<Promise>,
}

/// What no setting may undo.
#[derive(Clone, Copy)]
struct Promise {
    says: &'static str,
    holds: fn(&Offer) -> bool,
}

impl Kind {
    /// What an offer of this kind says before its own settings.
    pub(super) fn offer(&self) -> Result<Offer, String> {
        let mut offer = Offer::default();
        let text = |text: &str| Value::Text(text.to_owned());
        if self.is_for_playing {
            setting::set(&mut offer, "rights", &text("play"))?;
        }
        if !self.may_be_recovered {
            offer.kept = Rights::NO_RECOVERY;
        }
        setting::set(&mut offer, "one_time", &Value::Bool(self.one_time))?;
        if let Some(action) = self.rollback_action {
            setting::set(&mut offer, "rollback_action", &text(action))?;
        }
        Ok(offer)
    }

    /// What the kind says and this setting undoes, if it does.
    pub(super) fn undone_by(&self, name: &str, value: &Value) -> Option<&'static str> {
        let mut alone = self.offer().ok()?;
        setting::set(&mut alone, name, value).ok()?;
        self.promise.filter(|promise| !(promise.holds)(&alone)).map(|promise| promise.says)
    }
}

const PLAYING: Kind = Kind {
    name: "",
    is_for_playing: true,
    may_be_recovered: true,
    one_time: false,
    rollback_action: None,
    required: &[],
    promise: None,
};

pub(super) const KINDS: &[Kind] = &[
    // The document's default: nothing ends.
    Kind {
        name: "sale",
        is_for_playing: false,
        promise: Some(Promise { says: "a sale is for ever", holds: |offer| !offer.ends() }),
        ..PLAYING
    },
    // So many hours from the first play, and so many days from the issue.
    Kind {
        name: "rental",
        rollback_action: Some("disable"),
        required: &[&["days", "expiry"], &["expiry_after_first_use_hours"]],
        ..PLAYING
    },
    // For as long as it is paid: whoever goes on paying gets another.
    Kind { name: "subscription", rollback_action: Some("disable"), required: &[&["days", "expiry"]], ..PLAYING },
    // To taste: for a while, or so many times.
    Kind { name: "promotion", required: &[&["days", "expiry", "play_count"]], ..PLAYING },
    Kind {
        name: "one-time",
        one_time: true,
        promise: Some(Promise { says: "a one-time offer is for one use", holds: Offer::is_always_one_time }),
        ..PLAYING
    },
    // It comes back: nothing of it is left afterwards.
    Kind {
        name: "loan",
        may_be_recovered: false,
        rollback_action: Some("delete"),
        required: &[&["days", "expiry"]],
        promise: Some(Promise {
            says: "a loan is deleted when the clock was set back",
            holds: |offer| offer.terms.rollback_action == Some(RollbackAction::Delete),
        }),
        ..PLAYING
    },
];
