//! The settings of a license: one table, whose names are the same in scripts and in rules. The page
//! `docs/operate/policies.md` lists them, to which a test holds it.

use admit_license::RollbackAction;
use admit_time::Timestamp;
use admit_trust::{ComponentVersion, InvalidComponentVersion};

use super::date::{self, Edge};
use super::offer::Offer;
use super::rights::RightsRule;
use super::value::Value;
use crate::home::nearest;

/// One setting.
pub(super) struct Setting {
    pub(super) name: &'static str,
    read: fn(&mut Offer, &Value) -> Result<(), String>,
}

impl Setting {
    /// Sets it. The error says what is wrong with the value.
    pub(super) fn set(&self, offer: &mut Offer, value: &Value) -> Result<(), String> {
        (self.read)(offer, value).map_err(|reason| format!("{}: {reason}", self.name))?;
        offer.written.retain(|(name, _)| *name != self.name);
        offer.written.push((self.name, value.clone()));
        Ok(())
    }
}

/// Sets what a policy wrote. The error says what is wrong with the value or the name.
pub(super) fn set(offer: &mut Offer, name: &str, value: &Value) -> Result<(), String> {
    named(name)?.set(offer, value)
}

/// The setting of this name.
pub(super) fn named(name: &str) -> Result<&'static Setting, String> {
    SETTINGS.iter().find(|setting| setting.name == name).ok_or_else(|| {
        let near = nearest(name, SETTINGS.iter().map(|setting| setting.name));
        let hint = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
        format!("a license has no {name:?}{hint}")
    })
}

/// Settings and their values that say something else than the default, as they were written.
pub(super) fn beyond_default(offer: &Offer) -> impl Iterator<Item = (&'static str, &Value)> {
    let says_more = |name: &str, value: &Value| {
        let (mut alone, default) = (Offer::default(), Offer::default());
        alone.terms.minimum_application_level = Some(default.terms.minimum_application_level());
        let before = (alone.rights, alone.one_time, alone.days, alone.terms.clone());
        set(&mut alone, name, value).is_ok() && before != (alone.rights, alone.one_time, alone.days, alone.terms)
    };
    offer.written.iter().filter(move |(name, value)| says_more(name, value)).map(|(name, value)| (*name, value))
}

/// A time as seconds since 1970 or as a date.
fn time(value: &Value, edge: Edge) -> Result<Option<Timestamp>, String> {
    value.optional(|value| {
        let read = match value {
            Value::Number(seconds) => u64::try_from(*seconds).ok().map(Timestamp::from_unix_secs),
            Value::Text(text) => date::parse(text, edge),
            _ => None,
        };
        read.ok_or_else(|| value.expected("a date such as \"2026-12-31\" or \"2026-12-31T18:00:00Z\""))
    })
}

/// Hours as seconds.
fn hours(value: &Value) -> Result<Option<u64>, String> {
    value.optional(|value| Ok(u64::from(value.number(1u32, MAX_HOURS)?) * 3600))
}

fn count(value: &Value) -> Result<Option<u32>, String> {
    value.optional(|value| value.number(1u32, u32::MAX))
}

/// A security level: a number, or the document's four bytes, most significant first (row B13).
fn level(value: &Value) -> Result<Option<u32>, String> {
    value.optional(|value| match value {
        Value::List(bytes) => {
            let bytes = bytes.iter().map(|byte| byte.number(0u8, u8::MAX)).collect::<Result<Vec<u8>, _>>()?;
            bytes.try_into().map(u32::from_be_bytes).map_err(|_| value.expected("four bytes"))
        }
        number => number.number(0u32, u32::MAX),
    })
}

