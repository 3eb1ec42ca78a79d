//! `[clock]`: what clients' clocks put up with (rows E02 and E04). It stands in the realm's document, which the trust root
//! signs.

use admit_protocol::realm::ClockRules;
use admit_time::clock::Limits;

use super::Config;
use super::setting::{Section, Setting};

pub(super) const SECTION: Section = Section {
    name: "clock",
    settings: &[
        Setting {
            key: "max_offline_secs",
            doc: "What clients' clocks put up with. It stands in the realm's document, which the trust root signs: it holds from the\n\
                  next `admit admin renew` on. The longest time without a signed one.",
            bounds: "1 to 31,622,400",
            example: "",
            is_secret: false,
            set: |config, value| put(|rules| &mut rules.max_offline_secs, config, value.number(1..=31_622_400)?),
            show: |config| show(|rules| rules.max_offline_secs, config),
        },
        Setting {
            key: "max_reboots_offline",
            doc: "The most restarts without a signed time.",
            bounds: "0 to 10,000",
            example: "",
            is_secret: false,
            set: |config, value| put(|rules| &mut rules.max_reboots_offline, config, value.number(0..=10_000)?),
            show: |config| show(|rules| rules.max_reboots_offline, config),
        },
        Setting {
            key: "rollback_tolerance_secs",
            doc: "How far a wall clock may be behind before that is a rollback.",
            bounds: "0 to 86,400",
            example: "",
            is_secret: false,
            set: |config, value| put(|rules| &mut rules.rollback_tolerance_secs, config, value.number(0..=86_400)?),
            show: |config| show(|rules| rules.rollback_tolerance_secs, config),
        },
        Setting {
            key: "max_jump_secs",
            doc: "The longest jump forward that one time key can make alone.",
            bounds: "60 to 31,622,400",
            example: "",
            is_secret: false,
            set: |config, value| put(|rules| &mut rules.max_jump_secs, config, value.number(60..=31_622_400)?),
            show: |config| show(|rules| rules.max_jump_secs, config),
        },
        Setting {
            key: "max_uncertainty_secs",
            doc: "The largest uncertainty with which time still counts.",
            bounds: "30 to 86,400",
            example: "",
            is_secret: false,
            set: |config, value| put(|rules| &mut rules.max_uncertainty_secs, config, value.number(30..=86_400)?),
            show: |config| show(|rules| rules.max_uncertainty_secs, config),
        },
        Setting {
            key: "drift_ppm",
            doc: "How far a client's boot-time clock may be off, in millionths.",
            bounds: "0 to 10,000",
            example: "",
            is_secret: false,
            set: |config, value| put(|rules| &mut rules.drift_ppm, config, value.number(0..=10_000)?),
            show: |config| show(|rules| rules.drift_ppm, config),
        },
    ],
};

/// What is as it is without a setting does not stand in the document.
fn put(rule: fn(&mut ClockRules) -> &mut Option<u32>, config: &mut Config, number: u32) -> Result<(), String> {
    let mut default = ClockRules::of(&Limits::default());
    *rule(&mut config.clock) = Some(number).filter(|_| *rule(&mut default) != Some(number));
    Ok(())
}

fn show(rule: fn(&ClockRules) -> Option<u32>, config: &Config) -> Option<String> {
    let rule = rule(&config.clock).or_else(|| rule(&ClockRules::of(&Limits::default())));
    rule.map(|number| number.to_string())
}
