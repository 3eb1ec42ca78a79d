//! `[time]`: whether the time is signed, how exactly, and where it is answered without TLS.

use std::net::SocketAddr;

use super::sample::quoted;
use super::setting::{Section, Setting};

/// How the time is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Time {
    /// How far off this host's clock is at most, in seconds, by the operator's word; without it the kernel's word is asked for.
    pub largest_error_secs: Option<u32>,
    /// How far off signed times are at most, in seconds: above the largest error. Without it, that and a second.
    pub radius_secs: Option<u32>,
    /// Where requests over plain HTTP are answered, and nothing else is.
    pub http: Option<SocketAddr>,
    /// Where requests over UDP are answered.
    pub udp: Option<SocketAddr>,
    /// How often one network may ask over UDP in an hour; zero is no limit.
    pub udp_per_address_per_hour: u32,
}

impl Default for Time {
    /// Ten times a second for ever: a whole company may stand behind one address.
    fn default() -> Self {
        Self { largest_error_secs: None, radius_secs: None, http: None, udp: None, udp_per_address_per_hour: 36_000 }
    }
}

pub(super) const SECTION: Section = Section {
    name: "time",
    settings: &[
        Setting {
            key: "largest_error_secs",
            doc: "How far off this host's clock is at most, in seconds: see that it is kept right (by NTP), then say it here.\n\
                  Without it the time is signed only where the kernel says that its clock is kept right, and to 17 seconds.",
            bounds: "1 to 29",
            example: "1",
            is_secret: false,
            set: |config, value| {
                config.time.largest_error_secs = Some(value.number(1..=29)?);
                Ok(())
            },
            show: |config| config.time.largest_error_secs.map(|secs| secs.to_string()),
        },
        Setting {
            key: "radius_secs",
            doc: "How far off a signed time is at most, in seconds; no time is signed unless this is above the largest error. Without\nit, a second above that.",
            bounds: "2 to 30",
            example: "3",
            is_secret: false,
            set: |config, value| {
                config.time.radius_secs = Some(value.number(2..=30)?);
                Ok(())
            },
            show: |config| config.time.radius_secs.map(|secs| secs.to_string()),
        },
        Setting {
            key: "http",
            doc: "Where requests for the time over plain HTTP are answered, and nothing else is: for clients whose clock is so wrong\nthat no TLS certificate is valid for them. Tell them of it with admit trust time add.",
            bounds: "address and port",
            example: "\"0.0.0.0:7449\"",
            is_secret: false,
            set: |config, value| {
                let parsed = value.text()?.parse();
                config.time.http =
                    Some(parsed.map_err(|_| "expected an address and port such as 0.0.0.0:7449".to_owned())?);
                Ok(())
            },
            show: |config| config.time.http.map(|address| quoted(&address.to_string())),
        },
        Setting {
            key: "udp",
            doc: "Where requests for the time over UDP (Roughtime) are answered. Without it, they are answered over HTTP only.",
            bounds: "address and port",
            example: "\"0.0.0.0:5319\"",
            is_secret: false,
            set: |config, value| {
                let parsed = value.text()?.parse();
                config.time.udp =
                    Some(parsed.map_err(|_| "expected an address and port such as 0.0.0.0:5319".to_owned())?);
                Ok(())
            },
            show: |config| config.time.udp.map(|address| quoted(&address.to_string())),
        },
        Setting {
            key: "udp_per_address_per_hour",
            doc: "How often one network address (one /64 for IPv6, and eight times as often its /48) may ask over UDP in an hour;\n0 is no limit.",
            bounds: "0 to 100,000,000",
            example: "",
            is_secret: false,
            set: |config, value| {
                config.time.udp_per_address_per_hour = value.number(0..=100_000_000)?;
                Ok(())
            },
            show: |config| Some(config.time.udp_per_address_per_hour.to_string()),
        },
    ],
};
