//! What a license says, as text and as JSON.

use std::fmt::Write as _;

use admit_client::StoredLicense;
use admit_license::{Count, Dead, Kind, Origin, RollbackAction, SdmiClass, Terms, Usage};
use admit_time::Timestamp;
use serde_json::{Value, json};

/// One line for each thing the license says.
pub(crate) fn terms_text(terms: &Terms, usage: Option<&Usage>) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            let _ = writeln!(text, "{name}: {value}");
        }
    };
    line("license", Some(terms.id.to_string()));
    line("kind", Some(kind(terms.kind).into()));
    line("key id", Some(terms.key_id.to_string()));
    line("root license", terms.uplink.map(|uplink| format!("{} revision {}", uplink.key_id, uplink.revision)));
    line("issued", Some(terms.issued_at.to_string()));
    line("made by", terms.origin.map(|origin| origin.name().to_owned()));
    line("bound to key", Some(terms.binding.recipient.to_string()));
    text.push_str(&conditions_text(terms, usage));
    text
}

/// The same without what is of one license alone: its ids, its time and whose it is.
pub(crate) fn conditions_text(terms: &Terms, usage: Option<&Usage>) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            let _ = writeln!(text, "{name}: {value}");
        }
    };
    line("rights", Some(terms.rights.to_string()));
    let class = terms.rights.sdmi_class();
    line("SDMI class", (class != SdmiClass::Unknown).then(|| class.name().to_owned()));
    line("begins", terms.begin.map(|time| time.to_string()));
    line("expires", terms.expiry.map(|time| time.to_string()));
    line("expires after first use", terms.expiry_after_first_use_secs.map(seconds));
    line("expires after storing", terms.expiry_after_storing_secs.map(seconds));
    line("stored", usage.and_then(|usage| usage.stored_at).map(|time| time.to_string()));
    line("first used", usage.and_then(|usage| usage.first_used_at).map(|time| time.to_string()));
    line("ends", usage.and_then(|usage| ends_at(terms, usage)));
    for (name, count, limit) in counts(terms) {
        let used = usage.map_or(String::new(), |usage| format!(" ({} used)", usage.of(count)));
        line(name, limit.map(|limit| format!("{limit}{used}")));
    }
    line("application level at least", Some(terms.minimum_application_level().to_string()));
    line("client level at least", terms.minimum_client_level.map(|level| level.to_string()));
    line("individualized version at least", terms.minimum_individualized_version.map(|version| version.to_string()));
    line("when the clock was set back", terms.rollback_action.and(rollback(terms)).map(str::to_owned));
    line("with an unset clock for", terms.grace_secs.map(seconds));
    line("without a signed time for", terms.max_offline_secs.map(seconds));
    line("kept beyond the session", terms.persistent.map(|kept| if kept { "yes" } else { "no" }.to_owned()));
    line("priority", terms.priority.map(|priority| priority.to_string()));
    text
}

/// The same for programs; what the license does not say is null.
pub(crate) fn terms_json(terms: &Terms, usage: Option<&Usage>) -> Value {
    let mut document = json!({
        "license": terms.id.to_string(),
        "kind": kind(terms.kind),
        "key_id": terms.key_id.to_string(),
        "root_key_id": terms.uplink.map(|uplink| uplink.key_id.to_string()),
        "realm": terms.realm.to_string(),
        "issued_at": terms.issued_at.to_string(),
        "rights": terms.rights.names().collect::<Vec<_>>(),
        "rights_bits": terms.rights.bits(),
        "begin": terms.begin.map(|time| time.to_string()),
        "expiry": terms.expiry.map(|time| time.to_string()),
        "expiry_after_first_use_secs": terms.expiry_after_first_use_secs,
        "expiry_after_storing_secs": terms.expiry_after_storing_secs,
        "minimum_application_level": terms.minimum_application_level(),
        "minimum_client_level": terms.minimum_client_level.unwrap_or(0),
        "minimum_individualized_version": terms.minimum_individualized_version.map(|version| version.to_string()),
        "persistent": terms.persistent.unwrap_or(true),
        "priority": terms.priority.unwrap_or(0),
        "bound_to": terms.binding.recipient.to_string(),
    });
    if let Some(usage) = usage {
        document["stored_at"] = usage.stored_at.map(|time| time.to_string()).into();
        document["first_used_at"] = usage.first_used_at.map(|time| time.to_string()).into();
        document["ends_at"] = ends_at(terms, usage).into();
    }
    document["sdmi_class"] = terms.rights.sdmi_class().name().into();
    document["made_by"] = terms.origin.map_or("license service", Origin::name).into();
    document["rollback_action"] = rollback(terms).into();
    document["grace_secs"] = terms.grace_secs.into();
    document["max_offline_secs"] = terms.max_offline_secs.into();
    for (name, count, limit) in counts(terms) {
        let used = usage.map(|usage| usage.of(count));
        let left = limit.map(|limit| limit.saturating_sub(used.unwrap_or(0)));
        document[name.replace(' ', "_")] = json!({ "allowed": limit, "used": used, "left": left });
    }
    document
}

/// The same of a license in a store, with what ended it for good. `certain` is a time that has certainly passed.
pub(crate) fn stored_json(StoredLicense { terms, usage }: &StoredLicense, certain: Option<Timestamp>) -> Value {
    let mut document = terms_json(terms, Some(usage));
    document["dead"] = Dead::of(terms, usage, certain).map(Dead::name).into();
    document
}

/// What is left of each count, when the license ends or ended, and whether it is used up, for a line of a list.
pub(crate) fn what_is_left(StoredLicense { terms, usage }: &StoredLicense, certain: Option<Timestamp>) -> String {
    let mut text = String::new();
    for (name, count, limit) in counts(terms) {
        if let Some(allowed) = limit {
            let _ = write!(text, ", {} of {allowed} {name} left", allowed.saturating_sub(usage.of(count)));
        }
    }
    let dead = Dead::of(terms, usage, certain);
    match ends_at(terms, usage) {
        Some(end) if dead == Some(Dead::Ended) => text.push_str(&format!(", ended {end}")),
        Some(end) => text.push_str(&format!(", until {end}")),
        None if terms.time_limits().any() => text.push_str(", limited in time"),
        None => {}
    }
    if dead == Some(Dead::UsedUp) {
        text.push_str(", used up");
    }
    text
}

/// When the license ends, as it was used so far.
fn ends_at(terms: &Terms, usage: &Usage) -> Option<String> {
    terms.time_limits().ends_at(usage.first_used_at, usage.stored_at).map(|time| time.to_string())
}

const fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Simple => "simple",
        Kind::Root => "root",
        Kind::Leaf => "leaf",
    }
}

/// What happens when the clock was set back; nothing where the license has no limits in time.
fn rollback(terms: &Terms) -> Option<&'static str> {
    let action = terms.time_limits().any().then(|| terms.rollback_action.unwrap_or_default())?;
    Some(match action {
        RollbackAction::None | RollbackAction::Disable => "unusable until a signed time comes",
        RollbackAction::Delete => "deleted, or unusable until a signed time comes",
    })
}

const fn counts(terms: &Terms) -> [(&'static str, Count, Option<u32>); 4] {
    [
        ("plays", Count::Play, terms.play_count),
        ("transfers", Count::Transfer, terms.transfer_count),
        ("burns", Count::Burn, terms.burn_count),
        ("playlist burns", Count::PlaylistBurn, terms.playlist_burn_track_count),
    ]
}

fn seconds(seconds: u64) -> String {
    format!("{seconds} s")
}
