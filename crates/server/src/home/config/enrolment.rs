//! `[enrolment]`: how fast new clients may come.

use super::setting::{Section, Setting};

pub(super) const PER_HOUR: u32 = 60;
pub(super) const BURST: u32 = 20;

pub(super) const SECTION: Section = Section {
    name: "enrolment",
    settings: &[
        Setting {
            key: "per_address_per_hour",
            doc: "How many clients may enrol from one network address (one /64 for IPv6, and eight times as\nmany from its /48) in an hour.",
            bounds: "1 to 1,000,000",
            example: "",
            is_secret: false,
            set: |config, value| {
                config.enrolments_per_hour = value.number(1..=1_000_000)?;
                Ok(())
            },
            show: |config| Some(config.enrolments_per_hour.to_string()),
        },
        Setting {
            key: "burst",
            doc: "How many of them at once.",
            bounds: "1 to 1,000,000",
            example: "",
            is_secret: false,
            set: |config, value| {
                config.enrolment_burst = value.number(1..=1_000_000)?;
                Ok(())
            },
            show: |config| Some(config.enrolment_burst.to_string()),
        },
    ],
};