pub(super) const SETTINGS: &[Setting] = &[
    Setting {
        name: "rights",
        read: |offer, value| {
            offer.rights = RightsRule::read(value)?;
            Ok(())
        },
    },
    Setting {
        name: "one_time",
        read: |offer, value| {
            offer.one_time = value.yes_or_no()?;
            Ok(())
        },
    },
    Setting {
        name: "days",
        read: |offer, value| {
            offer.days = value.optional(|value| value.number(1u32, MAX_DAYS))?;
            Ok(())
        },
    },
    Setting {
        name: "begin",
        read: |offer, value| {
            offer.terms.begin = time(value, Edge::Begin)?;
            Ok(())
        },
    },
    Setting {
        name: "expiry",
        read: |offer, value| {
            offer.terms.expiry = time(value, Edge::End)?;
            Ok(())
        },
    },
    Setting {
        name: "expiry_after_first_use_hours",
        read: |offer, value| {
            offer.terms.expiry_after_first_use_secs = hours(value)?;
            Ok(())
        },
    },
    Setting {
        name: "expiry_after_storing_hours",
        read: |offer, value| {
            offer.terms.expiry_after_storing_secs = hours(value)?;
            Ok(())
        },
    },
    Setting {
        name: "play_count",
        read: |offer, value| {
            offer.terms.play_count = count(value)?;
            Ok(())
        },
    },
    Setting {
        name: "transfer_count",
        read: |offer, value| {
            offer.terms.transfer_count = count(value)?;
            Ok(())
        },
    },
    Setting {
        name: "burn_count",
        read: |offer, value| {
            offer.terms.burn_count = count(value)?;
            Ok(())
        },
    },
    Setting {
        name: "playlist_burn_track_count",
        read: |offer, value| {
            offer.terms.playlist_burn_track_count = count(value)?;
            Ok(())
        },
    },
    Setting {
        name: "max_playlist_burn_count",
        read: |offer, value| {
            offer.terms.max_playlist_burn_count = count(value)?;
            Ok(())
        },
    },
    Setting {
        name: "minimum_application_level",
        read: |offer, value| {
            offer.terms.minimum_application_level = level(value)?;
            Ok(())
        },
    },
    Setting {
        name: "minimum_client_level",
        read: |offer, value| {
            offer.terms.minimum_client_level = level(value)?;
            Ok(())
        },
    },
    Setting {
        name: "minimum_individualized_version",
        read: |offer, value| {
            let version = value.optional(|value| {
                let version: ComponentVersion =
                    value.text()?.parse().map_err(|error: InvalidComponentVersion| error.to_string())?;
                let rule = admit_license::Rule::MinimumVersionIsIndividualized;
                version.is_individualized().then_some(version).ok_or_else(|| rule.to_string())
            });
            offer.terms.minimum_individualized_version = version?;
            Ok(())
        },
    },
    Setting {
        name: "rollback_action",
        read: |offer, value| {
            offer.terms.rollback_action = value.optional(|value| value.word(ROLLBACK_ACTIONS))?;
            Ok(())
        },
    },
    Setting {
        name: "grace_hours",
        read: |offer, value| {
            offer.terms.grace_secs = hours(value)?;
            Ok(())
        },
    },
    Setting {
        name: "max_offline_hours",
        read: |offer, value| {
            offer.terms.max_offline_secs = hours(value)?;
            Ok(())
        },
    },
    Setting {
        name: "persistent",
        read: |offer, value| {
            offer.terms.persistent = value.optional(Value::yes_or_no)?;
            Ok(())
        },
    },
    Setting {
        name: "priority",
        read: |offer, value| {
            offer.terms.priority = value.optional(|value| value.number(i32::MIN, i32::MAX))?;
            Ok(())
        },
    },
    Setting {
        name: "source_id",
        read: |offer, value| {
            offer.terms.source_id = value.optional(|value| value.number(0u32, u32::MAX))?;
            Ok(())
        },
    },
];

const ROLLBACK_ACTIONS: &[(&str, RollbackAction)] =
    &[("none", RollbackAction::None), ("disable", RollbackAction::Disable), ("delete", RollbackAction::Delete)];
/// A hundred years.
const MAX_DAYS: u32 = 36_500;
const MAX_HOURS: u32 = MAX_DAYS * 24;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_names_every_setting_and_no_other() {
        let page = include_str!("../../../../docs/operate/policies.md");
        let table = page.split("| setting | value | says |").nth(1).unwrap().split("\n\n").next().unwrap();
        let named: Vec<&str> = table.lines().skip(2).filter_map(|row| row.split('`').nth(1)).collect();
        assert_eq!(named, SETTINGS.iter().map(|setting| setting.name).collect::<Vec<_>>());
    }

    fn fault(name: &str, value: Value) -> String {
        set(&mut Offer::default(), name, &value).unwrap_err()
    }

    #[test]
    fn b13_a_level_is_a_number_or_four_bytes() {
        let mut offer = Offer::default();
        let bytes = Value::List([0, 0, 3, 232].map(Value::Number).to_vec());
        set(&mut offer, "minimum_application_level", &bytes).unwrap();
        assert_eq!(offer.terms.minimum_application_level, Some(1000));
        set(&mut offer, "minimum_application_level", &Value::Number(i64::from(u32::MAX))).unwrap();
        assert_eq!(offer.terms.minimum_application_level, Some(u32::MAX));
        for value in [Value::List(vec![Value::Number(1)]), Value::Number(-1), Value::Number(1 << 32)] {
            assert!(fault("minimum_application_level", value).starts_with("minimum_application_level: expected "));
        }
    }

    #[test]
    fn a_name_that_is_not_known_is_told_with_the_nearest_that_is() {
        assert_eq!(fault("play_cuont", Value::Number(1)), "a license has no \"play_cuont\"; did you mean play_count?");
        assert_eq!(fault("colour", Value::Number(1)), "a license has no \"colour\"");
    }

    #[test]
    fn values_of_other_kinds_and_out_of_bounds_are_refused() {
        let cases = [
            ("days", Value::Number(0)),
            ("days", Value::Number(36_501)),
            ("days", Value::Text("30".to_owned())),
            ("begin", Value::Text("tomorrow".to_owned())),
            ("begin", Value::Number(-1)),
            ("play_count", Value::Number(0)),
            ("one_time", Value::Number(1)),
            ("persistent", Value::Text("no".to_owned())),
            ("rollback_action", Value::Text("explode".to_owned())),
            ("minimum_individualized_version", Value::Text("2.x".to_owned())),
            ("minimum_individualized_version", Value::Text("2.4.0.0".to_owned())),
            ("priority", Value::Number(1 << 31)),
            ("grace_hours", Value::Other("a function".to_owned())),
        ];
        for (name, value) in cases {
            let told = fault(name, value.clone());
            assert!(told.starts_with(&format!("{name}: ")), "{name} {value:?}: {told}");
        }
    }
}
