//! What the license page says of a license before it is taken: the policy is asked as for a real one, for an ordinary client
//! with this realm's own application and a buyer of whom no more is known than a token says, and its answer is put into
//! words. Nothing is issued.

use std::time::Duration;

use admit_license::{Action, Rights, RollbackAction, Terms};
use admit_time::Timestamp;
use admit_trust::{ClockKind, ComponentVersion};

use crate::Server;
use crate::content::Content;
use crate::policy::{PolicyRefusal, Told, Trial, trial_client};
use crate::token::{Claims, OneOrMany};

/// What somebody would get.
pub(super) enum Offered {
    /// These licenses, a list of sentences each.
    Licenses(Vec<Vec<String>>),
    /// None before a page was visited, or none at all, in the policy's words.
    None {
        /// Why.
        reason: String,
        /// Where the buyer can go.
        page: Option<String>,
    },
    /// The policy does not work.
    Unknown,
}

/// Asks the policy, for a buyer whose token says this. Without one it is for any buyer.
pub(super) fn offered(server: &Server, content: &Content, token: Option<Claims>, now: Timestamp) -> Offered {
    let (home, mut entropy) = (&server.home, server.entropy.entropy());
    let (level, version) = (home.enrol_level(), ComponentVersion::DEFAULT);
    let client = trial_client(home.provider(), level, ClockKind::AntiRollback, version, &mut *entropy);
    let trial = Trial {
        now,
        content: content.clone(),
        entitlement: token.or_else(|| (!content.open).then(|| any_buyer(content, now))),
        requested_rights: (Rights::PLAY | Rights::NO_RECOVERY).bits(),
        actions: vec![Action::Play],
        client,
        application: home.application(),
        told: Told::default(),
    };
    match trial.ask(&*server.policy, &mut *entropy) {
        Ok(licenses) => Offered::Licenses(licenses.iter().map(|terms| in_words(terms, now)).collect()),
        Err(PolicyRefusal::Failed { .. }) => Offered::Unknown,
        Err(PolicyRefusal::Refused { reason, address } | PolicyRefusal::Asked { reason, address }) => {
            Offered::None { reason, page: address }
        }
        Err(refusal @ PolicyRefusal::NoClock) => Offered::None { reason: refusal.to_string(), page: None },
    }
}

/// A buyer whose token is for this content and says nothing else.
fn any_buyer(content: &Content, now: Timestamp) -> Claims {
    Claims {
        iss: String::new(),
        aud: String::new(),
        sub: String::new(),
        iat: Some(now.unix_secs()),
        nbf: None,
        exp: now.saturating_add(HOUR).unix_secs(),
        jti: String::new(),
        content: OneOrMany::One(content.content_id.clone()),
        uses: None,
        cnf: None,
        policy: serde_json::Map::new(),
    }
}

/// What a license lets its owner do, and for how long, a sentence each.
fn in_words(terms: &Terms, now: Timestamp) -> Vec<String> {
    let rights = RIGHTS.iter().filter(|(right, _)| terms.rights.contains(*right)).map(|(_, words)| (*words).to_owned());
    rights.chain(counts(terms)).chain(times(terms, now)).chain(minima(terms)).collect()
}

fn counts(terms: &Terms) -> impl Iterator<Item = String> {
    let counts = [
        (terms.play_count, "play it"),
        (terms.transfer_count, "copy it to portable players"),
        (terms.burn_count, "burn it to CDs"),
        (terms.playlist_burn_track_count, "burn it as part of playlists"),
    ];
    counts.into_iter().filter_map(|(count, what)| count.map(|count| format!("You can {what} {}.", times_over(count))))
}

fn times_over(count: u32) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
}

fn times(terms: &Terms, now: Timestamp) -> Vec<String> {
    let hours = |secs: u64| format!("{} hours", secs.div_ceil(3600));
    let mut words = Vec::new();
    if let Some(begin) = terms.begin.filter(|begin| *begin > now) {
        words.push(format!("It begins at {begin}."));
    }
    words.extend(terms.expiry.map(|expiry| format!("If you took it now, it would end at {expiry}.")));
    words.extend(terms.expiry_after_first_use_secs.map(|secs| format!("It ends {} after its first use.", hours(secs))));
    words.extend(terms.expiry_after_storing_secs.map(|secs| format!("It ends {} after you took it.", hours(secs))));
    if !terms.time_limits().any() {
        words.push("It does not expire.".to_owned());
    }
    words.extend(terms.max_offline_secs.map(|secs| format!("Your player goes online once in {}.", hours(secs))));
    if terms.rollback_action == Some(RollbackAction::Delete) {
        words.push("It is deleted when your clock was set back.".to_owned());
    }
    if terms.persistent == Some(false) {
        words.push("It is not kept when your player is closed.".to_owned());
    }
    words
}

/// Levels that every program has are not worth a word.
fn minima(terms: &Terms) -> impl Iterator<Item = String> {
    let version = terms
        .minimum_individualized_version
        .map(|version| format!("It works only with version {version} or a newer one of an individualized player."));
    let level = terms.minimum_application_level.filter(|level| *level > admit_license::DEFAULT_APPLICATION_LEVEL);
    let level = level.map(|level| format!("It works only with programs of security level {level} or more."));
    version.into_iter().chain(level)
}

/// Every right there is, as the page says it.
const RIGHTS: [(Rights, &str); 9] = [
    (Rights::PLAY, "Play it."),
    (
        Rights::TRANSFER_TO_NON_SDMI,
        "Copy it to a portable player that does not keep to SDMI, where your player can do that.",
    ),
    (Rights::NO_RECOVERY, "It cannot be recovered on another machine."),
    (Rights::BURN_TO_CD, "Burn it to an audio CD, where your player can do that."),
    (Rights::SDMI_VALIDATED, "Copy it to a portable player that keeps to SDMI, where your player can do that."),
    (Rights::ONE_TIME, "It is deleted after one use."),
    (Rights::SAVE_STREAM, "Save it while it is streamed, where your player can do that."),
    (Rights::PLAYLIST_BURN, "Burn it to an audio CD as part of a playlist, where your player can do that."),
    (Rights::BACKUP_RESTORE, "Back the license up and restore it, where your player can do that."),
];
const HOUR: Duration = Duration::from_secs(3600);
