//! `[tokens]`: what entitlement tokens may say.

use std::time::Duration;

use super::setting::{Section, Setting};

pub(super) const MAXIMUM_LIFETIME: Duration = Duration::from_secs(400 * DAY_SECS);

pub(super) const SECTION: Section = Section {
    name: "tokens",
    settings: &[Setting {
        key: "maximum_lifetime_days",
        doc: "The longest time that an entitlement token may be valid.",
        bounds: "1 to 3660",
        example: "",
        is_secret: false,
        set: |config, value| {
            let days = value.number(1..=3660)?;
            config.token_maximum_lifetime = Duration::from_secs(u64::from(days) * DAY_SECS);
            Ok(())
        },
        show: |config| Some((config.token_maximum_lifetime.as_secs() / DAY_SECS).to_string()),
    }],
};

const DAY_SECS: u64 = 86_400;
