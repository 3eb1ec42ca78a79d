//! `[licenses]`: how often licenses may be asked for.

use super::Limit;
use super::setting::{Section, Setting};

pub(super) const SECTION: Section = Section {
    name: "licenses",
    settings: &[
        Setting {
            key: "per_client_per_hour",
            doc: "How often licenses may be asked for by one client in an hour; 0 is no limit.",
            bounds: "0 to 100,000,000",
            example: "",
            is_secret: false,
            set: |config, value| {
                limit(&mut config.licenses.client).per_hour = value.number(0..=100_000_000)?;
                Ok(())
            },
            show: |config| Some(config.licenses.client.map_or(0, |limit| limit.per_hour).to_string()),
        },
        Setting {
            key: "client_burst",
            doc: "How many times at once.",
            bounds: "1 to 100,000,000",
            example: "",
            is_secret: false,
            set: |config, value| {
                limit(&mut config.licenses.client).burst = value.number(1..=100_000_000)?;
                Ok(())
            },
            show: |config| Some(config.licenses.client.map_or(1, |limit| limit.burst).to_string()),
        },
        Setting {
            key: "per_token_per_hour",
            doc: "How often licenses may be asked for with one token in an hour; 0 is no limit.",
            bounds: "0 to 100,000,000",
            example: "",
            is_secret: false,
            set: |config, value| {
                limit(&mut config.licenses.token).per_hour = value.number(0..=100_000_000)?;
                Ok(())
            },
            show: |config| Some(config.licenses.token.map_or(0, |limit| limit.per_hour).to_string()),
        },
        Setting {
            key: "token_burst",
            doc: "How many times at once.",
            bounds: "1 to 100,000,000",
            example: "",
            is_secret: false,
            set: |config, value| {
                limit(&mut config.licenses.token).burst = value.number(1..=100_000_000)?;
                Ok(())
            },
            show: |config| Some(config.licenses.token.map_or(1, |limit| limit.burst).to_string()),
        },
        Setting {
            key: "per_address_per_hour",
            doc: "How often one network address (one /64 for IPv6, and eight times as often its /48) may ask for licenses, enrol,\npackage or see the license page in an hour; 0 is no limit.",
            bounds: "0 to 100,000,000",
            example: "",
            is_secret: false,
            set: |config, value| {
                limit(&mut config.licenses.address).per_hour = value.number(0..=100_000_000)?;
                Ok(())
            },
            show: |config| Some(config.licenses.address.map_or(0, |limit| limit.per_hour).to_string()),
        },
        Setting {
            key: "address_burst",
            doc: "How many times at once.",
            bounds: "1 to 100,000,000",
            example: "",
            is_secret: false,
            set: |config, value| {
                limit(&mut config.licenses.address).burst = value.number(1..=100_000_000)?;
                Ok(())
            },
            show: |config| Some(config.licenses.address.map_or(1, |limit| limit.burst).to_string()),
        },
    ],
};

/// The limit to change. One of no requests in an hour stands for none until all settings are read.
fn limit(limit: &mut Option<Limit>) -> &mut Limit {
    limit.get_or_insert(Limit { per_hour: 0, burst: 1 })
}
