//! `[http]`: limits of connections and requests.

use std::time::Duration;

use super::setting::{Section, Setting};

pub(super) const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
pub(super) const BODY_TIMEOUT: Duration = Duration::from_secs(10);
pub(super) const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
pub(super) const MAXIMUM_CONNECTIONS: usize = 4096;
/// A sixteenth of all.
pub(super) const CONNECTIONS_PER_ADDRESS: usize = 256;
pub(super) const MAXIMUM_REQUESTS: usize = 2048;

pub(super) const SECTION: Section = Section {
    name: "http",
    settings: &[
        Setting {
            key: "header_timeout_secs",
            doc: "How long a client may take to send the head of a request.",
            bounds: "1 to 600",
            example: "",
            is_secret: false,
            set: |config, value| {
                config.header_timeout = value.secs(1..=600)?;
                Ok(())
            },
            show: |config| Some(config.header_timeout.as_secs().to_string()),
        },
        Setting {
            key: "body_timeout_secs",
            doc: "How long a client may take to send the body of a request.",
            bounds: "1 to 600",
            example: "",
            is_secret: false,
            set: |config, value| {
                config.body_timeout = value.secs(1..=600)?;
                Ok(())
            },
            show: |config| Some(config.body_timeout.as_secs().to_string()),
        },
        Setting {
            key: "request_timeout_secs",
            doc: "How long answering a request may take.",
            bounds: "1 to 600",
            example: "",
            is_secret: false,
            set: |config, value| {
                config.request_timeout = value.secs(1..=600)?;
                Ok(())
            },
            show: |config| Some(config.request_timeout.as_secs().to_string()),
        },
        Setting {
            key: "maximum_connections",
            doc: "The most connections at once; more wait.",
            bounds: "1 to 1,000,000",
            example: "",
            is_secret: false,
            set: |config, value| {
                let number = value.number(1..=1_000_000)?;
                config.maximum_connections = usize::try_from(number).unwrap_or(usize::MAX);
                Ok(())
            },
            show: |config| Some(config.maximum_connections.to_string()),
        },
        Setting {
            key: "connections_per_address",
            doc: "The most connections at once from one network address (one /64 for IPv6, and eight times as many from its /48); more\nare closed. 0 is no limit, for a server behind a proxy.",
            bounds: "0 to 1,000,000",
            example: "",
            is_secret: false,
            set: |config, value| {
                let number = value.number(0..=1_000_000)?;
                config.connections_per_address = usize::try_from(number).ok().filter(|&number| number > 0);
                Ok(())
            },
            show: |config| Some(config.connections_per_address.unwrap_or(0).to_string()),
        },
        Setting {
            key: "maximum_requests",
            doc: "The most requests under way at once; more are turned away with 503.",
            bounds: "1 to 1,000,000",
            example: "",
            is_secret: false,
            set: |config, value| {
                let number = value.number(1..=1_000_000)?;
                config.maximum_requests = usize::try_from(number).unwrap_or(usize::MAX);
                Ok(())
            },
            show: |config| Some(config.maximum_requests.to_string()),
        },
        Setting {
            key: "drain_secs",
            doc: "How long a server that is being stopped goes on serving, while /ready says that it is: time for a balancer to\nnotice.",
            bounds: "0 to 600",
            example: "",
            is_secret: false,
            set: |config, value| {
                config.drain = value.secs(0..=600)?;
                Ok(())
            },
            show: |config| Some(config.drain.as_secs().to_string()),
        },
    ],
};
